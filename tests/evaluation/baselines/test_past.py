from __future__ import annotations

import numpy as np

from shelfwise.data.attribution import DAY
from shelfwise.evaluation.baselines.past import past_counts, past_items

from .small import ALL_ROWS, HISTORY, ITEMS, KIND_NUMBERS, TARGETS, VIEW


def test_past_counts_by_hand() -> None:
    bought = past_counts(past_items(HISTORY, TARGETS, ALL_ROWS, KIND_NUMBERS), ITEMS)
    viewed = past_counts(past_items(HISTORY, TARGETS, ALL_ROWS, np.array([VIEW], np.uint8)), ITEMS)

    # Item 3 stands nowhere in the log, and owner 2's purchase comes after the request.
    assert bought.toarray().tolist() == [[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    assert viewed.toarray().tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_past_items_by_hand() -> None:
    past = past_items(HISTORY, TARGETS, ALL_ROWS)

    # Owner 1's search is no item.
    assert past.row_E.tolist() == [0, 0, 0, 1, 1, 1]
    assert past.item_E.tolist() == [0, 1, 0, 1, 2, 0]
    assert past.back_E.tolist() == [2, 1, 0, 2, 1, 0]
    assert (past.age_E / DAY).tolist() == [4, 3, 2, 4, 2, 1]


def test_the_latest_items_of_each_history() -> None:
    past = past_items(HISTORY, TARGETS, ALL_ROWS).latest(2)

    assert past.row_E.tolist() == [0, 0, 1, 1]
    assert past.item_E.tolist() == [1, 0, 2, 0]
    assert past.matrix(0.5**past.back_E, ITEMS).toarray().tolist() == [
        [1, 0.5, 0, 0],
        [1, 0, 0.5, 0],
        [0, 0, 0, 0],
    ]
