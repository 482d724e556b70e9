from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.data.normalise import normalise, normalise_text


@pytest.mark.parametrize(
    ("found", "normal"),
    [
        ("plain title", "plain title"),
        ("  two\t spaces\n", "two spaces"),
        ("Fish &amp; chips", "Fish & chips"),
        ("caf&amp;eacute;", "café"),  # escaped twice
        ("cafÃ©", "café"),  # UTF-8 read as Latin-1
        ("\uff46\uff55ll\u3000width", "full width"),  # NFKC
        ("cafe\u0301", "café"),  # a combining accent joins its letter
        ("a\x00b\x07c", "abc"),
        ("zero\u200bwidth", "zerowidth"),
        ("“quoted”", '"quoted"'),
        ("红色 连衣裙", "红色 连衣裙"),
        ("👩\u200d🔬", "👩\u200d🔬"),  # the joiner makes one picture of two
        ("", ""),
        ("\u00a0", ""),
    ],
)
def test_by_hand(found: str, normal: str) -> None:
    assert normalise_text(found) == normal


def test_a_column_keeps_its_order_gaps_and_name() -> None:
    texts = pl.Series("title", ["b &lt; c", None, "plain", " x ", "b &lt; c", ""])

    assert normalise(texts).to_list() == ["b < c", None, "plain", "x", "b < c", ""]
    assert normalise(texts).name == "title"


def test_each_distinct_text_is_repaired_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def note(text: str) -> str:
        seen.append(text)
        return text.strip()

    monkeypatch.setattr("shelfwise.data.normalise.normalise_text", note)

    normalise(pl.Series(["plain", " x", " x", "plain", None] * 1000))

    assert seen == [" x"]


@given(st.lists(st.text() | st.none()))
def test_the_column_agrees_with_the_single_text(texts: list[str | None]) -> None:
    alone = [None if text is None else normalise_text(text) for text in texts]

    assert normalise(pl.Series(texts, dtype=pl.String)).to_list() == alone


@given(st.text())
def test_doing_it_twice_changes_nothing(text: str) -> None:
    once = normalise_text(text)

    assert normalise_text(once) == once
    assert once == once.strip()
