"""A converted data set, written as the files of a shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from shelfwise.data.readers.card import ConversionReport

# The file by which a folder is known as a converted data set, which may be written anew.
CONVERSION = "conversion.json"


@dataclass(frozen=True, slots=True)
class ConvertedShop:
    """What a reader makes of a publisher's table."""

    catalogue: pl.DataFrame
    events: pl.DataFrame
    left_out: pl.DataFrame  # the publisher's columns, line and reason
    shop_toml: str
    changed: Mapping[str, int]
    found: Mapping[str, int]


def counts(values: pl.Series) -> dict[str, int]:
    """How often each value occurs, most frequent first, then in alphabetical order."""
    table = values.alias("value").to_frame().group_by("value").len()
    return dict(table.sort(["len", "value"], descending=[True, False]).iter_rows())


def write_shop(shop: ConvertedShop, report: ConversionReport, out: Path) -> None:
    """Write the folder's five files; files of the same names are replaced."""
    out.mkdir(parents=True, exist_ok=True)
    shop.catalogue.write_parquet(out / "catalogue.parquet")
    shop.events.write_parquet(out / "events.parquet")
    shop.left_out.write_parquet(out / "left_out.parquet")
    (out / "shop.toml").write_text(shop.shop_toml, encoding="utf-8")
    (out / CONVERSION).write_text(report.to_json(), encoding="utf-8")
