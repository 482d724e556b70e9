"""The fraud filter over a log that comes in groups of owners."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl

from shelfwise.data.config import DataOptions
from shelfwise.data.fraud.crowds import TAKEN, crowds, taken_of
from shelfwise.data.fraud.features import actor_features
from shelfwise.data.fraud.flagging import FLAGS, flag
from shelfwise.data.fraud.options import ActorKind
from shelfwise.data.fraud.replays import PAGES, pages_of, replays
from shelfwise.data.fraud.rows import fraud_rows, suspicion
from shelfwise.data.split import Moments

_WHOLE: tuple[ActorKind, ...] = ("owner", "session")  # all rows of one are in one group


class Flags(NamedTuple):
    """Who was judged, each with ``actor, id, score, reason, flagged`` and more."""

    trained: pl.DataFrame  # by what happened before training ended
    later: pl.DataFrame  # by what happened before the test: decides for later rows alone


class FraudWatch:
    """Gathers how owners, visits and addresses behaved before training and validation ended."""

    def __init__(
        self,
        options: DataOptions,
        moments: Moments,
        scratch: Path,
        category_V: pl.Series,
        *,
        timed: bool,
    ) -> None:
        """``moments``: what the test holds is not looked at."""
        self._options = options
        self._moments = moments
        self._timed = timed
        self._category_V = category_V
        self._trained = _Evidence(options, scratch / "addresses")
        self._later = _Evidence(options, scratch / "later-addresses")

    @property
    def _has_later(self) -> bool:
        return self._moments.test > self._moments.validation

    def add(self, events: pl.DataFrame) -> None:
        """A group's events in order, owners and visits numbered through the whole log."""
        if not self._options.fraud.enabled:
            return
        seen = events.filter(pl.col("at") < self._moments.validation)
        figures = {actor: self._figures(seen, actor) for actor in self._actors()}
        self._trained.add(seen, figures, timed=self._timed)
        if self._has_later:
            known = events.filter(pl.col("at") < self._moments.test)
            later = {actor: self._renewed(known, figures[actor], actor) for actor in figures}
            self._later.add(known, later, timed=self._timed)

    def _actors(self) -> list[ActorKind]:
        return [one for one in _WHOLE if one in self._options.fraud.actors]

    def _figures(self, events: pl.DataFrame, actor: ActorKind) -> pl.DataFrame:
        return actor_features(events, actor, category_V=self._category_V, timed=self._timed)

    def _renewed(
        self, events: pl.DataFrame, before: pl.DataFrame, actor: ActorKind
    ) -> pl.DataFrame:
        """Figures with those anew of whoever did something since they were made."""
        since = events.filter(pl.col("at") >= self._moments.validation).select(actor).unique()
        anew = self._figures(events.join(since, on=actor, how="semi", maintain_order="left"), actor)
        return pl.concat([before.join(anew, on="id", how="anti"), anew])

    def flags(self) -> Flags:
        """Everybody who was judged."""
        trained = self._trained.flags(self._category_V, timed=self._timed)
        if not self._has_later:
            return Flags(trained, trained)
        return Flags(trained, self._later.flags(self._category_V, timed=self._timed))


class _Evidence:
    """What was seen until some moment."""

    def __init__(self, options: DataOptions, scratch: Path) -> None:
        self._options = options
        self._scratch = scratch
        self._figures: list[pl.DataFrame] = []
        self._addressed: list[Path] = []
        self._taken = [pl.DataFrame(schema=TAKEN)]
        self._pages = [pl.DataFrame(schema=PAGES)]

    def add(
        self, events: pl.DataFrame, figures: Mapping[ActorKind, pl.DataFrame], *, timed: bool
    ) -> None:
        if events.is_empty():
            return
        self._figures += figures.values()
        with_owners = "owner" in self._options.fraud.actors
        if self._options.fraud.crowds and with_owners:
            self._taken.append(taken_of(events))
        if self._options.fraud.replays and with_owners and timed:
            self._pages.append(pages_of(events))
        addressed = events.filter(pl.col("ip").is_not_null())
        if addressed.height and "ip" in self._options.fraud.actors:
            path = self._scratch.with_name(f"{self._scratch.name}-{len(self._addressed):05}.arrow")
            addressed.select("event", "owner", "item", "at", "ip").write_ipc(
                path, compression="lz4"
            )
            self._addressed.append(path)

    def flags(self, category_V: pl.Series, *, timed: bool) -> pl.DataFrame:
        figures = [one for one in self._figures if one.height]
        if self._addressed:
            log = pl.scan_ipc(self._addressed, glob=False)
            figures.append(actor_features(log, "ip", category_V=category_V, timed=timed))
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
        hired = crowds(pl.concat(self._taken))
        copied = replays(pl.concat(self._pages))
        return hired.join(copied, on="id", how="full", coalesce=True)


def with_reasons(requests: pl.DataFrame, flags: Flags) -> pl.DataFrame:
    """Requests with ``fraud``: why nothing is learned from them, null where all is well; and
    ``suspicion``, from 0 to 1: the score of those who made them, flagged or not.

    A training row is judged by what happened before training ended. Later rows, which a refit
    learns from and counts of the test rest on, are judged by all that happened before the test.
    """
    is_trained = requests["part"] == "train"
    told = [
        trained.zip_with(is_trained, later)
        for trained, later in (
            [judge(requests, one) for one in flags] for judge in (fraud_rows, suspicion)
        )
    ]
    return requests.with_columns(told)
