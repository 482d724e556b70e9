"""A converted data set, written as the files of a shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from shelfwise.data.readers.card import ConversionReport

# The file by which a folder is known as a converted data set, which may be written anew.
CONVERSION = "conversion.json"

TABLES = ("catalogue", "events", "users", "judgements", "campaigns", "pairs")

_PRIVACY = """
[privacy]
published_key = true  # published data; the same pseudonyms on every machine
"""


@dataclass(frozen=True, slots=True)
class ConvertedShop:
    """What a reader makes of a publisher's tables."""

    tables: Mapping[str, pl.DataFrame]  # one of TABLES -> its rows; what a set lacks is absent
    kept: Mapping[str, int]  # what a published row became -> rows; of events, their kinds
    left_out: pl.DataFrame  # the publisher's columns, line and reason
    shop_toml: str  # all but [privacy], which is the same for every published set
    changed: Mapping[str, int]
    found: Mapping[str, int]

    def __post_init__(self) -> None:
        unknown = set(self.tables) - set(TABLES)
        assert not unknown, f"no tables of a shop: {unknown}"


def counts(values: pl.Series) -> dict[str, int]:
    """How often each value occurs, most frequent first, then in alphabetical order."""
    table = values.alias("value").to_frame().group_by("value").len()
    return dict(table.sort(["len", "value"], descending=[True, False]).iter_rows())


def write_shop(shop: ConvertedShop, report: ConversionReport, out: Path) -> None:
    """Write the folder's tables, shop.toml and report; files of the same names are replaced."""
    out.mkdir(parents=True, exist_ok=True)
    for name, table in shop.tables.items():
        table.write_parquet(out / f"{name}.parquet")
    shop.left_out.write_parquet(out / "left_out.parquet")
    (out / "shop.toml").write_text(shop.shop_toml + _PRIVACY, encoding="utf-8")
    (out / CONVERSION).write_text(report.to_json(), encoding="utf-8")
