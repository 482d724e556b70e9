from __future__ import annotations

import numpy as np
import pytest

from shelfwise.metrics.predicted_over_observed import predicted_over_observed


def test_ratio_by_hand() -> None:
    # (.5 + .25 + .75) / 2 clicks = .75
    p, label = np.array([0.5, 0.25, 0.75]), np.array([True, False, True])

    assert predicted_over_observed(p, label) == (pytest.approx(0.75), 3)
    # weights 2, 4, 0: (1 + 1) / 2 = 1
    weighted = predicted_over_observed(p, label, np.array([2.0, 4.0, 0.0]))
    assert weighted == (pytest.approx(1.0), 2)


@pytest.mark.parametrize("rows", [0, 2])
def test_without_a_click_there_is_no_ratio(rows: int) -> None:
    found = predicted_over_observed(np.full(rows, 0.5), np.zeros(rows, dtype=bool))

    assert np.isnan(found.value)
    assert found.support == 0
