from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest

from shelfwise.evaluation.ab.ratio import ratio_of_sums
from shelfwise.evaluation.ab.sequential import always_valid_reach


def test_the_confidence_sequence_by_hand() -> None:
    # tuned for 100 units at alpha .05: rho^2 = (5.991 + log(6.991)) / 100 = .07936;
    # after 100 units of standard deviation 1, grown = 8.936:
    # sqrt(2 * 8.936 / (10000 * .07936) * log(sqrt(8.936) / .05)) = sqrt(.02252 * 4.0908) = .3035
    reach = always_valid_reach(error=0.1, units=100, tuned_for=100)

    assert reach == pytest.approx(0.3035, abs=0.0005)
    assert reach > 1.96 * 0.1
    assert -2 * log(0.05) == pytest.approx(5.991, abs=0.001)


def _peeked(seed: int, lift: float = 0.0) -> tuple[bool, bool, bool]:
    """A test looked at 20 times: significant at the end, ever by 1.96, ever by the sequence."""
    random = np.random.default_rng(seed)
    arm = random.random(4_000) < 0.5
    outcome = (random.random(4_000) < 0.2 + lift * arm).astype(float)
    naive, valid = [], []
    for units in range(200, 4_001, 200):
        a, b = (
            ratio_of_sums(part, np.ones(len(part)))
            for part in (outcome[:units][~arm[:units]], outcome[:units][arm[:units]])
        )
        error = sqrt(a.error**2 + b.error**2)
        gap = abs(b.value - a.value)
        naive.append(gap > 1.96 * error)
        valid.append(gap > always_valid_reach(error, units, tuned_for=2_000))
    return naive[-1], any(naive), any(valid)


@pytest.mark.parametrize("tests", [300, pytest.param(2_000, marks=pytest.mark.long)])
def test_where_nothing_differs_one_in_twenty_is_significant_once(tests: int) -> None:
    at_the_end, ever, ever_valid = np.mean([_peeked(seed) for seed in range(tests)], axis=0)

    spread = 3 * sqrt(0.05 * 0.95 / tests)
    assert at_the_end == pytest.approx(0.05, abs=spread)
    assert ever > 0.15  # peeking without a correction
    assert ever_valid <= 0.05 + spread


def test_a_true_difference_is_found_by_the_sequence_too() -> None:
    assert np.mean([_peeked(seed, lift=0.06)[2] for seed in range(40)]) > 0.8
