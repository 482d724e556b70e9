"""A staged log worked through, owners by owners; and what was seen of its rows on the way."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from shelfwise.data.clean import Refusal, refused
from shelfwise.data.config import DataOptions
from shelfwise.data.fraud_watch import FraudWatch
from shelfwise.data.history import NONE
from shelfwise.data.in_parallel import each
from shelfwise.data.negatives import NEVER
from shelfwise.data.occasions import match_kinds
from shelfwise.data.partition import Task, work_through
from shelfwise.data.pseudonyms import written_names
from shelfwise.data.source.scan import REJECT_ROWS
from shelfwise.data.stage import EventStage, Numbers, by_owner
from shelfwise.data.whole_log import LogBuilder
from shelfwise.schema.errors import DataError
from shelfwise.schema.event import EventKind
from shelfwise.schema.progress import Progress

_NO_TIME = Refusal(
    "timestamp", "no-timestamp", "a log that has times orders by them, so each row needs one"
)


def task_of(stage: EventStage, options: DataOptions) -> Task:
    """What is asked of the log, if it can be."""
    facts = stage.facts
    if facts.rows == 0:
        raise DataError("events: no row was kept; run shelfwise check to see what is wrong")
    if stage.by_order and options.split.by_time:
        raise DataError(
            f"events: none of {facts.rows:,} rows has a timestamp, so nothing can be parted by "
            "time. Map a column of times to timestamp under [events.columns] in shop.toml; where "
            'the log knows order only, set split.kind = "leave_last_out" and match.target = "next"'
        )
    kinds = match_kinds(facts.kinds, options.match)
    if not any(facts.kinds[kind] for kind in (*kinds, EventKind.IMPRESSION)):
        found = ", ".join(sorted(facts.kinds))
        asked = f"match.events asks for {', '.join(kinds)}" if kinds else "none shows interest"
        raise DataError(
            f"events: nothing can be learned from the kinds found ({found}): no impression, and "
            f"{asked}; map the log's own names in shop.toml under [events.names]"
        )
    return Task(
        options=options,
        kinds=kinds,
        by_sequence=options.match.target == "next",
        has_clicks=any(facts.kinds[kind] for kind in (EventKind.CLICK, EventKind.CART)),
        timed=not stage.by_order,
    )


class Seen:
    """What is counted while the groups pass by."""

    def __init__(self, items: int, owners: int) -> None:
        self.kinds: Counter[str] = Counter()
        self._first_V = np.full(items, NEVER)
        self._first_U = np.full(owners, NEVER)
        self._duplicates: list[pl.DataFrame] = []

    def add(self, events: pl.DataFrame, duplicates: pl.DataFrame) -> None:
        self.kinds.update({str(kind): n for kind, n in events["event"].value_counts().iter_rows()})
        self._duplicates.append(duplicates)
        at_E = events["at"].to_numpy()
        np.minimum.at(self._first_U, events["owner"].to_numpy(), at_E)
        item_E = events["item"].fill_null(NONE).to_numpy()
        np.minimum.at(self._first_V, item_E[item_E >= 0], at_E[item_E >= 0])

    def first_met(self) -> pl.DataFrame:
        """``item, owner, at``: when each item and each owner was met first."""
        first = [
            pl.DataFrame({name: np.flatnonzero(at < NEVER), "at": at[at < NEVER]})
            for name, at in (("item", self._first_V), ("owner", self._first_U))
        ]
        return pl.concat(first, how="diagonal")

    def duplicates(self, files: list[str]) -> pl.DataFrame:
        """``file, len``."""
        return pl.concat(self._duplicates).select(_file_names(files), "len")

    def why(self) -> dict[str, int]:
        """How many rows say again what another has said, by how that was seen."""
        counts = pl.concat(self._duplicates).group_by("why").agg(pl.col("len").sum()).sort("why")
        return dict(counts.iter_rows())


def work(
    stage: EventStage,
    numbers: Numbers,
    task: Task,
    watch: FraudWatch,
    scratch: Path,
    progress: Progress,
) -> tuple[LogBuilder, Seen]:
    """Every group's tables, put one behind the other, and what was seen of the rows."""
    log, seen = LogBuilder(), Seen(len(numbers.items), len(numbers.owners))
    with progress.step("Building histories and requests", total=stage.groups()) as step:
        groups = by_owner(stage, numbers, scratch)
        for part in each(partial(work_through, task=task), groups):
            events = part.events.with_columns(
                pl.col("owner") + log.owners, pl.col("session") + log.sessions
            )
            seen.add(events, part.duplicates)
            watch.add(events)
            log.add(part)
            step.advance()
    return log, seen


def untimed_rows(stage: EventStage) -> pl.DataFrame:
    """Rows without a time in a log that has times, as rejects; ids stay pseudonyms."""
    found = [pl.DataFrame(schema=REJECT_ROWS)]
    for rows in stage.refused():
        said = rows.with_columns(
            _file_names(stage.files),
            user_id=written_names("user", pl.col("user")),
            session_id=written_names("session", pl.col("visitor")),
        ).drop("user", "visitor", "session", "ip", "at")
        found.append(refused(said, pl.lit(True), _NO_TIME)[1])
    return pl.concat(found)


def _file_names(files: list[str]) -> pl.Expr:
    """``file`` by its name in place of its number."""
    return pl.lit(pl.Series(files, dtype=pl.String)).gather(pl.col("file")).alias("file")
