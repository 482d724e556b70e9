"""The AUC of labels that know nothing of the score lies where its own interval says."""

from __future__ import annotations

import numpy as np
import pytest

from shelfwise.metrics.auc import SortedAuc
from shelfwise.metrics.bootstrap import bootstrap_rows

ROWS = 150


def share_that_holds_half(times: int) -> float:
    random = np.random.default_rng(0)
    held = 0
    for seed in range(times):
        score, label = random.random(ROWS), random.random(ROWS) < 0.3
        interval = bootstrap_rows(SortedAuc.of(score, label), np.arange(ROWS), draws=200, seed=seed)
        held += interval.low <= 0.5 <= interval.high
    return held / times


def test_most_of_a_few_intervals_hold_one_half() -> None:
    # Of 60 intervals at 95 %, 52 or more hold with a chance of 98.6 %.
    assert share_that_holds_half(60) >= 52 / 60


@pytest.mark.long
def test_95_of_100_intervals_hold_one_half() -> None:
    assert share_that_holds_half(1_000) == pytest.approx(0.95, abs=0.03)
