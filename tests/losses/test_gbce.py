from __future__ import annotations

from math import inf, log

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import gradcheck

from shelfwise.losses.gbce import generalised_bce_loss
from shelfwise.losses.sampled_softmax import DrawnItems, RightAnswers

RIGHT = RightAnswers(torch.tensor([0]), torch.tensor([5]), torch.tensor([log(3)]))
DRAWN = DrawnItems(torch.tensor([1, 5, 2]), torch.tensor([[0.0, 9.0, -log(3)]]), torch.zeros(3))


def test_by_hand() -> None:
    # p of the answer is 3/4, of the drawn ones 1/2 and 1/4; the answer itself was drawn and does
    # not count. A share of 1/5 drawn at calibration 3/4: b = 1 - 3/4 (1 - 1/5) = 2/5.
    wrong = log(2) + log(4 / 3)

    loss = generalised_bce_loss(RIGHT, DRAWN, share_drawn=0.2, calibration=0.75)

    assert loss.item() == pytest.approx((0.4 * log(4 / 3) + wrong) / 3)


def test_without_calibration_it_is_the_binary_cross_entropy() -> None:
    logit, label = torch.tensor([log(3), 0.0, -log(3)]), torch.tensor([1.0, 0.0, 0.0])

    loss = generalised_bce_loss(RIGHT, DRAWN, share_drawn=0.2, calibration=0.0)

    assert loss.item() == pytest.approx(F.binary_cross_entropy_with_logits(logit, label).item())


def test_fully_calibrated_the_best_probability_is_the_interactions() -> None:
    # Of 10 items, 9 others are drawn one at a time. The answer comes with probability 3/10. At the
    # best logit the gradient in expectation is 0: b * .3 (1 - p) = .7 / 9 * p with b = 1/9 gives
    # p = .3; the plain cross-entropy would give .3 / (.3 + .7 / 9), four fifths.
    share = 1 / 9
    logit = torch.tensor(log(0.3 / 0.7), dtype=torch.float64, requires_grad=True)
    other = torch.zeros(1, dtype=torch.float64)
    as_right = generalised_bce_loss(
        RightAnswers(torch.tensor([0]), torch.tensor([5]), logit[None]),
        DrawnItems(torch.tensor([1]), other[None], torch.zeros(1)),
        share_drawn=share,
        calibration=1.0,
    )
    as_wrong = generalised_bce_loss(
        RightAnswers(torch.tensor([0]), torch.tensor([1]), other),
        DrawnItems(torch.tensor([5]), logit[None, None], torch.zeros(1)),
        share_drawn=share,
        calibration=1.0,
    )

    (0.3 * as_right + 0.7 * share * as_wrong).backward()

    assert logit.grad is not None
    assert logit.grad.item() == pytest.approx(0, abs=1e-9)


def test_what_was_not_there_does_not_count() -> None:
    absent = DRAWN._replace(logit_RS=torch.tensor([[0.0, 9.0, -inf]]))

    loss = generalised_bce_loss(RIGHT, absent, share_drawn=1.0, calibration=0.5)

    assert loss.item() == pytest.approx((log(4 / 3) + log(2)) / 2)


def test_gradient_is_right_and_weights_count() -> None:
    generator = torch.Generator().manual_seed(0)
    logit_RS = torch.randn(2, 3, generator=generator, dtype=torch.float64)
    right_M = torch.randn(3, generator=generator, dtype=torch.float64)
    request_M, item_M = torch.tensor([0, 1, 1]), torch.tensor([5, 7, 2])
    weight_M = torch.tensor([1.0, 0.0, 2.0]).double()

    def loss(right_M: Tensor, logit_RS: Tensor) -> Tensor:
        right = RightAnswers(request_M, item_M, right_M, weight_M)
        drawn = DRAWN._replace(logit_RS=logit_RS)
        return generalised_bce_loss(right, drawn, share_drawn=0.3, calibration=0.75)

    def alone(at: int) -> float:
        right = RightAnswers(request_M[[at]], item_M[[at]], right_M[[at]])
        drawn = DRAWN._replace(logit_RS=logit_RS)
        return generalised_bce_loss(right, drawn, share_drawn=0.3, calibration=0.75).item()

    assert gradcheck(loss, (right_M.requires_grad_(), logit_RS.requires_grad_()))
    assert loss(right_M, logit_RS).item() == pytest.approx((alone(0) + 2 * alone(2)) / 3)
