from __future__ import annotations

from math import isnan, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.data.report.rate import rate

Z2 = 1.959963984540054**2


def test_the_interval_by_hand() -> None:
    # Wilson: (p + z2/2n +- z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n), p = 1/2 and n = 4.
    found = rate(2, 4)

    half = sqrt(Z2) * sqrt(1 / 16 + Z2 / 64) / (1 + Z2 / 4)
    assert found.value == 0.5
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half))


def test_nothing_of_four_is_not_surely_nothing() -> None:
    # At p = 0 the interval ends at z2 / (n + z2).
    found = rate(0, 4)

    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(Z2 / (4 + Z2))
    assert rate(4, 4).high == 1
    assert rate(4, 4).low == pytest.approx(1 - Z2 / (4 + Z2))


def test_of_nothing_there_is_no_share() -> None:
    found = rate(0, 0)

    assert (found.hits, found.of) == (0, 0)
    assert all(map(isnan, (found.value, found.low, found.high)))


@pytest.mark.parametrize(("hits", "of"), [(2, 1), (-1, 1)])
def test_more_hits_than_rows_are_a_mistake(hits: int, of: int) -> None:
    with pytest.raises(ValueError, match=f"got {hits} of {of}"):
        rate(hits, of)


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_the_interval_holds_the_share(of: int, share: float) -> None:
    found = rate(int(share * of), of)

    assert 0 <= found.low <= found.value <= found.high <= 1
