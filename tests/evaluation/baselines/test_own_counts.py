from __future__ import annotations

from math import inf

import numpy as np
import pytest

from shelfwise.evaluation.baselines.own_counts import Fading, own_counts

from .small import ALL_ROWS, LEARNED, TARGETS

POPULARITY = np.array([2, 2, 1, 0]) / 3


def scores(fading: Fading) -> np.ndarray:
    return next(own_counts(timed=True).fit(LEARNED, [fading])).scores(TARGETS, ALL_ROWS)


def test_own_counts_by_hand() -> None:
    own = np.array([[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]])

    assert scores(Fading(inf, inf)) == pytest.approx(own + 1e-4 * POPULARITY, abs=1e-6)


def test_counts_fade_by_time() -> None:
    # Half-life of a day; owner 0 took item 0 four and two days ago, item 1 three days ago.
    own = np.array([[1 / 16 + 1 / 4, 1 / 8, 0, 0], [0, 1 / 16, 1 / 4, 0], [0, 0, 0, 0]])

    assert scores(Fading(1, inf)) == pytest.approx(own + 1e-4 * POPULARITY, abs=1e-6)


def test_counts_fade_with_later_acts() -> None:
    # Half-life of one act: the newest counts 1, the one before it 1/2; the view does not count.
    own = np.array([[1 + 1 / 4, 1 / 2, 0, 0], [0, 1 / 2, 1, 0], [0, 0, 0, 0]])

    assert scores(Fading(inf, 1)) == pytest.approx(own + 1e-4 * POPULARITY, abs=1e-6)


def test_what_faded_away_still_ranks_before_what_is_popular() -> None:
    # Four days at a half-life of a tenth of a day leave 2^-40 of item 1; item 0 is popular.
    found = scores(Fading(0.1, inf))[1]

    assert found[1] > found[0] > found[3]


def test_a_log_without_times_knows_no_days() -> None:
    assert all(setting.half_life_days == inf for setting in own_counts(timed=False).settings)
