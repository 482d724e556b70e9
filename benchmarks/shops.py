"""The shop that a benchmark is run on: a shop folder, or a data set as its publisher left it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from shelfwise.config import SHOP_TOML, ShopConfig, load_config
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.readers.datasets import convert
from shelfwise.schema.errors import DataError
from shelfwise.schema.progress import Progress


class Shop(NamedTuple):
    """A shop folder, and what is set over its shop.toml."""

    folder: Path
    settings: tuple[str, ...]
    published: bool  # whether a public data set was converted

    def config(self, *more: str) -> ShopConfig:
        """The options as a whole, ``more`` on top."""
        return load_config(self.folder, [*self.settings, *more])


def shop_of(
    data: Path, dataset: str, scratch: Path, settings: tuple[str, ...], progress: Progress
) -> Shop:
    """``data`` itself where it has a shop.toml, else what the reader of ``dataset`` makes of it."""
    if (data / SHOP_TOML).is_file():
        return Shop(data, settings, published=False)
    folder = scratch / "shop"
    folder.mkdir()
    convert(dataset, data, folder, progress)
    return Shop(folder, settings, published=True)


def prepared_shop(shop: Shop, out: Path, progress: Progress) -> PreparedShop:
    """The shop's log, prepared.

    Raises:
        DataError: it has no log.
    """
    prepared = prepare(shop.folder, out, shop.config(), progress)
    if not isinstance(prepared, PreparedShop):
        raise DataError(f"{shop.folder}: has no log of behaviour, which this benchmark ranks by")
    return prepared
