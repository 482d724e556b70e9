"""`shelfwise serve`: the HTTP service and the storefront."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.logging import RichHandler

from shelfwise.cli.console import AsJson, Settings, emit, words


def serve(
    run: Annotated[Path, typer.Argument(help="Folder that `train` wrote.")],
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 takes any free one.")
    ] = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Serve search, recommendations and ads over HTTP, with a storefront at /.

    It listens on this machine only (127.0.0.1), until Ctrl-C. With --json the address is told as
    soon as the port is taken.

    Example: shelfwise serve run --port 8080
    """
    from shelfwise.cli.saved_config import config_of
    from shelfwise.schema.manifest import open_sealed
    from shelfwise.serving.run import serve as serve_ranker

    given = [*(settings or ()), *([] if port is None else [f"serve.port={port}"])]
    config = config_of(run, open_sealed(run, "run"), given, sections=("serve", "rank"))
    _log_to_stderr()

    def load():  # type: ignore[no-untyped-def]  # torch is imported only when the model is
        from shelfwise.ranking.ranker import Ranker

        return Ranker.load(run, config.rank)

    serve_ranker(load, config.serve, lambda url: emit(as_json, {"url": url}))


def _log_to_stderr() -> None:
    """Coloured lines for a person, one whole line a record for a log collector."""
    handler: logging.Handler
    if words.is_terminal:
        handler, form = RichHandler(console=words, show_path=False), "%(message)s"
    else:
        handler, form = logging.StreamHandler(), "%(asctime)s %(levelname)s %(message)s"
    # On the handler, because bm25s sets its own logger to DEBUG.
    handler.setLevel(logging.INFO)
    logging.basicConfig(level=logging.INFO, format=form, handlers=[handler])
    # That it starts and stops is said by our own lines.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
