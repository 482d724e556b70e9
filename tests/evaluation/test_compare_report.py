from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest

from shelfwise.evaluation.compare_report import Comparison, PairSummary, p_words, seeds_words

ONE = Comparison(
    a="large",
    b="small",
    task="match",
    view="new",
    metric="ndcg@10",
    unit="users",
    by_distance=False,
    value=0.012,
    low=0.004,
    high=0.020,
    p=0.0004,
    p_holm=0.002,
    draws=10_000,
    exact=False,
    support=1_449,
    seeds=(3, 3),
)


def test_a_difference_in_words() -> None:
    assert ONE.outcome == "better"
    assert ONE.sentence == (
        "large is better than small at ndcg@10 (view new): +0.012 [0.004, 0.020], "
        "p = .002 after Holm; 1,449 users, 3 seeds each."
    )


def test_where_lower_is_better_a_negative_difference_speaks_for_the_first() -> None:
    loss = replace(
        ONE, task="click", view="main", metric="log_loss", value=-0.012, low=-0.02, high=-0.004
    )

    assert loss.outcome == "better"
    assert loss.for_a == (0.012, 0.004, 0.02)
    assert loss.sentence.startswith(
        "large is better than small at log_loss (click, lower is better): -0.012 [-0.020, -0.004]"
    )
    assert replace(loss, value=0.012, low=0.004, high=0.02).outcome == "worse"


def test_pcoc_is_spoken_of_as_a_distance() -> None:
    told = replace(ONE, task="click", view="main", metric="pcoc", by_distance=True)

    assert told.outcome == "worse"
    assert "distance of pcoc from 1 (click, lower is better)" in told.sentence


def test_no_difference_says_how_large_a_one_could_have_been_told() -> None:
    # (.021 + .009) / 2 = .015
    told = replace(ONE, value=0.006, low=-0.009, high=0.021, p=0.4, p_holm=1.0, seeds=(1, 1))

    assert told.outcome == "open"
    assert told.sentence == (
        "No difference can be told between large and small at ndcg@10 (view new): "
        "+0.006 [-0.009, 0.021], p = 1 after Holm; 1,449 users, 1 seed; "
        "a difference of about 0.015 could have been told."
    )


def test_what_holm_takes_back_is_said() -> None:
    told = replace(ONE, p=0.03, p_holm=0.31)

    assert told.outcome == "open"
    assert "p = .030 alone but p = .31 after Holm; 1,449 users, 3 seeds each." in told.sentence
    assert "could have been told" not in told.sentence


def test_a_small_p_beside_an_interval_that_holds_0_is_no_difference() -> None:
    told = replace(ONE, low=-0.001)

    assert told.outcome == "open"
    assert "p = .002 after Holm but the interval holds 0" in told.sentence


def test_what_cannot_be_compared() -> None:
    told = replace(ONE, value=nan, low=nan, high=nan, p=nan, p_holm=nan, support=1)

    assert told.outcome == "unknown"
    assert told.sentence == (
        "Whether large is better than small at ndcg@10 (view new) cannot be told from 1 user."
    )


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ((3, 0, 4, 0), "a is better than b at 3 of 7 figures; "),
        ((1, 0, 1, 0), "a is better than b at 1 of 2 figures; no difference can be told at the o"),
        ((0, 2, 0, 1), "b is better than a at 2 of 2 figures."),
        ((2, 1, 4, 0), "a is better than b at 2 of 7 figures and worse at 1; no difference can"),
        ((0, 0, 5, 0), "No difference between a and b can be told at any of 5 figures."),
        ((0, 0, 0, 2), "Nothing can be told between a and b."),
    ],
)
def test_a_pair_in_one_sentence(counts: tuple[int, int, int, int], sentence: str) -> None:
    assert PairSummary("a", "b", *counts).sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("p", "words"),
    [(0.0004, "< .001"), (0.001, "= .001"), (0.0324, "= .032"), (0.31, "= .31"), (0.9996, "= 1")],
)
def test_p_as_it_is_written(p: float, words: str) -> None:
    assert p_words(p) == words


def test_seeds_in_words() -> None:
    assert [seeds_words(s) for s in ((1, 1), (3, 3), (3, 2))] == [
        "1 seed",
        "3 seeds each",
        "3 and 2 seeds",
    ]
