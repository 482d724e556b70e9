"""`shelfwise serve`: the HTTP service and the storefront."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.logging import RichHandler

from shelfwise.cli.console import Settings, words


def serve(
    run: Annotated[Path, typer.Argument(help="Folder that `train` wrote.")],
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    settings: Settings = None,
) -> None:
    """Serve search, recommendations and ads over HTTP, with a storefront at /.

    It listens on this machine only (127.0.0.1). Example: shelfwise serve run --port 8080
    """
    from shelfwise.cli.saved_config import config_of
    from shelfwise.schema.manifest import open_sealed
    from shelfwise.serving.run import serve as serve_ranker

    given = [*(settings or ()), *([] if port is None else [f"serve.port={port}"])]
    config = config_of(open_sealed(run, "run"), given, sections=("serve", "rank"))
    logging.basicConfig(
        level=logging.INFO, format="%(message)s", handlers=[RichHandler(console=words)]
    )

    def load():  # type: ignore[no-untyped-def]  # torch is imported only when the model is
        from shelfwise.ranking.ranker import Ranker

        return Ranker.load(run, config.rank)

    serve_ranker(load, config.serve)
