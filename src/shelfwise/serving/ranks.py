"""The role of whoever answers requests, and the place where it stands while it is loaded.

Serving loads no model: it is handed a function that does, so that this package needs neither
torch nor transformers and any ranker can be served.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Thread
from typing import Protocol

from shelfwise.schema.errors import ShelfwiseError
from shelfwise.schema.item import Item
from shelfwise.schema.ranking import Ranking, RankRequest

logger = logging.getLogger(__name__)


class Shop(Protocol):
    """Whose goods are ranked."""

    @property
    def name(self) -> str: ...

    @property
    def currency(self) -> str:
        """ISO 4217 code of the currency of prices and bids."""

    @property
    def synthetic(self) -> bool:
        """True where goods and shoppers were made by a generator."""


class Ranks(Protocol):
    """Answers requests from all three surfaces; called from several threads at once."""

    @property
    def version(self) -> str:
        """Says which model answered; stands in every answer."""

    @property
    def shop(self) -> Shop: ...

    def rank(self, request: RankRequest) -> Ranking: ...

    def item(self, item_id: str) -> Item | None:
        """The catalogue's entry, or None where it has none of that id."""


class NotReadyError(Exception):
    """A request came while nobody could answer it; the message says why."""


class Shelf:
    """The place of the ranker: empty, then either filled or known to stay empty."""

    def __init__(self, load: Callable[[], Ranks]) -> None:
        self._load = load
        self._ranker: Ranks | None = None
        self._why_not = "still loading"

    def fill_in_background(self) -> None:
        # A daemon, so that an interrupt during a long load ends the process at once.
        Thread(target=self._fill, name="load-ranker", daemon=True).start()

    def _fill(self) -> None:
        try:
            ranker = self._load()
        except Exception as error:
            self._why_not = "loading failed; the server's log says why"
            # The user's mistake needs no traceback, ours does.
            logger.error(
                "the ranker could not be loaded: %s",
                error,
                exc_info=not isinstance(error, ShelfwiseError),
            )
        else:
            self._ranker = ranker
            logger.info("ready with model %s", ranker.version)

    def ranker(self) -> Ranks:
        """Whoever answers now; raises NotReadyError where there is nobody."""
        if self._ranker is None:
            raise NotReadyError(self._why_not)
        return self._ranker
