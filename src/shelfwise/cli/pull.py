"""`shelfwise pull`: events of a stream, copied to where check and prepare read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shelfwise.cli.console import AsJson, Bars, Settings, answer, emit


def pull(
    shop: Annotated[Path, typer.Argument(help="Shop folder whose shop.toml names the stream.")],
    follow: Annotated[
        float,
        typer.Option(
            "--follow", min=0, metavar="SECONDS", help="Go on waiting for new events this long."
        ),
    ] = 0,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Copy the events of a Redis stream into the shop's spool, and acknowledge them.

    Stops when the stream is drained. An event is acknowledged once it is on the disk, so this
    may be killed and started again at any moment: none is lost, and none is read twice. check
    and prepare read the spool alone; what came since the last pull is not in it.

    Example: shelfwise pull myshop --follow 60
    """
    from shelfwise.config import load_config
    from shelfwise.data.source.stream import pull as pull_events
    from shelfwise.schema.errors import ConfigError

    stream = load_config(shop, settings or ()).events.stream
    if stream is None:
        raise ConfigError(
            f"{shop}: no stream to pull from; name one in shop.toml under [events.stream]"
        )
    pulled = pull_events(stream, shop, follow_seconds=follow, progress=Bars())
    answer.print(f"{pulled.entries:,} events in {pulled.segments:,} files")
    if pulled.gone:
        answer.print(
            f"entries that the server dropped before they could be fetched: {pulled.gone:,}; "
            "let the stream keep more, or pull more often"
        )
    answer.print(f"{pulled.spool}: filled; next: shelfwise check {shop}")
    emit(
        as_json,
        {
            "spool": str(pulled.spool),
            "entries": pulled.entries,
            "files": pulled.segments,
            "gone": pulled.gone,
        },
    )
