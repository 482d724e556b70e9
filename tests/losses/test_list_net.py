from __future__ import annotations

from math import e, log

import pytest
import torch

from shelfwise.losses.list_net import list_net_loss


def test_two_lists_by_hand() -> None:
    # List 0, grades 1 and 0: shares e/(1+e) and 1/(1+e); scores 0 and 0 say 1/2 and 1/2.
    # List 1, grades 0 and 0: shares 1/2 and 1/2; scores log 3 and 0 say 3/4 and 1/4.
    score = torch.tensor([[0.0, 0.0], [log(3), 0.0]])
    grade = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    known = torch.ones(2, 2, dtype=torch.bool)

    first = e / (1 + e) * log(2 * e / (1 + e)) + 1 / (1 + e) * log(2 / (1 + e))
    second = 0.5 * log(0.5 / 0.75) + 0.5 * log(0.5 / 0.25)
    assert list_net_loss(score, grade, known).item() == pytest.approx((first + second) / 2)
    weighted = list_net_loss(score, grade, known, weight_Q=torch.tensor([3.0, 1.0]))
    assert weighted.item() == pytest.approx((3 * first + second) / 4)


def test_the_gradient_is_the_difference_of_shares() -> None:
    # d/ds_i of sum p log(p/q) is q_i - p_i: 1/2 - e/(1+e), and its opposite.
    score = torch.zeros(1, 2, requires_grad=True)
    list_net_loss(score, torch.tensor([[1.0, 0.0]]), torch.ones(1, 2, dtype=torch.bool)).backward()

    assert score.grad is not None
    gap = e / (1 + e) - 0.5
    assert score.grad.tolist() == [[pytest.approx(-gap), pytest.approx(gap)]]


def test_scores_that_are_the_grades_cost_nothing_wherever_they_lie() -> None:
    grade = torch.tensor([[2.0, 0.0, 1.0]])
    known = torch.ones(1, 3, dtype=torch.bool)

    assert list_net_loss(grade + 7, grade, known).item() == pytest.approx(0, abs=1e-6)


def test_places_that_fill_a_list_up_change_nothing() -> None:
    score, grade = torch.tensor([[0.3, -0.2]]), torch.tensor([[2.0, 1.0]])
    alone = list_net_loss(score, grade, torch.ones(1, 2, dtype=torch.bool))
    # One place more, of any score and grade, and a list of nothing at all.
    longer = torch.tensor([[0.3, -0.2, 99.0], [5.0, 5.0, 5.0]], requires_grad=True)
    known = torch.tensor([[True, True, False], [False, False, False]])

    filled = list_net_loss(longer, torch.tensor([[2.0, 1.0, 9.0], [1.0, 2.0, 3.0]]), known)
    filled.backward()

    assert filled.item() == pytest.approx(alone.item())
    assert longer.grad is not None
    assert longer.grad[0, 2] == 0
    assert not longer.grad[1].any()


def test_nothing_to_order_is_no_loss() -> None:
    none = torch.zeros(1, 2, dtype=torch.bool)
    assert list_net_loss(torch.zeros(1, 2), torch.zeros(1, 2), none).item() == 0
    assert list_net_loss(torch.zeros(0, 0), torch.zeros(0, 0), none[:0, :0]).item() == 0


def test_stays_finite_at_extremes() -> None:
    score = torch.tensor([[-300.0, 300.0]], requires_grad=True)
    loss = list_net_loss(score, torch.tensor([[2.0, 0.0]]), torch.ones(1, 2, dtype=torch.bool))
    loss.backward()

    assert torch.isfinite(loss)
    assert score.grad is not None
    assert torch.isfinite(score.grad).all()
