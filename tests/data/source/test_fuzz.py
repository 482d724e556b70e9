"""Whatever bytes a file holds, reading ends in tables and faults that add up."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .shop_folder import CATALOGUE, EVENTS, read, write_shop

SOUND = EVENTS.encode() * 3 + b'view,u1,,"i1",2026-01-01 10:00:00+01:00,"1"\n'
JSON_LINES = b'{"event": "view", "user_id": 1, "item_id": "i1", "timestamp": 1767261600}\n' * 3
TROUBLE = [b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"\xc3", b"-", b"{", b"}", b"9" * 40, b"\\"]

Edit = tuple[float, int, bytes]
EDITS = st.lists(
    st.tuples(
        st.floats(0, 1), st.integers(0, 30), st.sampled_from(TROUBLE) | st.binary(max_size=8)
    ),
    min_size=1,
    max_size=6,
)


def damaged(sound: bytes, edits: list[Edit]) -> bytes:
    """Each edit puts new bytes in place of a few, somewhere."""
    for place, cut, put in edits:
        at = int(place * len(sound))
        sound = sound[:at] + put + sound[at + cut :]
    return sound


def read_as(name: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (write_shop(Path(folder)) / "events.csv").unlink()
        (Path(folder) / name).write_bytes(data)
        tables = read(Path(folder), catalogue={"max_title_length": 100})
        assert tables.events is not None or any(group.fatal for group in tables.faults)


def read_catalogue(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        read(write_shop(Path(folder), catalogue=data))


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


CASES: dict[str, Callable[[list[Edit]], None]] = {
    "csv": lambda edits: read_as("events.csv", damaged(SOUND, edits)),
    "tsv": lambda edits: read_as("events.tsv", damaged(SOUND.replace(b",", b"\t"), edits)),
    "catalogue": lambda edits: read_catalogue(damaged(CATALOGUE.encode() * 5, edits)),
    "jsonl": lambda edits: read_as("events.jsonl", damaged(JSON_LINES, edits)),
    "gz": lambda edits: read_as("events.csv.gz", damaged(gz(SOUND * 9), edits)),
}


@pytest.mark.parametrize("case", CASES)
def test_edits_of_a_sound_file(case: str) -> None:
    run = given(EDITS)(CASES[case])
    settings(max_examples=40, deadline=None)(run)()


@pytest.mark.long
@pytest.mark.parametrize("case", CASES)
def test_many_edits_of_a_sound_file(case: str) -> None:
    run = given(EDITS)(CASES[case])
    settings(max_examples=3_000, deadline=None)(run)()


@given(
    st.binary(max_size=300),
    st.sampled_from(["csv", "tsv", "jsonl", "parquet", "csv.gz", "csv.zst"]),
)
@settings(max_examples=80, deadline=None)
def test_random_bytes(data: bytes, ending: str) -> None:
    read_as(f"events.{ending}", data)
