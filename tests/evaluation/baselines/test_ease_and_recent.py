from __future__ import annotations

import numpy as np
import pytest

from shelfwise.evaluation.baselines.ease import Ease, Ridge
from shelfwise.evaluation.baselines.ease_and_recent import Mixture, ease_and_recent
from shelfwise.evaluation.baselines.popularity import LastDays

from .small import ALL_ROWS, LEARNED, TARGETS


def test_the_mixture_by_hand() -> None:
    ridge = Ridge(1, False)

    found = next(ease_and_recent(ridge, LastDays(2)).fit(LEARNED, [Mixture(0.5, 2)]))

    # In the last two days items 0 and 2 were taken once each.
    alone = np.maximum(Ease.of(LEARNED, ridge).scores(TARGETS, ALL_ROWS), 0)
    expected = (alone + 0.5) * np.array([4, 1, 4, 1])
    assert found.scores(TARGETS, ALL_ROWS) == pytest.approx(expected)
