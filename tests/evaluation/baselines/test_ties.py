from __future__ import annotations

import numpy as np

from shelfwise.evaluation.baselines.ties import rest_by_popularity


def test_what_nothing_speaks_for_stands_behind_the_popular_first() -> None:
    score = np.array([[0, 0.001, 0, 7]], np.float32)
    popularity = np.array([0.5, 0.9, 0.75, 0], np.float32)

    found = rest_by_popularity(score, popularity)

    assert found.tolist() == [[-0.5, np.float32(0.001), -0.25, 7]]
