"""The public data sets that can be converted, and their conversion."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

from shelfwise.data.readers import (
    ali_ccp,
    aliexpress,
    amazon_beauty,
    beibei,
    best_buy,
    esci,
    eshop_clothing,
    expedia,
    home_depot,
    ipinyou,
    online_retail,
    open_bandit,
    qbqtc,
    rees46,
    talkingdata,
    taobao_titles,
    taobao_user_behavior,
)
from shelfwise.data.readers.card import ConversionReport, DatasetCard
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.shop_folder import ConvertedShop, counts, write_shop
from shelfwise.schema.errors import ConfigError, DataError
from shelfwise.schema.progress import Progress, Silent

_UNWATCHED = Silent()


class Reader(Protocol):
    """What a module of this package offers for a data set."""

    CARD: DatasetCard

    def read(self, folder: PublishedFolder) -> tuple[int, ConvertedShop]:
        """How many published rows there are, and what they become."""
        ...


_READERS: tuple[Reader, ...] = (
    ali_ccp,
    aliexpress,
    amazon_beauty,
    beibei,
    best_buy,
    esci,
    eshop_clothing,
    expedia,
    home_depot,
    ipinyou,
    online_retail,
    open_bandit,
    qbqtc,
    rees46,
    talkingdata,
    taobao_titles,
    taobao_user_behavior,
)


def dataset_cards() -> tuple[DatasetCard, ...]:
    """Every data set that ``convert`` knows, in order of name."""
    return tuple(sorted((reader.CARD for reader in _READERS), key=lambda card: card.name))


def dataset_card(name: str) -> DatasetCard:
    """The card of a data set by its name on the command line."""
    return _reader(name).CARD


def convert(
    name: str, source: Path, out: Path, progress: Progress = _UNWATCHED
) -> ConversionReport:
    """Turn the publisher's file, or the folder it lies in, into a shop folder.

    Writes a Parquet file for each table the set brings, shop.toml, conversion.json and
    left_out.parquet, which holds every published row that was not kept, with its reason.
    """
    reader = _reader(name)
    folder = PublishedFolder(reader.CARD, source)
    with progress.step(f"read {name}"):
        rows_in, shop = reader.read(folder)
    if not sum(shop.kept.values()):
        why = [f"  {reason}: {rows}" for reason, rows in counts(shop.left_out["reason"]).items()]
        files = ", ".join(folder.digests)
        raise DataError("\n".join([f"{files}: none of {rows_in} rows could be kept", *why]))
    report = _report(reader.CARD, folder, rows_in, shop)
    with progress.step(f"write {out.name}"):
        write_shop(shop, report, out)
    return report


def _reader(name: str) -> Reader:
    for reader in _READERS:
        if reader.CARD.name == name:
            return reader
    known = [card.name for card in dataset_cards()]
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}? " if near else ""
    raise ConfigError(f"no data set {name!r}; {hint}known are {', '.join(known)}")


def _report(
    card: DatasetCard, folder: PublishedFolder, rows_in: int, shop: ConvertedShop
) -> ConversionReport:
    return ConversionReport(
        dataset=card.name,
        terms=card.terms,
        citation=card.citation,
        sources=folder.digests,
        rows_in=rows_in,
        kept=shop.kept,
        left_out=counts(shop.left_out["reason"]),
        changed=shop.changed,
        found=shop.found,
    )
