from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from shelfwise.training.grade_line import GradeLine, grade_line

LOGITS = np.linspace(-3, 3, 300)


def test_the_line_that_was_planted_is_found() -> None:
    # Where shares are exactly what the line says, nothing has less cross-entropy.
    found = grade_line(LOGITS, expit(0.5 * LOGITS - 1.0))

    assert found == pytest.approx((0.5, -1.0), abs=1e-3)


def test_the_mean_grade_is_right_whatever_the_grades() -> None:
    share = np.random.default_rng(0).choice([0.0, 0.5, 1.0], 300, p=[0.7, 0.2, 0.1])

    found = grade_line(LOGITS, share)

    assert expit(found.factor * LOGITS + found.shift).mean() == pytest.approx(
        share.mean(), abs=1e-3
    )


def test_an_order_that_is_upside_down_stays() -> None:
    found = grade_line(LOGITS, expit(-LOGITS))

    assert 0 < found.factor < 0.06


@pytest.mark.parametrize("rows", [0, 199])
def test_few_rows_move_nothing(rows: int) -> None:
    assert grade_line(LOGITS[:rows], expit(LOGITS[:rows] - 1)) == GradeLine(1.0, 0.0)


def test_one_grade_alone_moves_nothing() -> None:
    assert grade_line(LOGITS, np.zeros(300)) == GradeLine(1.0, 0.0)
