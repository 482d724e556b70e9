"""Shops with fake shoppers, each beside the same shop without them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.asking import Asking
from benchmarks.shops import Shop, drawn_shop
from shelfwise.data.sample_shop.config import STRENGTHS, SampleOptions
from shelfwise.evaluation.attacks.poison import RECIPES, Poison, poisoned
from shelfwise.schema.progress import Progress

_EVENTS = 120_000  # of shoppers
_TRIED = 0.05  # share of a shop's events that bots make in the drawing that counts bots
_MOST = 0.5  # more of a shop's events bots cannot make


@dataclass(frozen=True, slots=True)
class Scene:
    """A shop with fakes, and the same without."""

    name: str
    clean: Shop
    pushed: Shop
    targets: tuple[str, ...]  # item ids
    fakes: tuple[str, ...]  # user ids
    share: float  # fakes for each real user


def scenes(
    shop: Shop | None,
    scratch: Path,
    asking: Asking,
    drawn: tuple[float, int],
    progress: Progress,
) -> Iterator[Scene]:
    """Each kind of fakes that is asked for; of a sample shop without ``shop``.

    Args:
        drawn: fakes for each real user, and the seed.
    """
    kinds = STRENGTHS if shop is None else tuple(RECIPES)
    for kind in kinds:
        if not asking.wants(kind):
            continue
        folder = scratch / f"{kind} {drawn[1]}"
        if shop is None:
            yield _with_bots(folder, kind, drawn, asking.settings, progress)
        else:
            yield _with_recipe(shop, folder, kind, drawn, asking.settings)


def _with_bots(
    folder: Path,
    strength: str,
    drawn: tuple[float, int],
    settings: tuple[str, ...],
    progress: Progress,
) -> Scene:
    share, seed = drawn
    asked = {"bot_share": _TRIED, "bot_strength": strength, "seed": seed}
    options = SampleOptions.model_validate(asked).with_events(_EVENTS)
    tried = _drawn(folder.with_name(f"{folder.name} tried"), options, settings, progress)
    # A bot makes as many events as one of the first drawing.
    made = tried.events * share / tried.share
    of_events = min(_MOST, made / (made + tried.others))
    options = SampleOptions.model_validate(options.model_dump() | {"bot_share": of_events})
    found = _drawn(folder, options, settings, progress)
    fakes = tuple(found.bots["user_id"].to_list())
    clean = _without(folder, folder.with_name(f"{folder.name} clean"), fakes)
    return Scene(
        strength,
        found.shop._replace(folder=clean),
        found.shop,
        tuple(found.bots["targets"].explode().unique().sort().to_list()),
        fakes,
        found.share,
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A sample shop, and who is a bot there."""

    shop: Shop
    bots: pl.DataFrame
    events: int  # of bots
    others: int  # events of shoppers
    share: float  # bots for each shopper


def _drawn(
    folder: Path, options: SampleOptions, settings: tuple[str, ...], progress: Progress
) -> _Drawn:
    shop = drawn_shop(folder, options, settings, progress)
    bots = pl.read_parquet(folder / "truth" / "bots.parquet")
    events = pl.scan_parquet(folder / "events.parquet")
    is_bot = pl.col("user_id").is_in(bots["user_id"].to_list()).fill_null(value=False)
    made, others, shoppers = (
        events.select(
            is_bot.sum().alias("bots"),
            (~is_bot).sum().alias("others"),
            pl.col("user_id").filter(~is_bot).drop_nulls().n_unique().alias("shoppers"),
        )
        .collect()
        .row(0)
    )
    return _Drawn(shop, bots, made, others, len(bots) / shoppers)


def _with_recipe(
    shop: Shop, folder: Path, recipe: str, drawn: tuple[float, int], settings: tuple[str, ...]
) -> Scene:
    share, seed = drawn
    events = pl.read_parquet(shop.folder / "events.parquet")
    test = shop.config().split.test_start
    before = events.filter(pl.col("timestamp") < test)
    found = poisoned(before, Poison(recipe, share, seed=seed))  # type: ignore[arg-type]
    # Fakes end with the test's begin as the learning does.
    new = found.events.filter(pl.col("timestamp") < test)
    _copied(shop.folder, folder)
    pl.concat([new, events.filter(pl.col("timestamp") >= test)]).write_parquet(
        folder / "events.parquet"
    )
    clean, pushed = (Shop(one, settings, published=shop.published) for one in (shop.folder, folder))
    users = before["user_id"].drop_nulls().n_unique()
    return Scene(recipe, clean, pushed, found.targets, found.users, len(found.users) / users)


def _without(shop: Path, folder: Path, users: tuple[str, ...]) -> Path:
    """The same shop less some users' rows."""
    _copied(shop, folder)
    events = pl.read_parquet(shop / "events.parquet")
    kept = events.filter(~pl.col("user_id").is_in(users) | pl.col("user_id").is_null())
    kept.write_parquet(folder / "events.parquet")
    return folder


def _copied(shop: Path, folder: Path) -> None:
    folder.mkdir()
    for path in shop.iterdir():
        if path.is_file() and path.name != "events.parquet":
            (folder / path.name).write_bytes(path.read_bytes())
