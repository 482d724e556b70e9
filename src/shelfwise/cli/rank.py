"""`shelfwise rank`: one request answered by a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from shelfwise.cli.console import AsJson, Settings, emit, show
from shelfwise.schema.event import Surface

if TYPE_CHECKING:
    from shelfwise.schema.event import Event
    from shelfwise.schema.ranking import Ranking, ScoredItem


def rank(  # noqa: PLR0913  # the flags of a command
    run: Annotated[Path, typer.Argument(help="Folder that `train` wrote.")],
    surface: Annotated[
        Surface, typer.Option(help="Where in the shop the answer is shown.")
    ] = Surface.RECOMMENDATION,
    query: Annotated[str, typer.Option(help="What was typed.")] = "",
    history: Annotated[
        str, typer.Option(help="Item ids the shopper looked at, oldest first, by commas.")
    ] = "",
    user: Annotated[
        str, typer.Option(help="Take the history of this user from the prepared folder.")
    ] = "",
    data: Annotated[
        Path | None, typer.Option(help="Prepared folder, if it is no longer where it was.")
    ] = None,
    k: Annotated[int, typer.Option(min=1, max=1000, help="Length of the answer.")] = 10,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Answer one search, recommendation or ad request.

    Example: shelfwise rank run --surface search --query "white hanging heart" --k 5
    """
    from shelfwise.cli.saved_config import config_of
    from shelfwise.ranking.choice import ranker_of
    from shelfwise.schema.manifest import open_sealed
    from shelfwise.schema.ranking import RankRequest

    manifest = open_sealed(run, "run")
    config = config_of(run, manifest, settings or (), sections=("rank",))
    ranker = ranker_of(run, config.rank)
    now = datetime.now(UTC)
    past = _known_history(data or Path(manifest.facts["prepared"]), user) if user else ()
    past += _looked_at(ranker, history, now)
    request = RankRequest("cli", surface, now, query, past, k)
    ranking = ranker.rank(request)
    _show(ranking, ranker.shop.currency)
    emit(as_json, as_plain(ranking))


def _looked_at(ranker: Any, history: str, now: datetime) -> tuple[Event, ...]:
    from shelfwise.schema.errors import DataError
    from shelfwise.schema.event import Event, EventKind

    ids = [item.strip() for item in history.split(",") if item.strip()]
    strange = [item for item in ids if ranker.item(item) is None]
    if strange:
        raise DataError(f"--history: {', '.join(strange)} not in the run's catalogue")
    minutes = range(len(ids), 0, -1)
    return tuple(
        Event(EventKind.CLICK, "cli", item, now - timedelta(minutes=ago))
        for item, ago in zip(ids, minutes, strict=True)
    )


def _known_history(prepared: Path, user: str) -> tuple[Event, ...]:
    from shelfwise.data.prepared import open_prepared_shop
    from shelfwise.data.recall import history_of

    return history_of(open_prepared_shop(prepared), user)


def _show(ranking: Ranking, currency: str) -> None:
    table = Table("", "item", "title", "price", "match", "P(click)", "P(buy|click)", box=None)
    for place, scored in enumerate(ranking.items, start=1):
        price = "" if scored.item.price is None else f"{scored.item.price:.2f} {currency}"
        numbers = (scored.match, scored.p_click, scored.p_convert)
        table.add_row(
            str(place),
            escape(scored.item.item_id),
            escape(scored.item.title),
            price,
            *("-" if isnan(number) else f"{number:.4f}" for number in numbers),
        )
    show(table)


def as_plain(ranking: Ranking) -> dict[str, Any]:
    """A ranking as JSON has it: what the model cannot say is null."""
    return {
        "request_id": ranking.request_id,
        "surface": str(ranking.surface),
        "model_version": ranking.model_version,
        "items": [_plain_item(scored) for scored in ranking.items],
    }


def _plain_item(scored: ScoredItem) -> dict[str, Any]:
    def known(number: float) -> float | None:
        return None if isnan(number) else number

    return {
        "item_id": scored.item.item_id,
        "title": scored.item.title,
        "category": scored.item.category,
        "price": scored.item.price,
        "match": known(scored.match),
        "p_click": known(scored.p_click),
        "p_convert": known(scored.p_convert),
        "campaign_id": scored.campaign_id or None,
        "charge": scored.charge,
    }
