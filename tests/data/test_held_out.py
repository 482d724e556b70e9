from __future__ import annotations

import hashlib

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.data.held_out import held_out_parts, judgement_parts

# The first bytes of sha256, as a share of their range: foo 2c26.. .172, foobar c3ab.. .764,
# bar fcde.. .988, abc ba78.. .728, hello 2cf2.. .176, test 9f86.. .623.
KNOWN = {
    "foo": "train",
    "foobar": "validation",
    "bar": "test",
    "abc": "validation",
    "hello": "train",
    "test": "train",
}


def test_parts_of_well_known_digests() -> None:
    assert held_out_parts(pl.Series("id", list(KNOWN))).to_list() == list(KNOWN.values())


def test_about_the_stated_shares() -> None:
    parts = held_out_parts(pl.Series([str(number) for number in range(20_000)]))

    # One standard deviation is at most sqrt(.25 / 20,000) = .0035.
    shares = {part: len(parts.filter(parts == part)) / 20_000 for part in set(parts)}
    assert abs(shares["train"] - 0.7) < 0.014
    assert abs(shares["validation"] - 0.1) < 0.014
    assert abs(shares["test"] - 0.2) < 0.014


@settings(deadline=None)
@given(st.lists(st.text(), unique=True, max_size=20))
def test_a_texts_part_does_not_depend_on_the_others(texts: list[str]) -> None:
    together = held_out_parts(pl.Series(texts, dtype=pl.String)).to_list()

    assert together == [held_out_parts(pl.Series([text])).item() for text in texts]


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=40))
def test_judged_queries_in_order_of_their_digests(queries: list[str]) -> None:
    parts = judgement_parts(pl.Series("query", queries, dtype=pl.String)).to_list()

    order = sorted(set(queries), key=lambda text: hashlib.sha256(text.encode()).hexdigest())
    n = len(order)
    expected = (
        dict.fromkeys(order[: n * 7 // 10], "train")
        | dict.fromkeys(order[n * 7 // 10 : n * 8 // 10], "validation")
        | dict.fromkeys(order[n * 8 // 10 :], "test")
    )
    assert parts == [expected[query] for query in queries]


def test_no_judgement_has_no_part() -> None:
    assert judgement_parts(pl.Series("query", [], dtype=pl.String)).is_empty()
    assert held_out_parts(pl.Series("id", [], dtype=pl.String)).is_empty()
