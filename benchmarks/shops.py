"""The shop that a benchmark is run on: a shop folder, or a data set as its publisher left it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from shelfwise.cli.saved_config import configured_from
from shelfwise.config import SHOP_TOML, ShopConfig, load_config
from shelfwise.data.folder import new_folder
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import Prepared, PreparedShop
from shelfwise.data.pseudonyms import Pseudonyms
from shelfwise.data.readers.datasets import convert
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.generate import WRITTEN_BY_SAMPLE, write_sample_shop
from shelfwise.evaluation.tuning.objective import Configured
from shelfwise.schema.errors import DataError
from shelfwise.schema.manifest import Manifest
from shelfwise.schema.progress import Progress
from shelfwise.training.course import Course
from shelfwise.training.train import train


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


def drawn_shop(
    folder: Path, options: SampleOptions, settings: tuple[str, ...], progress: Progress
) -> Shop:
    """A sample shop (synthetic), written to the new ``folder``."""
    with new_folder(folder, WRITTEN_BY_SAMPLE) as new:
        write_sample_shop(new, options, progress)
    return Shop(folder, settings, published=False)


def name_of(prepared: Prepared) -> str:
    """What a prepared shop is called; synthetic data is called so."""
    options = prepared.options.shop
    is_told = "synthetic" in options.name or not options.synthetic
    return options.name if is_told else f"{options.name} (synthetic)"


def owners_called(users: Iterable[str], prepared: PreparedShop, shop: Shop) -> tuple[str, ...]:
    """By what ids a prepared shop knows some of its log's users."""
    names = Pseudonyms.of(prepared.options.privacy, shop.folder)
    return tuple(names.name("user", user) for user in users)


def learn(prepared: Prepared, run: Path, config: ShopConfig, progress: Progress) -> Manifest:
    """Train the run ``run`` as a shop's options say."""
    course = Course(tasks=config.tasks, adaptation=config.adaptation)
    return train(prepared, run, config.model, config.train, progress, course)


def configured_by(shop: Shop) -> Configured:
    """How settings over a shop's options become what trains, for a search."""
    return configured_from(shop.config(), "the setting searched from")


def prepared_shop(shop: Shop, out: Path, progress: Progress) -> PreparedShop:
    """The shop's log, prepared.

    Raises:
        DataError: it has no log.
    """
    prepared = prepare(shop.folder, out, shop.config(), progress)
    if not isinstance(prepared, PreparedShop):
        raise DataError(f"{shop.folder}: has no log of behaviour, which this benchmark ranks by")
    return prepared
