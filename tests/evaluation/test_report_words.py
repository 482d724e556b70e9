"""Decimals follow from the interval, and no sentence says more than its interval does."""

from __future__ import annotations

from math import inf, nan

import pytest

from shelfwise.evaluation.report import Difference, Row
from shelfwise.evaluation.report_words import (
    amount,
    decimals,
    duration,
    figure,
    interval,
    outcome,
    sentence,
    support_words,
)


def difference(value: float, low: float, high: float, view: str = "main") -> Difference:
    return Difference("shelfwise", "popularity", view, "ndcg@10", value, low, high)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            difference(0.0312, 0.0241, 0.0379),
            "shelfwise is better than popularity at ndcg@10: +0.031 [0.024, 0.038], 1,449 users",
        ),
        (
            difference(-0.0312, -0.0379, -0.0241, view="new"),
            "shelfwise is worse than popularity at ndcg@10 (new): -0.031 [-0.038, -0.024], "
            "1,449 users",
        ),
        (
            difference(0.001, -0.02, 0.022),
            "No difference can be told between shelfwise and popularity at ndcg@10: "
            "+0.001 [-0.020, 0.022], 1,449 users",
        ),
        (
            difference(nan, nan, nan),
            "Whether shelfwise is better than popularity at ndcg@10 cannot be told.",
        ),
        # Two digits of the width, 0.00027, take five decimals: the end is not shown as 0.000.
        (
            difference(0.00016, 0.00003, 0.0003),
            "shelfwise is better than popularity at ndcg@10: +0.00016 [0.00003, 0.00030], "
            "1,449 users",
        ),
    ],
)
def test_sentences(found: Difference, said: str) -> None:
    assert sentence(found, "1,449 users") == said


@pytest.mark.parametrize(
    ("low", "high"), [(0.1, 0.2), (-0.2, -0.1), (-0.1, 0.1), (0.0, 0.1), (-0.1, 0.0), (nan, nan)]
)
def test_outcome_agrees_with_the_verdict_of_the_report(low: float, high: float) -> None:
    words = {
        "shelfwise is better": "better",
        "popularity is better": "worse",
        "no difference can be told": "open",
        "cannot be told": "unknown",
    }
    found = difference(0.0, low, high)
    assert outcome(found) == words[found.verdict]


@pytest.mark.parametrize(
    ("ends", "places"),
    [
        ([(0.024, 0.038)], 3),  # width 0.014: two digits end at the third decimal
        ([(0.1, 0.9)], 3),  # never fewer
        ([(0.7412, 0.7468)], 4),  # width 0.0056
        ([(0.00010, 0.00012)], 4),  # never more
        ([(0.1, 0.9), (0.0081, 0.0112)], 4),  # the narrowest decides
        ([(nan, nan), (0.5, 0.5), (-inf, inf)], 3),  # say nothing
        ([], 3),
    ],
)
def test_decimals(ends: list[tuple[float, float]], places: int) -> None:
    assert decimals(ends) == places


def test_what_cannot_be_computed_is_a_dash_without_an_interval() -> None:
    assert figure(nan) == "-"
    assert interval(nan, nan) == ""
    assert amount(nan) == "-"


def test_zero_has_no_sign_of_its_own() -> None:
    assert figure(-0.0) == "0.000"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Row("s", "main", "match", "mrr", 0.1, 0.1, 0.1, 1_449), "1,449 users"),
        (Row("s", "main", "match", "mrr", 0.1, 0.1, 0.1, 1), "1 user"),
        (Row("s", "cold", "match", "recall@100", 0.1, 0.1, 0.1, 52), "52 items"),
        (Row("s", "main", "click", "gauc", 0.1, 0.1, 0.1, 90), "90 users"),
        (Row("s", "main", "classification", "auc", nan, nan, nan, 0), "0 rows"),
    ],
)
def test_support_is_counted_in_what_the_bootstrap_draws(row: Row, words: str) -> None:
    assert support_words(row) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(4000, "4,000"), (31.0, "31"), (12.41, "12.41"), (0.000123456, "0.0001235"), (inf, "inf")],
)
def test_amounts(value: float, words: str) -> None:
    assert amount(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.84, "0.8 s"),
        (42.4, "42 s"),
        (59.7, "1 min 0 s"),
        (151.0, "2 min 31 s"),
        (3_900.0, "1 h 5 min"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
