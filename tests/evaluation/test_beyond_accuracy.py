from __future__ import annotations

from math import isnan, log2

import numpy as np
import pytest

from shelfwise.evaluation.beyond_accuracy import Shelf, list_rows
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.verdicts import Verdicts

from .baselines.small import TAKEN, TARGETS, ints

OPTIONS = EvaluateOptions(draws=50, k=2)
VECTORS = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 2.0]], np.float32)
# Target 0 is shown what it returned, target 1 what it kept; nothing is known of the rest.
VERDICTS = Verdicts(ints(0, 1), ints(1, 2), np.array([True, False]), "")


def test_figures_by_hand() -> None:
    # Two owners took item 1, one item 0 (twice), one item 2, nobody item 3.
    shelf = Shelf.of(TAKEN, TARGETS, VECTORS, VERDICTS)
    top = np.array([[1, 2], [2, 3], [1, -1]], np.int32)

    rows = list_rows("ours", top, shelf, TARGETS, OPTIONS)

    found = {row.metric: row for row in rows}
    assert found["coverage@2"].value == 3 / 4
    # Places 0, 2, 2, 1 of the items, rising 0 1 2 2: (-3*0 - 1*1 + 2*2 + 2*2) / (4 * 5)
    assert found["gini@2"].value == pytest.approx(7 / 20)
    # Two owners in all: item 1 holds 0 bits, the others 1: lists of .5, 1 and 0.
    assert shelf.owners == 2
    assert found["novelty@2"].value == pytest.approx((0.5 + 1 + 0) / 3 * log2(2))
    # Items 1 and 2 are unlike, 2 and 3 alike; a list of one has no pair.
    assert found["diversity@2"].value == pytest.approx(1 / 2)
    # Shown 1.5 and .5 owners an item; taken before: 0 and 1 (1.5), 1 and 2 (1.5).
    assert found["popularity_lift@2"].value == pytest.approx((1.5 + 0.5) / (1.5 + 1.5))
    assert found["popularity_lift@2"].support == 2
    assert found["wrong_rate@2"].value == pytest.approx(1 / 5)
    assert found["wrong_rate_judged@2"].value == pytest.approx(1 / 2)
    assert found["wrong_rate@2"].support == found["wrong_rate_judged@2"].support == 2
    assert {(row.system, row.task, row.view) for row in rows} == {("ours", "lists", "first 2")}


def test_without_verdicts_nothing_is_said_to_be_right() -> None:
    none = Verdicts(ints(), ints(), np.zeros(0, bool), "")
    shelf = Shelf.of(TAKEN, TARGETS, VECTORS, none)

    rows = list_rows("ours", np.array([[1], [2], [1]], np.int32), shelf, TARGETS, OPTIONS)

    wrong = [row for row in rows if row.metric.startswith("wrong")]
    assert [row.support for row in wrong] == [0, 0]
    assert all(isnan(end) for row in wrong for end in (row.value, row.low, row.high))
