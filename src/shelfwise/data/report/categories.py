"""How the catalogue is divided: its categories, and how their paths are written."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shelfwise.data.category_path import JOINED, PathChange, normalise_paths

_LARGEST = 12


@dataclass(frozen=True, slots=True)
class Categories:
    """Categories of the items."""

    items: int
    missing: int
    distinct: int  # whole paths
    depth: dict[int, int]  # names in the path -> items
    broad: dict[str, int]  # the largest first names -> items
    broad_distinct: int
    single: int  # whole paths with one item alone
    changes: tuple[PathChange, ...]  # how paths will be rewritten
    unsure: tuple[str, ...]  # names with a bare "/" inside, left as they are
    unsure_items: int


def categories(catalogue: pl.DataFrame) -> Categories | None:
    """None where no item has a category."""
    if catalogue["category"].null_count() == len(catalogue):
        return None
    found = normalise_paths(catalogue["category"])
    paths = pl.DataFrame({"path": found.paths}).drop_nulls()
    names = pl.col("path").str.split(JOINED)
    depth = paths.group_by(names.list.len().alias("depth")).len().sort("depth")
    broad = paths.group_by(names.list.first().alias("name")).len()
    sizes = paths.group_by("path").len()
    return Categories(
        len(catalogue),
        len(catalogue) - len(paths),
        len(sizes),
        dict(depth.iter_rows()),
        dict(broad.sort("len", "name", descending=[True, False]).head(_LARGEST).iter_rows()),
        len(broad),
        int((sizes["len"] == 1).sum()),
        found.changes,
        found.unsure,
        found.unsure_rows,
    )
