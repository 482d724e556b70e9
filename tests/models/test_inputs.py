from __future__ import annotations

import numpy as np
import torch

from shelfwise.data.history import HistoryWindow
from shelfwise.models.inputs import as_requests

CPU = torch.device("cpu")


def window_of(item: list[list[int]], query: list[list[int]]) -> HistoryWindow:
    shape = np.array(item).shape
    return HistoryWindow(
        item_RL=np.array(item, np.int32),
        query_RL=np.array(query, np.int32),
        kind_RL=np.full(shape, 3, np.uint8),
        age_RL=np.full(shape, 2.5, np.float32),
        valid_RL=np.array(item) >= 0,
    )


def test_only_the_queries_met_are_kept_and_renumbered() -> None:
    # Query 40 stands beside an item, so nobody looks at it.
    history = window_of([[-1, 7, -1], [5, -1, -1]], [[30, 40, -1], [-1, 90, 30]])

    asked = as_requests(history, np.array([90, -1]), np.array([1, 0]), CPU)

    assert asked.query_texts.tolist() == [30, 90]
    assert asked.requests.query_RL.tolist() == [[0, -1, -1], [-1, 1, 0]]
    assert asked.requests.query_R.tolist() == [1, -1]
    assert asked.requests.item_RL.tolist() == [[-1, 7, -1], [5, -1, -1]]
    assert asked.requests.surface_R.tolist() == [1, 0]
    assert asked.requests.moment_R.tolist() == [0, 0]
    assert asked.requests.age_RL.dtype == torch.float32


def test_moments_are_passed_on_and_no_query_is_no_query() -> None:
    history = window_of([[1]], [[-1]])

    asked = as_requests(history, np.array([-1]), np.array([0]), CPU, np.array([4]))

    assert asked.query_texts.tolist() == []
    assert asked.requests.moment_R.tolist() == [4]
