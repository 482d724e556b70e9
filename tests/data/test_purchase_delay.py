"""The delay of purchases from a log cut short, against what it would have been uncut."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from shelfwise.data.purchase_delay import LEAST_PURCHASES, arrived_by, purchase_delay


def ints(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def test_by_hand() -> None:
    # 20 rows old enough for everything: ten bought at once (delay 1), ten after 5. 20 more rows of
    # age 3, which show 20 quick purchases and can show no slow ones.
    #   t = 5: d = 10, n = 20 (delay <= 5 <= age)  F(5-) = 1 - 10/20 = 1/2
    # The plain distribution would call 30 of 40 quick.
    delay = np.repeat(ints(1, 5, 1), [10, 10, 20])
    age = np.repeat(ints(9, 9, 3), [10, 10, 20])

    found = purchase_delay(delay, age)

    assert found.share(ints(0, 1, 4, 5, 99)).tolist() == pytest.approx([0, 0.5, 0.5, 1, 1])
    assert found.support == 40


def test_an_uncut_log_gives_the_plain_distribution() -> None:
    delay = np.random.default_rng(0).integers(1, 50, 300)

    found = purchase_delay(delay, np.full(300, 1000))

    ages = np.arange(60)
    plain = [(delay <= age).mean() for age in ages]
    # With n(t) = number of delays <= t, the product telescopes to the empirical distribution; below
    # it, where nothing came before, all of it came at the first delay.
    assert found.share(ages) == pytest.approx(plain)


def test_a_log_cut_short_tells_the_same_delays() -> None:
    # Rows shown evenly over 100 h before the cut, delays uniform over 24 h, seen if they fit.
    rng = np.random.default_rng(1)
    age, delay = rng.integers(1, 100, 60_000), rng.integers(1, 25, 60_000)
    seen = delay <= age

    found = purchase_delay(delay[seen], age[seen])

    ages = np.arange(1, 25)
    assert found.share(ages) == pytest.approx(ages / 24, abs=0.01)
    young = age < 12
    assert (delay[seen & young] <= 6).mean() > 0.5  # 6/24 of all: what is seen alone is too quick


def test_too_few_purchases_tell_nothing() -> None:
    few = LEAST_PURCHASES - 1

    found = purchase_delay(np.ones(few, np.int64), np.full(few, 9))

    assert found.support == 0
    assert found.share(ints(0, 5)).tolist() == [0, 0]


def test_beyond_what_enough_rows_are_old_enough_for_the_share_is_one() -> None:
    # One row alone is old enough for a delay of 50: its purchase must not decide what all others'
    # shares are multiplied with.
    delay, age = np.append(np.arange(1, 31), 50), np.append(np.full(30, 40), 60)

    found = purchase_delay(delay, age)

    assert found.share(ints(15, 30, 50)).tolist() == pytest.approx([15 / 30, 1, 1])


def shown(rows: list[tuple[int, int | None, bool]]) -> pl.DataFrame:
    """(at, purchased at, known) of impressions, as labelled at 100."""
    at, bought, known = zip(*rows, strict=True)
    columns: dict[str, Any] = {"at": at, "purchased_at": bought, "known": known}
    return pl.DataFrame(columns, schema_overrides={"purchased_at": pl.Int64}).with_columns(
        (pl.col("purchased_at") < 100).fill_null(False).alias("purchased")
    )


def test_rows_of_a_log_as_of_a_moment() -> None:
    # Settled rows: 10 bought 1 after they were shown, 10 after 20; then rows nobody has bought.
    settled = [(10, 11, True)] * 10 + [(10, 30, True)] * 10
    open_rows = [(95, None, False), (79, None, False), (99, 120, False)]

    found = arrived_by(shown(settled + open_rows), 100)

    # Ages 5, 21 and 1: half of the purchases come at once, all by 20. One to come tells nothing.
    assert found.tolist() == pytest.approx([1] * 20 + [0.5, 1, 0.5])


def test_without_purchases_open_rows_say_nothing() -> None:
    assert arrived_by(shown([(10, None, True), (95, None, False)]), 100).tolist() == [1, 0]
