from __future__ import annotations

import numpy as np
import pytest

from shelfwise.metrics.rows import (
    require_one_per_row,
    require_ordered,
    require_probabilities,
    row_weights,
    run_starts,
)


def test_runs_end_where_any_column_changes() -> None:
    group = np.array([1, 1, 1, 2, 2])
    score = np.array([0.5, 0.5, 0.7, 0.7, 0.7])

    assert run_starts(group).tolist() == [0, 3]
    assert run_starts(group, score).tolist() == [0, 2, 3]
    assert run_starts(np.empty(0)).tolist() == []


def test_infinities_are_equal_to_themselves() -> None:
    assert run_starts(np.array([-np.inf, -np.inf, 0.0])).tolist() == [0, 2]


def test_messages_say_what_was_found() -> None:
    with pytest.raises(ValueError, match=r"auc needs one value per row.*\[2, 3\]"):
        require_one_per_row("auc", np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="1 of 2 scores are nan"):
        require_ordered("auc", np.array([0.1, np.nan]))
    with pytest.raises(ValueError, match=r"in \[0, 1\], got 1\.5 \(2 of 3"):
        require_probabilities("log_loss", np.array([0.5, 1.5, np.nan]))
    with pytest.raises(ValueError, match=r"0 or more, got -1\.0"):
        row_weights("auc", np.array([1.0, -1.0]), 2)
    with pytest.raises(ValueError, match="got 1 for 2 rows"):
        row_weights("auc", np.array([1.0]), 2)


def test_a_nan_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="got nan"):
        row_weights("auc", np.array([1.0, np.nan]), 2)
