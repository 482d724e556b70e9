from __future__ import annotations

from math import erf, exp, log, sqrt

import numpy as np
import pytest

from shelfwise.data.sample_shop.purchase_delay import draw_delays, share_within

DAY_MS = 86_400_000


def _cdf(days: float) -> tuple[float, float]:
    """Uncut lognormal and exponential, by their formulas."""
    fast = 0.5 * (1 + erf(log(days * 24 * 60 / 45) / 2.4 / sqrt(2)))
    return fast, 1 - exp(-days / 4)


@pytest.mark.parametrize("days", [0.01, 1, 3, 7, 13.9])
def test_the_share_within_a_window_by_its_formula(days: float) -> None:
    low, at, high = _cdf(1.5 / 60 / 24), _cdf(days), _cdf(14)
    fast = (at[0] - low[0]) / (high[0] - low[0])
    slow = (at[1] - low[1]) / (high[1] - low[1])

    assert share_within(days) == pytest.approx(0.8 * fast + 0.2 * slow)


def test_all_purchases_come_between_a_minute_and_a_half_and_fourteen_days() -> None:
    assert share_within(0) == 0
    assert share_within(14) == pytest.approx(1)
    assert share_within(1_000) == pytest.approx(1)

    delays = draw_delays(100_000, np.random.default_rng(0))

    assert delays.min() >= 89_999
    assert delays.max() <= 14 * DAY_MS
    # Four standard deviations of a share are at most 4 * sqrt(.25 / 100000) = .0063.
    for days in (0.1, 1, 5, 10):
        assert (delays < days * DAY_MS).mean() == pytest.approx(share_within(days), abs=0.0064)
