from __future__ import annotations

from math import log

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck

from shelfwise.losses.classification import classification_loss


def test_by_hand() -> None:
    # Row 0: probabilities 1/4, 3/4, label 1: log(4/3). Row 1: 1/2 each: log 2.
    # Class weights 1 and 2, row weights 3 and 1: 6 for row 0, 1 for row 1.
    logit = torch.tensor([[0.0, log(3)], [0.0, 0.0]])
    label = torch.tensor([1, 0])

    plain = classification_loss(logit, label)
    weighted = classification_loss(
        logit,
        label,
        class_weight_C=torch.tensor([1.0, 2.0]),
        weight_B=torch.tensor([3.0, 1.0]),
    )

    assert plain.item() == pytest.approx((log(4 / 3) + log(2)) / 2)
    assert weighted.item() == pytest.approx((6 * log(4 / 3) + log(2)) / 7)


def test_agrees_with_torch() -> None:
    logit = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    label = torch.tensor([0, 3, -100, 1, 1, 2, -100])
    class_weight = torch.tensor([0.5, 2.0, 1.0, 0.0])

    assert classification_loss(logit, label, class_weight_C=class_weight).item() == pytest.approx(
        F.cross_entropy(logit, label, weight=class_weight).item()
    )


def test_unknown_classes_teach_nothing() -> None:
    logit = torch.zeros(2, 3, requires_grad=True)

    loss = classification_loss(logit, torch.tensor([-1, -1]))
    loss.backward()

    assert loss.item() == 0
    assert logit.grad is not None
    assert logit.grad.abs().max() == 0


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_stays_finite_when_the_head_is_certain(logit: float) -> None:
    logit_BC = torch.tensor([[logit, 0.0]], requires_grad=True)

    loss = classification_loss(logit_BC, torch.tensor([0]))
    loss.backward()

    assert loss.item() == pytest.approx(max(0.0, -logit))
    assert logit_BC.grad is not None
    assert torch.isfinite(logit_BC.grad).all()


def test_gradient_is_that_of_the_value() -> None:
    logit = torch.randn(
        4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True
    )
    label, weight = torch.tensor([0, 2, -1, 1]), torch.tensor([1.0, 2.0, 3.0, 0.5])

    assert gradcheck(lambda logit: classification_loss(logit, label, weight_B=weight), logit)
