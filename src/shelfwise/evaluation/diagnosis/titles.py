"""Is there a part of the catalogue whose titles are missing, or all alike?

The network reads titles: what has none is known by its category and brand alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.diagnosis.case import Case
from shelfwise.evaluation.diagnosis.finding import Evidence, Finding
from shelfwise.evaluation.slices.influence import (
    Gap,
    auc_estimate,
    gap_of,
    interval_of,
    mean_estimate,
)
from shelfwise.metrics.bootstrap import Interval

_FEWEST = 5  # items that make a slice of the catalogue
_MISSING = 0.3  # share without a title from which a slice is named
_ALIKE = 0.1  # different titles for each item, below which they are all alike
_BLANK = (
    "",
    "-",
    "n/a",
    "na",
    "none",
    "null",
    "nan",
    "unknown",
    "untitled",
    "no title",
    "tbd",
    "?",
)


class Bare(NamedTuple):
    """Some of the catalogue's items, of which too little is said."""

    column: str
    value: str
    what: str  # "have no title", "share their titles"
    share: Interval  # of the slice's items
    elsewhere: float  # the same share of all other items
    item_V: NDArray[np.bool_]


def titles_findings(case: Case) -> list[Finding]:
    """Slices of the catalogue without titles of their own, the largest first."""
    found = sorted(bare_slices(case.prepared), key=lambda one: -int(one.item_V.sum()))
    if not found:
        items = case.prepared.items
        blank = Evidence(
            "share of items without a title",
            float(no_title(items).mean()),
            support=len(items),
            of="items",
        )
        return [Finding("titles", "fine", "No part of the catalogue lacks titles.", [blank])]
    evidence = [figure for one in found for figure in (_share(one), *_metric(case, one))]
    first = found[0]
    more = (
        f", and so {'does' if len(found) == 2 else 'do'} {len(found) - 1} more"
        if len(found) > 1
        else ""
    )
    return [
        Finding(
            "titles missing",
            "illness",
            f"{first.share.value:.0%} of the {first.share.support:,} items of {first.column} "
            f"{first.value!r} {first.what} ({first.elsewhere:.0%} elsewhere){more}: the network "
            "knows them by category and brand alone.",
            evidence,
            f"Fill in the titles of {first.column} {first.value!r} in the catalogue, then prepare "
            "and train again.",
        )
    ]


def _share(one: Bare) -> Evidence:
    return Evidence.of_interval(
        f"{one.column} {one.value}: items that {one.what}", one.share, "items"
    )


def _metric(case: Case, one: Bare) -> Iterator[Evidence]:
    """Click AUC of the slice's rows beside that of all others, where there are any."""
    answers = case.held_out.answers
    if not case.has_impressions:
        return
    inside_N = one.item_V[answers.item_N]
    sides = [
        (auc_estimate(answers.click_N[rows], answers.clicked_N[rows]), case.held_out.owner_N[rows])
        for rows in (inside_N, ~inside_N)
    ]
    gap: Gap = gap_of(*sides[0], *sides[1])
    name = f"{one.column} {one.value}"
    yield Evidence.of_interval(f"{name}: click AUC", interval_of(*sides[0]))
    yield Evidence.of_interval(f"{name}: click AUC, less that of other items", gap.interval)


def no_title(items: pl.DataFrame) -> NDArray[np.bool_]:
    """``[V]`` whether nothing, or a word that stands for nothing, is given as title."""
    title = items["title"].fill_null("").str.strip_chars().str.to_lowercase()
    missing_V: NDArray[np.bool_] = title.is_in(list(_BLANK)).to_numpy()
    return missing_V


def bare_slices(prepared: PreparedShop) -> list[Bare]:
    """Values of department, domain, language, category or brand without titles of their own.

    A value that lies within one named already, or the other way about, is not named again.
    """
    items = prepared.items
    missing_V = no_title(items)
    title = items["title"].fill_null("").str.to_lowercase()
    repeated_V = title.is_duplicated().to_numpy() & ~missing_V
    found: list[Bare] = []
    for what, is_V, most_different in (
        ("have no title", missing_V, 1.0),
        ("share their titles", repeated_V, _ALIKE),
    ):
        explained_V = np.zeros(len(items), bool)
        for column, value, item_V in _suspects(items, title, is_V, most_different):
            inside, outside = float(is_V[item_V].mean()), _rate(is_V[~item_V])
            bare = int((is_V & item_V).sum())
            if inside <= 2 * outside or (explained_V & is_V & item_V).sum() > bare / 2:
                continue
            explained_V |= item_V
            share = interval_of(mean_estimate(is_V[item_V].astype(float)), np.flatnonzero(item_V))
            share = share._replace(low=max(share.low, 0.0), high=min(share.high, 1.0))
            found.append(Bare(column, value, what, share, outside, item_V))
    return found


def _rate(is_V: NDArray[np.bool_]) -> float:
    return float(is_V.mean()) if len(is_V) else 0.0


def _suspects(
    items: pl.DataFrame, title: pl.Series, is_V: NDArray[np.bool_], most_different: float
) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Values of which many items are bare, broad columns first; the whole catalogue last."""
    broad = items["category"].fill_null("").str.split(" > ").list.first().alias("department")
    everything = pl.Series("catalogue", ["as a whole"]).new_from_index(0, len(items))
    columns = (broad, items["domain"], items["language"], items["category"], items["brand"])
    for column in (*columns, everything):
        words = column.fill_null("").cast(pl.String)
        rows = pl.DataFrame(
            {"value": words, "title": title, "bare": pl.Series(is_V, dtype=pl.Boolean)}
        )
        suspects = (
            rows.filter(pl.col("value") != "")
            .group_by("value", maintain_order=True)
            .agg(pl.len(), pl.col("bare").mean(), different=pl.col("title").n_unique() / pl.len())
            .filter(
                (pl.col("len") >= _FEWEST)
                & (pl.col("bare") >= _MISSING)
                & (pl.col("different") <= most_different)
            )
        )
        for value in suspects["value"]:
            yield column.name, value, (words == value).to_numpy()
