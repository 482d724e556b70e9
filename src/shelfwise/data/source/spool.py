"""What was pulled from a stream: whole JSON Lines files that never change once they are there.

A file is written under another name, brought to the disk and only then renamed to
``FIRST_LAST_DIGEST.jsonl``: ids of its first and last entry, and what its content hashes to.
So a file is whole or not there, and the same entries written twice are one file. Entries that
came twice in different files are read once, told by their id.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple

import polars as pl

from shelfwise.data.connections import RedisStream
from shelfwise.data.source.fault import Reason
from shelfwise.data.source.jsonl import JsonLines
from shelfwise.data.source.raw import NOT_UTF8, RawTable, Refusal, no_rows, number_rows

ENTRY_ID = "stream_entry_id"
DAMAGED = "stream_damaged"  # in place of the columns: an entry that is no event, as it came
_SEGMENT = re.compile(r"^(\d+)-(\d+)_(\d+)-(\d+)_[0-9a-f]{16}\.jsonl$")
_ID = {"ms": pl.UInt64, "n": pl.UInt64}

_NOT_PULLED = Reason(
    "nothing-pulled",
    "the events of a stream are pulled before they are read",
    "run: shelfwise pull with this shop folder",
)
_NO_EVENT = Reason(
    "no-event",
    "an entry of the stream holds one event, as `layout` under [events.stream] says",
    "correct layout and json_field, or what writes to the stream",
)


class EntryId(NamedTuple):
    """Redis's id of an entry: a millisecond, and a number within it."""

    ms: int
    n: int

    @classmethod
    def of(cls, text: str) -> EntryId:
        ms, _, n = text.partition("-")
        return cls(int(ms), int(n))

    def __str__(self) -> str:
        return f"{self.ms}-{self.n}"


class Entry(NamedTuple):
    """One entry of a stream, its fields as they came."""

    id: EntryId
    fields: dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class _Segment:
    path: Path
    first: EntryId
    last: EntryId


def append(spool: Path, entries: Sequence[Entry], stream: RedisStream) -> Path:
    """Put entries into the spool as one file; when this returns, a power cut cannot take them."""
    ordered = sorted(entries)
    data = "".join(f"{_line(entry, stream)}\n" for entry in ordered).encode()
    digest = hashlib.sha256(data).hexdigest()[:16]
    path = spool / f"{ordered[0].id}_{ordered[-1].id}_{digest}.jsonl"
    partial = spool / f".{path.name}.partial-{token_hex(4)}"
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _sync_folder(spool)
    return path


def make_spool(spool: Path) -> None:
    """The folder, and nothing in it that a killed pull left half-written."""
    spool.mkdir(parents=True, exist_ok=True)
    for partial in spool.glob(".*.jsonl.partial-*"):
        partial.unlink(missing_ok=True)
    _sync_folder(spool.parent)


@dataclass(frozen=True, slots=True)
class SpooledStream:
    """The source of a table that a stream brings: what was pulled of it."""

    stream: RedisStream
    section: str  # of shop.toml
    folder: Path  # the shop's

    @property
    def name(self) -> str:
        return f"stream:{self.section}"

    @property
    def fixed_columns(self) -> bool:
        return False

    def read(self) -> Iterator[RawTable]:
        """Every entry that was pulled, once, file by file in the order of their first ids.

        Row numbers count through all files. Only ids that a later file may repeat are remembered.
        """
        segments = _segments(self.folder / self.stream.spool)
        if not segments:
            found = f"the spool {self.stream.spool} holds nothing"
            yield no_rows(self.name, _NOT_PULLED.at_file(self.name, found, fatal=True))
        count = 0
        seen = pl.DataFrame(schema=_ID)
        for segment in segments:
            table, _ = JsonLines(self.name).read(segment.path.read_bytes(), final=True)
            if table is None:
                continue
            ids = _ids(table.frame)
            fresh = ids.join(seen, on=list(_ID), how="anti", maintain_order="left")
            seen = _from(segment.first, pl.concat([seen, fresh.select(*_ID)]))
            part = _numbered(table, fresh["place"], count)
            if part.rows_in:
                yield part
                count += part.rows_in


def _segments(spool: Path) -> list[_Segment]:
    found = []
    for path in spool.glob("*.jsonl") if spool.is_dir() else ():
        if name := _SEGMENT.match(path.name):
            a, b, c, d = map(int, name.groups())
            found.append(_Segment(path, EntryId(a, b), EntryId(c, d)))
    return sorted(found, key=lambda segment: (segment.first, segment.last, segment.path.name))


def _ids(frame: pl.DataFrame) -> pl.DataFrame:
    """Each row's entry id in numbers, and its place; a row that lost its id is like no other."""
    text = frame[ENTRY_ID] if ENTRY_ID in frame.columns else pl.Series([None] * frame.height)
    parts = text.cast(pl.String).to_frame("id").with_row_index("place")
    return parts.select(
        pl.col("id").str.extract(r"^(\d+)-").cast(pl.UInt64).alias("ms"),
        pl.col("id").str.extract(r"-(\d+)$").cast(pl.UInt64).alias("n"),
        "place",
    )


def _from(first: EntryId, ids: pl.DataFrame) -> pl.DataFrame:
    later = pl.col("ms") > first.ms
    return ids.filter(later | ((pl.col("ms") == first.ms) & (pl.col("n") >= first.n)))


def _numbered(table: RawTable, places: pl.Series, before: int) -> RawTable:
    """The entries at ``places``, numbered in the whole spool; those that are no event refused."""
    frame = table.frame[places.to_list()].drop(ENTRY_ID, strict=False)
    row = number_rows(frame.height, after=before)
    torn = before + frame.height  # lines that the disk damaged come last
    refused = [replace(one, row=torn + i) for i, one in enumerate(table.refused, 1)]
    if DAMAGED in frame.columns:
        damaged = frame[DAMAGED].is_not_null()
        for place, text in zip(row.filter(damaged), frame[DAMAGED].filter(damaged), strict=True):
            reason = NOT_UTF8 if "\ufffd" in text else _NO_EVENT
            refused.append(Refusal(place, reason, text))
        frame, row = frame.filter(~damaged).drop(DAMAGED), row.filter(~damaged)
    return RawTable(table.file, frame, row, tuple(refused))


def _line(entry: Entry, stream: RedisStream) -> str:
    """An entry as one JSON object: its id, then its event's own fields."""
    head = json.dumps({ENTRY_ID: str(entry.id)})
    event = _json_of(entry, stream)
    if event is None:
        fields = {_replaced(key): _replaced(value) for key, value in entry.fields.items()}
        event = json.dumps({DAMAGED: json.dumps(fields, ensure_ascii=False)}, ensure_ascii=False)
    inside = event[1:-1].strip()
    return f"{head[:-1]}, {inside}}}" if inside else head


def _json_of(entry: Entry, stream: RedisStream) -> str | None:
    """The event as JSON text on one line; None where the entry holds none."""
    try:
        if stream.layout == "fields":
            fields = {key.decode(): value.decode() for key, value in entry.fields.items()}
            return None if not fields or _own(fields) else json.dumps(fields, ensure_ascii=False)
        text = entry.fields[stream.json_field.encode()].decode().strip()
        parsed = json.loads(text)
    except (KeyError, ValueError, RecursionError):
        return None
    if not isinstance(parsed, dict) or not parsed or _own(parsed):
        return None
    return re.sub(r"[\r\n\t]", " ", text)  # none of them can stand inside of a JSON string


def _own(names: dict[str, object] | dict[str, str]) -> bool:
    """Whether an event uses one of the two names that the spool needs for itself."""
    return ENTRY_ID in names or DAMAGED in names


def _replaced(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _sync_folder(folder: Path) -> None:
    """Bring a rename to the disk, where folders can be opened for that."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # as on Windows
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
