"""The fraud filter over a log that comes in groups of owners."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from shelfwise.data.config import DataOptions
from shelfwise.data.fraud.crowds import TAKEN, crowds, taken_of
from shelfwise.data.fraud.features import actor_features
from shelfwise.data.fraud.flagging import FLAGS, flag
from shelfwise.data.fraud.options import ActorKind
from shelfwise.data.fraud.replays import PAGES, pages_of, replays
from shelfwise.data.fraud.rows import fraud_rows

_WHOLE: tuple[ActorKind, ...] = ("owner", "session")  # all rows of one are in one group


class FraudWatch:
    """Gathers how owners, visits and addresses behaved before training ended, and judges them."""

    def __init__(
        self, options: DataOptions, until: int, scratch: Path, category_V: pl.Series, *, timed: bool
    ) -> None:
        """``until``: the end of training in microseconds; what comes later is not looked at."""
        self._options = options
        self._until = until
        self._timed = timed
        self._scratch = scratch
        self._category_V = category_V
        self._figures: list[pl.DataFrame] = []
        self._addressed: list[Path] = []
        self._taken: list[pl.DataFrame] = []
        self._pages: list[pl.DataFrame] = []

    def add(self, events: pl.DataFrame) -> None:
        """A group's events in order, owners and visits numbered through the whole log."""
        if not self._options.fraud.enabled:
            return
        seen = events.filter(pl.col("at") < self._until)
        if seen.is_empty():
            return
        for actor in (one for one in _WHOLE if one in self._options.fraud.actors):
            self._figures.append(
                actor_features(seen, actor, category_V=self._category_V, timed=self._timed)
            )
        if self._options.fraud.crowds:
            self._taken.append(taken_of(seen))
        if self._options.fraud.replays and self._timed:
            self._pages.append(pages_of(seen))
        addressed = seen.filter(pl.col("ip").is_not_null())
        if addressed.height and "ip" in self._options.fraud.actors:
            path = self._scratch / f"addresses-{len(self._addressed):05}.arrow"
            addressed.select("event", "owner", "item", "at", "ip").write_ipc(
                path, compression="lz4"
            )
            self._addressed.append(path)

    def flags(self) -> pl.DataFrame:
        """Everybody who was judged: ``actor, id, score, reason, flagged``."""
        figures = [one for one in self._figures if one.height]
        if self._addressed:
            log = pl.scan_ipc(self._addressed, glob=False)
            figures.append(
                actor_features(log, "ip", category_V=self._category_V, timed=self._timed)
            )
        judged = [
            flag(
                pl.concat([one for one in figures if one["actor"][0] == actor]),
                self._options.fraud,
                seed=self._options.seed,
                company=self._company() if actor == "owner" else None,
            )
            for actor in dict.fromkeys(one["actor"][0] for one in figures)
        ]
        return pl.concat(judged) if judged else pl.DataFrame(schema=FLAGS)

    def _company(self) -> pl.DataFrame:
        """What owners are beside others: hired with them, or their copies."""
        hired = crowds(pl.concat([pl.DataFrame(schema=TAKEN), *self._taken]))
        copied = replays(pl.concat([pl.DataFrame(schema=PAGES), *self._pages]))
        return hired.join(copied, on="id", how="full", coalesce=True)


def with_reasons(requests: pl.DataFrame, flags: pl.DataFrame) -> pl.DataFrame:
    """Requests with ``fraud``: why nothing is learned from them; null where all is well."""
    return requests.with_columns(fraud_rows(requests, flags).alias("fraud"))
