"""Runs the service until it is interrupted."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

import uvicorn

from shelfwise.schema.errors import ConfigError
from shelfwise.serving.app import create_app
from shelfwise.serving.config import ServeOptions
from shelfwise.serving.ranks import Ranks

logger = logging.getLogger(__name__)

# Longer than any ranking takes, shorter than a supervisor waits before it kills.
_SECONDS_TO_FINISH = 10


def serve(
    load: Callable[[], Ranks],
    options: ServeOptions,
    listening: Callable[[str], None] = lambda url: None,  # noqa: ARG005  # nobody to tell
) -> None:
    """Listen, load, and answer; on Ctrl-C or SIGTERM finish what was begun and return.

    ``listening`` is told the address once the port is taken; before the ranker is there.

    Raises ConfigError where the port is taken, and whatever ``load`` raised: a server that
    will never have a ranker ends instead of answering 503 for ever.
    """
    failures: list[Exception] = []

    def load_or_stop() -> Ranks:
        try:
            return load()
        except Exception as error:
            failures.append(error)
            server.should_exit = True
            raise

    with _listening(options) as listener:
        host, port = listener.getsockname()[:2]
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(load_or_stop, options),
                # Logging belongs to the program. No access log: a path may hold an item's id.
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_SECONDS_TO_FINISH,
            )
        )
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        logger.info("listening on %s", url)
        listening(url)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            logger.info("interrupted")
    if failures:
        raise failures[0]


def _listening(options: ServeOptions) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        return socket.create_server((options.host, options.port), family=family)
    except OSError as error:
        raise ConfigError(
            f"serve: cannot listen on {options.host}, port {options.port}: {error.strerror}; "
            "choose another port, or 0 for any free one"
        ) from error
