from __future__ import annotations

from math import log, log2

import pytest
import torch

from shelfwise.losses.lambda_loss import lambda_loss

ALL = torch.ones(1, 3, dtype=torch.bool)


def weight(gain: float, ranks: tuple[int, int]) -> float:
    """By the formula: what a swap changes, and ten times the bound."""
    first, other = ranks
    apart = abs(first - other)
    swap = abs(1 / log2(1 + first) - 1 / log2(1 + other))
    return gain * (swap + 10 * (1 / log2(1 + apart) - 1 / log2(2 + apart)))


def test_one_list_by_hand() -> None:
    # Grades 1, 0, 2: gains 1, 0, 3; the best order 3, 1, 0 has DCG 3 + 1/log2(3).
    # Scores 2, 1, 0: ranks 1, 2, 3. Pairs (better, worse): (0, 1), (2, 0), (2, 1).
    best = 3 + 1 / log2(3)
    score, grade = torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([[1.0, 0.0, 2.0]])

    expected = (
        weight(1 / best, (1, 2)) * log(1 + 2.718281828459045**-1)
        + weight(2 / best, (3, 1)) * log(1 + 2.718281828459045**2)
        + weight(3 / best, (3, 2)) * log(1 + 2.718281828459045)
    )
    assert lambda_loss(score, grade, ALL).item() == pytest.approx(expected, rel=1e-5)


def test_the_gradient_raises_the_better_and_carries_no_weights() -> None:
    # Two products, ranks 1 and 2, grades 0 and 1: G gap 1 / (1 / log2(2)) = 1.
    # d/ds of w softplus(s_worse - s_better) at 0 is -w/2 for the better, w/2 for the worse.
    score = torch.zeros(1, 2, requires_grad=True)
    lambda_loss(score, torch.tensor([[0.0, 1.0]]), ALL[:, :2]).backward()

    assert score.grad is not None
    half = weight(1.0, (1, 2)) / 2
    assert score.grad.tolist() == [[pytest.approx(half), pytest.approx(-half)]]


def test_equal_grades_are_no_pair_and_lists_of_one_grade_no_list() -> None:
    score = torch.tensor([[0.0, 1.0, 5.0], [3.0, 2.0, 1.0]])
    grade = torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]])

    both = lambda_loss(score, grade, ALL.expand(2, 3))

    assert both.item() == pytest.approx(lambda_loss(score[:1], grade[:1], ALL).item())
    assert lambda_loss(score[1:], grade[1:], ALL).item() == 0


def test_weights_count_a_list_as_often() -> None:
    score = torch.tensor([[0.0, 1.0], [2.0, 0.0]])
    grade = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    known = torch.ones(2, 2, dtype=torch.bool)
    one, other = (lambda_loss(score[[q]], grade[[q]], known[[q]]).item() for q in (0, 1))

    both = lambda_loss(score, grade, known, weight_Q=torch.tensor([3.0, 1.0]))

    assert both.item() == pytest.approx((3 * one + other) / 4)


def test_places_that_fill_a_list_up_change_nothing() -> None:
    score, grade = torch.tensor([[0.3, -0.2]]), torch.tensor([[0.0, 1.0]])
    alone = lambda_loss(score, grade, ALL[:, :2])
    known = torch.tensor([[True, True, False], [False, False, False]])
    longer = torch.tensor([[0.3, -0.2, 99.0], [1.0, 2.0, 3.0]], requires_grad=True)

    filled = lambda_loss(longer, torch.tensor([[0.0, 1.0, 9.0], [0.0, 1.0, 2.0]]), known)
    filled.backward()

    assert filled.item() == pytest.approx(alone.item())
    assert longer.grad is not None
    assert longer.grad[0, 2] == 0
    assert not longer.grad[1].any()


def test_the_best_order_with_wide_gaps_costs_nothing_and_extremes_stay_finite() -> None:
    grade = torch.tensor([[2.0, 1.0, 0.0]])
    assert lambda_loss(torch.tensor([[200.0, 100.0, 0.0]]), grade, ALL).item() < 1e-30
    score = torch.tensor([[-300.0, 0.0, 300.0]], requires_grad=True)
    loss = lambda_loss(score, grade, ALL)
    loss.backward()
    assert torch.isfinite(loss)
    assert score.grad is not None
    assert torch.isfinite(score.grad).all()
