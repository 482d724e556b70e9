"""The public data sets that can be converted, and their conversion."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import polars as pl

from shelfwise.data.readers import eshop_clothing, online_retail
from shelfwise.data.readers.card import ConversionReport, DatasetCard
from shelfwise.data.readers.published import PublishedColumn, find_published, read_published
from shelfwise.data.readers.shop_folder import ConvertedShop, counts, write_shop
from shelfwise.schema.errors import ConfigError, DataError
from shelfwise.schema.progress import Progress, Silent

_UNWATCHED = Silent()


class _Reader(NamedTuple):
    card: DatasetCard
    columns: tuple[PublishedColumn, ...]
    to_shop: Callable[[pl.DataFrame], ConvertedShop]


def dataset_cards() -> tuple[DatasetCard, ...]:
    """Every data set that ``convert`` knows, in order of name."""
    return (eshop_clothing.CARD, online_retail.CARD)


def convert(
    name: str, source: Path, out: Path, progress: Progress = _UNWATCHED
) -> ConversionReport:
    """Turn the publisher's file, or the folder it lies in, into a shop folder.

    Writes catalogue.parquet, events.parquet, shop.toml, conversion.json and
    left_out.parquet, which holds every row that became no event, with its reason.
    """
    reader = _reader(name)
    path = find_published(reader.card, source)
    with progress.step(f"read {path.name}"):
        table = read_published(path, reader.columns)
    with progress.step(f"convert {table.height:,} rows"):
        shop = reader.to_shop(table)
    if shop.events.is_empty():
        why = [f"  {reason}: {rows}" for reason, rows in counts(shop.left_out["reason"]).items()]
        raise DataError("\n".join([f"{path}: none of {table.height} rows could be kept", *why]))
    report = _report(reader.card, path, table.height, shop)
    with progress.step(f"write {out.name}"):
        write_shop(shop, report, out)
    return report


def _reader(name: str) -> _Reader:
    match name:
        case online_retail.CARD.name:
            return _Reader(online_retail.CARD, online_retail.COLUMNS, online_retail.to_shop)
        case eshop_clothing.CARD.name:
            return _Reader(eshop_clothing.CARD, eshop_clothing.COLUMNS, eshop_clothing.to_shop)
        case _:
            known = [card.name for card in dataset_cards()]
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(f"no data set {name!r}; {hint}known are {', '.join(known)}")


def _report(card: DatasetCard, path: Path, rows_in: int, shop: ConvertedShop) -> ConversionReport:
    return ConversionReport(
        dataset=card.name,
        terms=card.terms,
        citation=card.citation,
        source=path.name,
        source_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        rows_in=rows_in,
        kept=counts(shop.events["event"]),
        left_out=counts(shop.left_out["reason"]),
        changed=shop.changed,
        found=shop.found,
    )
