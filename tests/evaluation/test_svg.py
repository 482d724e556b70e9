"""A scale is a straight line, ticks are round and cover, and nothing escapes the markup."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.evaluation.svg import Scale, element, rounded, tick_labels, ticks


def test_scale_by_hand() -> None:
    # 0.25 lies a quarter of the way from 0 to 1: 50 + 0.25 * (250 - 50) = 100.
    assert Scale(0, 1, 50, 250)(0.25) == 100
    # Turned over, as the y axis of a picture is: 250 + 0.25 * (50 - 250) = 200.
    assert Scale(0, 1, 250, 50)(0.25) == 200


@pytest.mark.parametrize(
    ("low", "high", "marks", "labels"),
    [
        # A step of at least 1 / 4, rounded up to 1, 2 or 5 times a power of ten: 0.5.
        (0.0, 1.0, [0.0, 0.5, 1.0], ["0.0", "0.5", "1.0"]),
        # 0.08 / 4 = 0.02 is round already; the ends lie on marks.
        (0.02, 0.1, [0.02, 0.04, 0.06, 0.08, 0.1], ["0.02", "0.04", "0.06", "0.08", "0.10"]),
        (-30.0, 1_500.0, [-500, 0, 500, 1_000, 1_500], ["-500", "0", "500", "1,000", "1,500"]),
    ],
)
def test_ticks_by_hand(low: float, high: float, marks: list[float], labels: list[str]) -> None:
    assert ticks(low, high) == marks
    assert tick_labels(marks) == labels


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_cover_the_range_with_few_marks(low: float, width: float) -> None:
    marks = ticks(low, low + width)
    slack = 1e-6 * (marks[1] - marks[0])
    assert marks[0] <= low + slack
    assert marks[-1] >= low + width - slack
    assert 2 <= len(marks) <= 7
    assert all(a < b for a, b in pairwise(marks))


@pytest.mark.parametrize(("low", "high"), [(math.nan, 1.0), (0.0, math.inf), (2.0, 1.0)])
def test_ticks_refuse_what_is_no_range(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="two finite numbers"):
        ticks(low, high)


def test_element_escapes_text_and_attributes_but_not_markup() -> None:
    inner = element("title", "a < b")
    assert element("text", inner, class_='"x"', text_anchor="end", x=1.0) == (
        '<text class="&#34;x&#34;" text-anchor="end" x="1"><title>a &lt; b</title></text>'
    )


@pytest.mark.parametrize(
    ("value", "words"), [(12.0, "12"), (0.5, "0.5"), (3.14159, "3.14"), (100.0, "100")]
)
def test_rounded(value: float, words: str) -> None:
    assert rounded(value) == words
