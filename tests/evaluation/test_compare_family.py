"""How often a comparison of equal systems claims a difference, whatever the figure."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from shelfwise.evaluation.paired import Draws, difference_of
from shelfwise.evaluation.paired_metrics import metrics_of
from shelfwise.evaluation.stored_answers import ShopAnswers
from shelfwise.metrics.holm import holm_adjusted

_USERS, _TARGETS, _SHOWN = 40, 80, 400


def two_systems(seed: int, gain: float) -> tuple[ShopAnswers, ShopAnswers]:
    """Answers to the same rows, of which users have their own; the first knows ``gain`` more."""
    random = np.random.default_rng(seed)
    owner_T, owner_N = random.integers(_USERS, size=_TARGETS), random.integers(_USERS, size=_SHOWN)
    taste_U = random.normal(0, 0.7, _USERS)
    clicked_N = random.random(_SHOWN) < 1 / (1 + np.exp(1 - taste_U[owner_N]))
    bought_N = clicked_N & (random.random(_SHOWN) < 0.4)

    def answers(skill: float) -> ShopAnswers:
        click_N = -1 + taste_U[owner_N] + skill * clicked_N + random.normal(0, 1, _SHOWN)
        convert_N = -1 + skill * bought_N + random.normal(0, 1, _SHOWN)
        first_T = 1 + (random.exponential(20 / skill, _TARGETS)).astype(np.int64)
        return ShopAnswers(
            items=1_000,
            views=("main",),
            targets=pl.DataFrame({"owner": [f"u{u}" for u in owner_T], "at": owner_T}),
            ranks=pl.DataFrame(
                {
                    "view": ["main"] * _TARGETS,
                    "target": np.arange(_TARGETS),
                    "item": np.zeros(_TARGETS, np.int64),
                    "first": first_T,
                    "last": first_T,
                }
            ),
            impressions=pl.DataFrame(
                {
                    "request_id": [f"r{n // 8}" for n in range(_SHOWN)],
                    "owner": [f"u{u}" for u in owner_N],
                    "p_click": 1 / (1 + np.exp(-click_N)),
                    "p_convert": 1 / (1 + np.exp(-convert_N)),
                    "clicked": clicked_N,
                    "purchased": bought_N,
                    "known": np.ones(_SHOWN, bool),
                }
            ),
        )

    return answers(1.0 + gain), answers(1.0)


def claims(seed: int, gain: float = 0.0) -> int:
    """Differences claimed: the corrected p below .05 and an interval without 0."""
    a, b = (metrics_of([one], k=10) for one in two_systems(seed, gain))
    draws = Draws(interval=200, comparisons=len(a), seed=seed)
    found = [difference_of(one, other, draws) for one, other in zip(a, b, strict=True)]
    p_M = holm_adjusted(np.array([test.p_value for _, test in found]))
    return sum(
        p < 0.05 and not gap.low <= 0 <= gap.high for p, (gap, _) in zip(p_M, found, strict=True)
    )


def test_equal_systems_are_seldom_told_apart() -> None:
    # 18 figures at once. Binomial(8, .05) exceeds 2 in 6 cases of 1,000.
    assert sum(claims(seed) > 0 for seed in range(8)) <= 2


@pytest.mark.long
def test_equal_systems_are_told_apart_in_one_family_of_twenty_at_most() -> None:
    # Binomial(150, .05) has standard deviation 1.8 %: 5 % + 3 deviations.
    assert np.mean([claims(seed) > 0 for seed in range(150)]) <= 0.104


def test_a_better_system_is_told_apart() -> None:
    assert claims(0, gain=1.5) >= 4
