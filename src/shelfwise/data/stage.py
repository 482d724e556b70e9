"""A log on its way from its files to work on one group of owners after the other.

First every row passes once, in whatever order the files have it; what must be known of all rows
(who is who, which items and queries there are) is gathered beside. Then the rows come out with
their numbers, all rows of an owner together. A log that fits is held in memory; a longer one waits
on disk, in a folder that is removed afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from shelfwise.data.config import DataOptions
from shelfwise.data.event_rows import STAGED, event_rows
from shelfwise.data.features.declared import Readable, readable_numbers
from shelfwise.data.in_parallel import WORKERS, ahead, each
from shelfwise.data.pseudonyms import Pseudonyms, written_names

SECOND = 1_000_000  # microseconds
_MOST_STEPS = 2**42  # of which each stands for a second; further ones are finer
_WORTH_PARTING = 50_000  # rows from which on two groups at a time are faster than one


@dataclass(slots=True)
class LogFacts:
    """What is known of a whole log once every row has passed; parts add up in any order."""

    rows: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    first: int = 2**62  # microseconds, or steps of the sequence
    last: int = -(2**62)
    users: _Distinct = field(default_factory=lambda: _Distinct("user"))
    visits: _Distinct = field(default_factory=lambda: _Distinct("session", "user"))
    visitors: _Distinct = field(default_factory=lambda: _Distinct("session", "visitor"))
    items: _Distinct = field(default_factory=lambda: _Distinct("item_id"))
    queries: _Distinct = field(default_factory=lambda: _Distinct("query"))

    def add(self, rows: pl.DataFrame) -> None:
        """Take note of some rows."""
        self.rows += rows.height
        for kind, count in rows["event"].value_counts().iter_rows():
            self.kinds[str(kind)] += count
        # Of a log that knows order alone, what stands in place of times.
        times = rows["at"] if rows["at"].null_count() < rows.height else rows["sequence"]
        first, last = times.min(), times.max()
        if isinstance(first, int) and isinstance(last, int):
            self.first, self.last = min(self.first, first), max(self.last, last)
        for distinct in (self.users, self.items, self.queries, self.visitors):
            distinct.add(rows)
        self.visits.add(rows.filter(pl.col("user").is_not_null()))


class _Distinct:
    """The distinct values of some columns, of rows that have them all."""

    def __init__(self, *columns: str) -> None:
        self.columns = columns
        self._parts: list[pl.DataFrame] = []

    def add(self, rows: pl.DataFrame) -> None:
        found = rows.select(self.columns).drop_nulls().unique()
        if found.height:
            self._parts.append(found)
        if len(self._parts) > 1 and sum(map(len, self._parts[1:])) > len(self._parts[0]):
            self._parts = [pl.concat(self._parts).unique()]

    def frame(self) -> pl.DataFrame:
        """Sorted."""
        if not self._parts:
            return pl.DataFrame(schema={name: STAGED[name] for name in self.columns})
        return pl.concat(self._parts).unique().sort(self.columns)


class Owners:
    """Everybody whose behaviour the log has, by number in the order of their pseudonyms.

    An owner is a user or, where the log knows none, the session; a session with one user is that
    user's throughout.
    """

    def __init__(self, facts: LogFacts) -> None:
        users = facts.users.frame()["user"].to_numpy()
        self._user_of = _session_users(facts)
        lonely = facts.visitors.frame().join(self._user_of, on="session", how="anti")
        visitors = lonely["visitor"].unique().to_numpy()
        # A visitor whose session has a user is nobody of their own.
        self.code_U = np.unique(np.concatenate([users, visitors]))
        self._is_user_U = np.isin(self.code_U, users)

    def __len__(self) -> int:
        return len(self.code_U)

    def numbers(self, rows: pl.DataFrame) -> pl.Series:
        """``Int64`` owner of each row."""
        rows = rows.select("session", "user", "visitor")
        code = pl.coalesce("user", "visitor")
        if self._user_of.height:
            rows = rows.join(self._user_of, on="session", how="left", maintain_order="left")
            code = pl.coalesce("user", "session_user", "visitor")
        codes = rows.select(code.alias("code"))["code"].to_numpy()
        return pl.Series("owner", np.searchsorted(self.code_U, codes).astype(np.int64))

    def names(self) -> pl.Series:
        """Pseudonym of each owner, as it is written."""
        codes = pl.DataFrame({"code": self.code_U, "is_user": self._is_user_U})
        name = pl.when("is_user").then(written_names("user", pl.col("code")))
        return codes.select(
            name.otherwise(written_names("session", pl.col("code"))).alias("owner_id")
        )["owner_id"]


def _session_users(facts: LogFacts) -> pl.DataFrame:
    """``session, session_user`` of sessions without a user in some rows and one in the others."""
    anonymous = facts.visitors.frame().select("session").unique()
    return (
        facts.visits.frame()
        .join(anonymous, on="session", how="semi")
        .group_by("session")
        .agg(pl.col("user").n_unique().alias("users"), pl.col("user").first().alias("session_user"))
        .filter(pl.col("users") == 1)
        .select("session", "session_user")
    )


class EventStage:
    """Takes the rows of a log part by part and keeps them, in memory or on disk.

    Rows without a timestamp are put aside: only the whole log tells whether it knows order alone,
    and they are its rows, or whether they are to be refused.
    """

    def __init__(self, scratch: Path, options: DataOptions, pseudonyms: Pseudonyms) -> None:
        self._scratch = scratch
        self._options = options
        self._pseudonyms = pseudonyms
        self._timed = _Held(scratch / "timed", options.memory.rows_together)
        self._untimed = _Held(scratch / "untimed", options.memory.rows_together)
        self.files: list[str] = []
        self.columns: set[str] = set()  # of any file
        self.readable: dict[str, Readable] = {}  # declared columns of numbers

    def take(self, rows: pl.DataFrame) -> None:
        """Rows of one file as the reader hands them out."""
        name = rows["file"][0]
        if name not in self.files:
            self.files.append(name)
        self._look_at_features(rows)
        staged = event_rows(rows, self.files.index(name), self._options, self._pseudonyms)
        untimed = staged.filter(pl.col("at").is_null())
        if untimed.is_empty():
            self._timed.take(staged)
            return
        self._untimed.take(untimed)
        if untimed.height < staged.height:
            self._timed.take(staged.filter(pl.col("at").is_not_null()))

    def _look_at_features(self, rows: pl.DataFrame) -> None:
        self.columns.update(rows.columns)
        for name, more in readable_numbers(rows, self._options.features.events).items():
            self.readable[name] = self.readable.get(name, Readable()).and_more(more)

    @property
    def by_order(self) -> bool:
        """Whether the log knows no time at all, only what came before what."""
        return self._timed.facts.rows == 0

    @property
    def _kept(self) -> _Held:
        return self._untimed if self.by_order else self._timed

    @property
    def facts(self) -> LogFacts:
        """Of the rows that are learned from."""
        return self._kept.facts

    def parts(self) -> Iterator[pl.DataFrame]:
        """These rows again, part by part, in the order in which they were taken; only once.

        In a log that knows order alone, the time of a row is its sequence, in seconds after 1970.
        """
        for part in self._kept.parts():
            yield part.with_columns(at=pl.col("sequence") * self._step) if self.by_order else part

    @property
    def _step(self) -> int:
        """Microseconds that one step of the sequence stands for."""
        furthest = max(abs(self.facts.first), abs(self.facts.last))
        return SECOND if furthest < _MOST_STEPS else 1

    def span(self) -> tuple[int, int]:
        """First and last moment of the log, in microseconds."""
        step = self._step if self.by_order else 1
        return self.facts.first * step, self.facts.last * step

    def refused(self) -> Iterator[pl.DataFrame]:
        """Rows without a time in a log that has times."""
        if not self.by_order:
            yield from self._untimed.parts()

    def groups(self) -> int:
        """Into how many groups of owners the log is parted, some of them worked on together."""
        rows = self.facts.rows
        in_memory = -(-rows * WORKERS // self._options.memory.rows_together)
        return max(in_memory, WORKERS if rows >= _WORTH_PARTING else 1)

    @property
    def on_disk(self) -> bool:
        """Whether the log is too long to be held."""
        return self._kept.on_disk


class _Held:
    """Rows in memory, or on disk once they are too many."""

    def __init__(self, path: Path, most: int) -> None:
        self.facts = LogFacts()
        self._path = path
        self._most = most
        self._parts: list[pl.DataFrame] = []
        self._rows = 0
        self._written: list[Path] = []

    @property
    def on_disk(self) -> bool:
        return bool(self._written)

    def take(self, rows: pl.DataFrame) -> None:
        self.facts.add(rows)
        self._parts.append(rows)
        self._rows += rows.height
        if self._rows <= self._most:
            return
        self._path.mkdir(exist_ok=True)
        for part in self._parts:
            path = self._path / f"{len(self._written):05}.arrow"
            part.write_ipc(path, compression="lz4")
            self._written.append(path)
        self._parts, self._rows = [], 0

    def parts(self) -> Iterator[pl.DataFrame]:
        for path in self._written:
            yield _read(path)
            path.unlink()
        while self._parts:
            yield self._parts.pop(0)


def _read(path: Path) -> pl.DataFrame:
    with path.open("rb") as file:  # by name, Polars would take brackets in it for a pattern
        return pl.read_ipc(file)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a row's words are called from here on."""

    owners: Owners
    items: pl.DataFrame  # item_id; row i is item i
    queries: pl.DataFrame  # text; row i is query i

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with numbers for owner, item and query in place of their words."""
        return rows.drop("item_id", "query", "user", "visitor").with_columns(
            self.owners.numbers(rows),
            _numbers_of(rows["item_id"], self.items["item_id"]).alias("item"),
            _numbers_of(rows["query"], self.queries["text"]).alias("query"),
        )


def _numbers_of(words: pl.Series, known: pl.Series) -> pl.Series:
    """Place of each word among the known ones; null for null."""
    places = pl.DataFrame({"word": known}).with_row_index("place")
    found = (
        words.alias("word").to_frame().join(places, on="word", how="left", maintain_order="left")
    )
    return found["place"].cast(pl.Int64)


def by_owner(stage: EventStage, numbers: Numbers, scratch: Path) -> Iterator[pl.DataFrame]:
    """Numbered rows, all rows of an owner in one group, groups in the order of their owners."""
    if stage.on_disk:
        yield from _out_of_files(stage, numbers, scratch)
        return
    rows = pl.concat(list(each(numbers.of, stage.parts())))
    groups = _groups(rows, stage.groups(), len(numbers.owners))
    del rows
    while groups:
        yield groups.pop(0)[1]


def _groups(rows: pl.DataFrame, count: int, owners: int) -> list[tuple[int, pl.DataFrame]]:
    """Owners in ``count`` stretches of like length, each with its rows; none is empty."""
    if count == 1:
        return [(0, rows)]
    group = (rows["owner"] * count // max(owners, 1)).cast(pl.UInt32)
    place = group.arg_sort()
    sizes = group.value_counts().sort("owner")
    found, start = [], 0
    rows = rows[place]
    for number, size in sizes.iter_rows():
        found.append((int(number), rows.slice(start, size)))
        start += size
    return found


def _out_of_files(stage: EventStage, numbers: Numbers, scratch: Path) -> Iterator[pl.DataFrame]:
    count = stage.groups()
    pieces: list[list[Path]] = [[] for _ in range(count)]
    for turn, part in enumerate(ahead(map(numbers.of, stage.parts()))):
        for place, piece in _groups(part, count, len(numbers.owners)):
            path = scratch / f"group-{place:05}-{turn:05}.arrow"
            piece.write_ipc(path, compression="lz4")
            pieces[place].append(path)
    for paths in pieces:
        if paths:
            yield pl.concat([_read(path) for path in paths])
        for path in paths:
            path.unlink()
