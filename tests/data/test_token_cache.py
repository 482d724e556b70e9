"""A token cache saves work and changes nothing: not when damaged, not with two processes."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from shelfwise.data import tokens as tokens_file
from shelfwise.data.token_cache import TokenCache
from shelfwise.data.tokens import TokenTable, tokenise

from .test_tokens import rows, tokenizer_file

TEXTS = ["a b", "", "c", "a b", "d e f a"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tokenizer_file(tmp_path, "[PAD]")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is really tokenised, in order."""
    seen: list[str] = []
    open_tokenizer = tokens_file.open_tokenizer

    class Counting:
        def __init__(self, inner: Tokenizer) -> None:
            self.inner = inner

        def encode_batch_fast(self, texts: list[str]) -> object:
            seen.extend(texts)
            return self.inner.encode_batch_fast(texts)

        def token_to_id(self, name: str) -> int | None:
            return self.inner.token_to_id(name)

    monkeypatch.setattr(
        tokens_file, "open_tokenizer", lambda *args: Counting(open_tokenizer(*args))
    )
    return seen


def segments(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.parquet"))


def equal(one: TokenTable, other: TokenTable) -> bool:
    return rows(one) == rows(other) and one.offset_T1.tolist() == other.offset_T1.tolist()


def test_each_distinct_text_once_and_then_never_again(
    file: Path, tmp_path: Path, asked: list[str]
) -> None:
    cache = tmp_path / "cache"

    first = tokenise(TEXTS, file, 8, cache)
    assert asked == ["a b", "", "c", "d e f a"]
    again = tokenise([*TEXTS, "b b"], file, 8, cache)

    assert asked == ["a b", "", "c", "d e f a", "b b"]
    assert equal(first, tokenise(TEXTS, file, 8))
    assert equal(again, tokenise([*TEXTS, "b b"], file, 8))


def test_another_length_or_tokenizer_is_another_cache(
    file: Path, tmp_path: Path, asked: list[str]
) -> None:
    cache, other = tmp_path / "cache", tmp_path / "other"
    other.mkdir()
    tokenise(TEXTS, file, 8, cache)
    asked.clear()

    shorter = tokenise(TEXTS, file, 4, cache)
    assert len(asked) == 4
    tokenise(TEXTS, tokenizer_file(other, "<pad>"), 8, cache)
    assert len(asked) == 8
    assert equal(shorter, tokenise(TEXTS, file, 4))


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "not parquet", "another's name"])
def test_a_damaged_segment_is_made_again(
    file: Path, tmp_path: Path, asked: list[str], damage: str
) -> None:
    cache = tmp_path / "cache"
    tokenise(TEXTS, file, 8, cache)
    (segment,) = segments(cache)
    whole = segment.read_bytes()
    middle = len(whole) // 2
    wrong = {
        "cut": whole[:middle],
        "flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "empty": b"",
        "not parquet": b"no table at all",
        "another's name": whole,
    }[damage]
    if damage == "another's name":
        segment = segment.rename(segment.with_name("0" * 64 + ".parquet"))
    segment.write_bytes(wrong)
    asked.clear()

    found = tokenise(TEXTS, file, 8, cache)

    assert len(asked) == 4
    assert equal(found, tokenise(TEXTS, file, 8))
    # What was damaged is gone, and what was made again is kept.
    assert [file.read_bytes() for file in segments(cache)] == [whole]


def test_half_written_files_are_not_read(file: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    tokenise(TEXTS, file, 8, cache)
    (segment,) = segments(cache)
    (segment.parent / ".abc.partial").write_bytes(b"half")

    assert equal(tokenise(TEXTS, file, 8, cache), tokenise(TEXTS, file, 8))
    assert len(list(segment.parent.iterdir())) == 2


def test_where_nothing_can_be_written_tokens_are_the_same(file: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file stands where the cache would be")

    assert equal(tokenise(TEXTS, file, 8, blocked / "cache"), tokenise(TEXTS, file, 8))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(st.sampled_from(["a", "b", "c", "a b", "", "x"]), max_size=6), max_size=5))
def test_any_calls_in_any_order_give_what_no_cache_gives(
    tmp_path_factory: pytest.TempPathFactory, calls: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("calls")
    file = tokenizer_file(folder, "[PAD]")
    for texts in calls:
        assert equal(tokenise(texts, file, 5, folder / "cache"), tokenise(texts, file, 5))
    shutil.rmtree(folder)


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    cache = TokenCache(tmp_path / "cache")
    parts = [
        pl.DataFrame({"text": [f"t{n}", f"t{n + 1}"], "ids": [[n], [n + 1]]}) for n in range(20)
    ]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(cache.add, parts))
        list(pool.map(cache.add, parts))  # the same again: the same files

    known = cache.known().sort(pl.col("text").str.slice(1).cast(pl.Int64))
    assert known["text"].to_list() == [f"t{n}" for n in range(21)]
    assert known["ids"].to_list() == [[n] for n in range(21)]
    assert len(segments(cache.folder)) == 20
