from __future__ import annotations

import numpy as np
import pytest

from shelfwise.metrics.holm import holm_adjusted


def test_by_hand() -> None:
    # Rising: .005 * 4 = .02; .01 * 3 = .03; .03 * 2 = .06; .04 * 1 = .04, lifted to .06.
    found = holm_adjusted(np.array([0.01, 0.04, 0.03, 0.005]))

    assert found.tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_none_comes_out_above_1_and_what_could_not_be_compared_does_not_count() -> None:
    # Two comparisons: .4 * 2 = .8, then .9 * 1; without nan. .6 * 2 = 1.2 would be above 1.
    assert holm_adjusted(np.array([0.9, np.nan, 0.4]))[[0, 2]].tolist() == pytest.approx([0.9, 0.8])
    assert np.isnan(holm_adjusted(np.array([0.9, np.nan, 0.4]))[1])
    assert holm_adjusted(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]
    assert len(holm_adjusted(np.array([]))) == 0


def test_it_is_never_stricter_than_bonferroni_and_keeps_the_order() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        p_M = random.random(random.integers(1, 12)) ** 3
        adjusted_M = holm_adjusted(p_M)

        assert (adjusted_M >= p_M).all()
        assert (adjusted_M <= np.minimum(len(p_M) * p_M, 1) + 1e-12).all()
        assert (np.diff(adjusted_M[np.argsort(p_M)]) >= 0).all()


def test_equal_systems_are_told_apart_in_one_family_of_twenty() -> None:
    # 2,000 families of 10 uniform p-values: Binomial(2000, .05) has standard deviation .5 %;
    # for independent p-values the rate is 1 - (1 - .05 / 10)^10 = 4.9 %.
    random = np.random.default_rng(1)
    wrong = np.mean([holm_adjusted(random.random(10)).min() < 0.05 for _ in range(2_000)])

    assert 0.033 <= wrong <= 0.065


@pytest.mark.parametrize("p", [-0.1, 1.5])
def test_what_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=r"p-values in \[0, 1\], got"):
        holm_adjusted(np.array([0.5, p]))
