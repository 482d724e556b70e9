"""Priors by hand, and rates between what was seen and what is usual."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.data.features.shrinkage import UNTOLD, Prior, fit_prior, shrunk


def test_mean_and_strength_by_hand() -> None:
    # Rates .2, .5 and .8 of 10 trials each: m = 15/30 = .5, N = 30, K = 3.
    # S / (m (1 - m)) = 10 (.09 + 0 + .09) / .25 = 7.2
    # room = 3 (1 - 10/30) (10 - 1) = 18, so rho = (7.2 - 2) / 18 = .28889 and 1/rho - 1 = 2.46154.
    prior = fit_prior(np.array([2, 5, 8]), np.array([10, 10, 10]))

    assert prior == (0.5, pytest.approx(2.461538, abs=1e-5))


def test_rates_no_further_apart_than_chance_are_all_the_mean() -> None:
    # S = 0: rho is negative, so the strongest prior there is.
    prior = fit_prior(np.array([5, 5, 0]), np.array([10, 10, 0]))

    assert prior == (0.5, 10_000)


@pytest.mark.parametrize(("hits", "trials"), [([0, 0], [0, 0]), ([0, 0], [5, 3]), ([5, 3], [5, 3])])
def test_of_one_outcome_alone_no_rate_is_told(hits: list[int], trials: list[int]) -> None:
    assert np.isnan(fit_prior(np.array(hits), np.array(trials))).all()
    assert np.isnan(UNTOLD).all()


def test_one_of_one_is_drawn_to_the_mean_and_many_are_believed() -> None:
    # (1 + 9 * .1) / (1 + 9) = .19; (500 + .9) / (1000 + 9) = .49643; nothing tried: the mean.
    rates = shrunk(np.float32([1, 500, 0]), np.float32([1, 1000, 0]), Prior(0.1, 9))

    assert rates == pytest.approx([0.19, 0.496432, 0.1], abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_prior_that_rates_were_drawn_from_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    trials = rng.integers(20, 200, 3_000)
    hits = rng.binomial(trials, rng.beta(2, 18, 3_000))  # mean .1, strength 20

    mean, strength = fit_prior(hits, trials)

    assert mean == pytest.approx(0.1, abs=0.01)
    assert strength == pytest.approx(20, rel=0.2)
