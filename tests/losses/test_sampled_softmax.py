from __future__ import annotations

from math import exp, inf, log

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from shelfwise.losses.catalogue_softmax import Positives, catalogue_softmax_loss
from shelfwise.losses.sampled_softmax import DrawnItems, RightAnswers, sampled_softmax_loss


def vectors(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_by_hand() -> None:
    # Request 0: the answer 5 has logit log 4. Drawn are 1 (log 2), 5 itself, and 3 (0). Expected
    # 1/2, 1 and 1/4 times: the sum is 4 + 2 / (1/2) + 1 / (1/4) = 12, so -log(4/12).
    # Request 1: the answer 1 has logit 0, the others' logits are 0: 1 + 1/1 + 1/(1/4) = 6.
    right = RightAnswers(
        torch.tensor([0, 1]), torch.tensor([5, 1]), torch.tensor([log(4), 0.0]), None
    )
    drawn = DrawnItems(
        torch.tensor([1, 5, 3]),
        torch.tensor([[log(2), 9.0, 0.0], [7.0, 0.0, 0.0]]),
        torch.tensor([0.5, 1.0, 0.25]).log(),
    )

    loss = sampled_softmax_loss(right, drawn)
    weighted = sampled_softmax_loss(right._replace(weight_M=torch.tensor([1.0, 3.0])), drawn)

    assert loss.item() == pytest.approx((log(3) + log(6)) / 2)
    assert weighted.item() == pytest.approx((log(3) + 3 * log(6)) / 4)


def test_what_was_not_there_is_not_held_against_an_answer() -> None:
    # As request 0 above, without item 3: 4 + 2 / (1/2) = 8.
    right = RightAnswers(torch.tensor([0]), torch.tensor([5]), torch.tensor([log(4)]))
    drawn = DrawnItems(
        torch.tensor([1, 3]), torch.tensor([[log(2), -inf]]), torch.tensor([0.5, 0.25]).log()
    )

    assert sampled_softmax_loss(right, drawn).item() == pytest.approx(log(2))


def test_every_item_drawn_once_is_the_softmax_over_the_catalogue() -> None:
    request, item = 2 * vectors(4, 3), vectors(9, 3, seed=1)
    request_M, item_M = torch.tensor([0, 1, 1, 3]), torch.tensor([2, 0, 8, 5])
    weight_M = torch.tensor([1.0, 2.0, 0.5, 1.0]).double()
    logit_RV = request @ item.T
    everything = DrawnItems(torch.arange(9), logit_RV, torch.zeros(9).double())
    right = RightAnswers(request_M, item_M, logit_RV[request_M, item_M], weight_M)

    whole = catalogue_softmax_loss(request, item, Positives(request_M, item_M, weight_M))

    assert sampled_softmax_loss(right, everything).item() == pytest.approx(whole.item())


def test_the_sum_is_right_on_average_whatever_it_is_drawn_from() -> None:
    # exp(loss) is (the answer's exponential + the estimated rest) / the answer's exponential: its
    # mean over many draws is what the softmax over all 6 items has there.
    logit_V = torch.tensor([0.5, -1.0, 1.5, 0.0, 1.0, -0.5]).double()
    likely_V = torch.tensor([0.4, 0.3, 0.1, 0.1, 0.05, 0.05]).double()
    draws, size, answer = 2_000, 3, 0
    item_NS = torch.multinomial(
        likely_V.expand(draws, -1), size, replacement=True, generator=torch.manual_seed(0)
    )
    right = RightAnswers(torch.tensor([0]), torch.tensor([answer]), logit_V[[answer]])
    log_expected_V = (size * likely_V).log()

    estimates = [
        exp(
            sampled_softmax_loss(
                right, DrawnItems(item_S, logit_V[None, item_S], log_expected_V[item_S])
            ).item()
        )
        for item_S in item_NS
    ]

    truth = float((logit_V - logit_V[answer]).exp().sum())
    spread = torch.tensor(estimates).std().item() / draws**0.5
    assert abs(torch.tensor(estimates).mean().item() - truth) < 4 * spread


def test_gradient_is_right_and_nothing_has_none() -> None:
    drawn = DrawnItems(torch.tensor([0, 3]), vectors(2, 2), torch.tensor([0.1, -0.4]).double())
    request_M, item_M = torch.tensor([0, 1, 1]), torch.tensor([3, 1, 2])

    def loss(right_M: Tensor, logit_RS: Tensor) -> Tensor:
        right = RightAnswers(request_M, item_M, right_M)
        return sampled_softmax_loss(right, drawn._replace(logit_RS=logit_RS))

    assert gradcheck(
        loss, (vectors(3, seed=2).requires_grad_(), drawn.logit_RS.clone().requires_grad_())
    )
    none = torch.empty(0, dtype=torch.int64)
    assert sampled_softmax_loss(RightAnswers(none, none, torch.empty(0)), drawn).item() == 0
