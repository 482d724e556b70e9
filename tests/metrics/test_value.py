from __future__ import annotations

import numpy as np
import pytest

from shelfwise.metrics.value import mean_value, ratio


def test_mean_by_hand() -> None:
    # nan is no group: (1 * .2 + 3 * .6) / 4 = .5
    value = np.array([0.2, np.nan, 0.6])

    assert mean_value(value, np.array([1.0, 5.0, 3.0])) == (pytest.approx(0.5), 2)
    assert mean_value(value) == (pytest.approx(0.4), 2)


@pytest.mark.parametrize("weight", [None, np.array([0.0, 1.0])])
def test_nothing_to_measure_is_nan_with_support_0(weight: np.ndarray | None) -> None:
    value = np.array([np.nan, np.nan]) if weight is None else np.array([0.3, np.nan])
    mean = mean_value(value, weight)

    assert np.isnan(mean.value)
    assert mean.support == 0


def test_a_ratio_over_nothing_is_unknown() -> None:
    found = ratio(np.array([3, 0, 2]), np.array([2, 0, 4]))

    assert found == pytest.approx([1.5, np.nan, 0.5], nan_ok=True)
