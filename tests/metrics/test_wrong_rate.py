from __future__ import annotations

import numpy as np
import pytest

from shelfwise.metrics.wrong_rate import wrong_places


def test_by_hand() -> None:
    # List 0 shows 3 (returned) and 5 (kept), list 1 shows 3 (no verdict there) and nothing,
    # list 2 shows 1 and 2, of which 2 was judged twice, right and wrong. Item 9 is not shown.
    top = np.array([[3, 5], [3, -1], [1, 2]])
    verdicts = [(0, 3, True), (0, 5, False), (2, 2, False), (2, 2, True), (1, 9, True)]
    of, item, wrong = (np.array(column) for column in zip(*verdicts, strict=True))

    found = wrong_places(top, of, item, wrong)

    assert found.wrong_T.tolist() == [1, 0, 1]
    assert found.judged_T.tolist() == [2, 0, 1]
    assert found.places_T.tolist() == [2, 1, 2]
    assert found.of_judged() == (pytest.approx(2 / 3), 3)
    assert found.of_all() == (pytest.approx(2 / 5), 3)


def test_without_verdicts_it_is_unknown() -> None:
    none = np.empty(0, int)

    found = wrong_places(np.array([[0, 1]]), none, none, none.astype(bool))

    assert np.isnan(found.of_all().value)
    assert np.isnan(found.of_judged().value)
    assert found.of_all().support == 0


def test_the_order_within_a_list_does_not_count() -> None:
    random = np.random.default_rng(0)
    top = np.stack([random.permutation(20)[:5] for _ in range(8)])
    of, item = random.integers(8, size=60), random.integers(20, size=60)
    wrong = random.random(60) < 0.4

    found = wrong_places(top, of, item, wrong)
    again = wrong_places(top[:, ::-1], of[::-1], item[::-1], wrong[::-1])

    assert again.wrong_T.tolist() == found.wrong_T.tolist()
    assert again.of_judged() == found.of_judged()
