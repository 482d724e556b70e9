from __future__ import annotations

from math import isnan

import pytest
from scipy import stats

from shelfwise.evaluation.ab.sample_ratio import sample_ratio_p


def test_sample_ratio_by_hand() -> None:
    # 550 and 450 of 1000: (50^2 / 500) * 2 = 10, chi-square with one degree of freedom
    assert sample_ratio_p([550, 450], [1, 1]) == pytest.approx(stats.chi2.sf(10, 1))
    assert sample_ratio_p([300, 700], [3, 7]) == pytest.approx(1)
    assert isnan(sample_ratio_p([5], [1]))
    with pytest.raises(ValueError, match="share"):
        sample_ratio_p([5, 5], [1, 0])
