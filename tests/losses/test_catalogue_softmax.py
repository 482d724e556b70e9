from __future__ import annotations

from math import exp, log

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import gradcheck

from shelfwise.losses.catalogue_softmax import (
    ABSENT,
    Masked,
    Positives,
    catalogue_softmax_gradient,
    catalogue_softmax_loss,
)


def pairs(*of_request: list[int]) -> tuple[Tensor, Tensor]:
    """Indices of the pairs, from the items of each request."""
    requests = [request for request, items in enumerate(of_request) for _ in items]
    return torch.tensor(requests), torch.tensor([item for items in of_request for item in items])


def vectors(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_by_hand() -> None:
    # One number per vector. Request 0 is log 2, items are 0, 1, 2: the exponentials of the
    # logits are 1, 2, 4, so P(item 1) = 2/7 and P(item 2) = 4/7. Request 1 is 0: 1/3 each.
    request = torch.tensor([[log(2)], [0.0]])
    item = torch.tensor([[0.0], [1.0], [2.0]])
    request_M, item_M = pairs([1, 2], [0])

    plain = catalogue_softmax_loss(request, item, Positives(request_M, item_M))
    weighted = catalogue_softmax_loss(
        request, item, Positives(request_M, item_M, torch.tensor([1.0, 2.0, 5.0]))
    )
    # Scale 2 squares the exponentials: 1, 4, 16.
    scaled = catalogue_softmax_loss(2.0 * request, item, Positives(request_M, item_M))

    assert plain.item() == pytest.approx((log(7 / 2) + log(7 / 4) + log(3)) / 3)
    assert weighted.item() == pytest.approx((log(7 / 2) + 2 * log(7 / 4) + 5 * log(3)) / 8)
    assert scaled.item() == pytest.approx((log(21 / 4) + log(21 / 16) + log(3)) / 3)


def test_masked_items_leave_the_sum_by_hand() -> None:
    # As above without item 0 for request 0: P(item 1) = 2/6. Item 1 is masked too, but positive.
    request, item = torch.tensor([[log(2)]]), torch.tensor([[0.0], [1.0], [2.0]])
    masked = Masked(*pairs([0, 1]))

    loss = catalogue_softmax_loss(request, item, Positives(*pairs([1])), masked=masked)

    assert loss.item() == pytest.approx(log(3))


def test_several_positives_share_the_probability() -> None:
    # Two positives far above the rest: 1/2 each at best, so log 2.
    request, item = torch.tensor([[20.0]]).double(), torch.tensor([[1.0], [1.0], [-1.0]]).double()

    loss = catalogue_softmax_loss(request, item, Positives(*pairs([0, 1])))

    assert loss.item() == pytest.approx(log(2))


def test_agrees_with_cross_entropy() -> None:
    request, item = vectors(6, 3), vectors(9, 3)
    label = torch.tensor([4, 0, 8, 8, 2, 1])

    loss = catalogue_softmax_loss(3.0 * request, item, Positives(torch.arange(6), label))

    assert loss.item() == pytest.approx(F.cross_entropy(3 * request @ item.T, label).item())


def test_smoothing_spreads_some_of_the_wanted_probability_by_hand() -> None:
    # Exponentials 1, 2, 4, and an item that was not there. P(item 2) = 4/7; even is the mean of
    # log 7/1, 7/2, 7/4, which is log 7 - log 2.
    request, item = torch.tensor([[log(2)]]), torch.tensor([[0.0], [1.0], [2.0], [9.0]])
    positives = Positives(*pairs([2]), smoothing=0.25)
    absent = torch.tensor([[0.0, 0.0, 0.0, ABSENT]])

    loss = catalogue_softmax_loss(request, item, positives, prior_RV=absent)

    assert loss.item() == pytest.approx(0.75 * log(7 / 4) + 0.25 * log(7 / 2))


def test_smoothing_is_as_in_cross_entropy() -> None:
    request, item = vectors(6, 3), vectors(9, 3)
    label = torch.tensor([4, 0, 8, 8, 2, 1])
    theirs = F.cross_entropy(request @ item.T, label, label_smoothing=0.1)

    ours = catalogue_softmax_loss(
        request, item, Positives(torch.arange(6), label, smoothing=0.1), chunk_size=4
    )

    assert ours.item() == pytest.approx(theirs.item())


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 4, 5])
def test_chunks_change_nothing(chunk_size: int) -> None:
    positives = Positives(
        torch.tensor([4, 0, 1, 1, 4]),
        torch.tensor([0, 2, 3, 5, 6]),
        torch.tensor([1.0, 2, 3, 1, 2]),
    )
    masked = Masked(torch.tensor([4, 3, 0, 1]), torch.tensor([1, 0, 5, 3]))

    def loss_and_gradients(chunk_size: int) -> tuple[Tensor, ...]:
        request = vectors(5, 3).requires_grad_()
        item = vectors(7, 3).requires_grad_()
        scale = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
        loss = catalogue_softmax_loss(
            scale * request, item, positives, masked=masked, chunk_size=chunk_size
        )
        return loss.detach(), *torch.autograd.grad(loss, [request, item, scale])

    for part, whole in zip(loss_and_gradients(chunk_size), loss_and_gradients(1024), strict=True):
        torch.testing.assert_close(part, whole)


def test_masked_items_get_no_gradient() -> None:
    request, item = vectors(2, 3), vectors(5, 3).requires_grad_()
    masked = Masked(*pairs([3, 4], [4]))

    catalogue_softmax_loss(request, item, Positives(*pairs([0], [1])), masked=masked).backward()

    assert item.grad is not None
    assert item.grad[4].tolist() == [0, 0, 0]
    assert (item.grad[3] != 0).all()  # request 1 still sees item 3


def test_requests_without_positives_teach_nothing() -> None:
    request, item = vectors(3, 2).requires_grad_(), vectors(4, 2)
    # Request 2 has every item masked and no positive: its sum is empty.
    masked = Masked(*pairs([], [], [0, 1, 2, 3]))

    catalogue_softmax_loss(request, item, Positives(*pairs([], [2])), masked=masked).backward()

    assert request.grad is not None
    assert request.grad[[0, 2]].tolist() == [[0, 0], [0, 0]]
    assert (request.grad[1] != 0).all()


def test_pairs_may_be_32_bit() -> None:
    request_M, item_M = pairs([2], [0, 3])
    wide = Positives(request_M, item_M), Masked(*pairs([1], [1]))
    narrow = Positives(request_M.int(), item_M.int()), Masked(*(p.int() for p in wide[1]))

    losses = [
        catalogue_softmax_loss(vectors(2, 3), vectors(4, 3), positives, masked=masked).item()
        for positives, masked in (wide, narrow)
    ]

    assert losses[0] == losses[1]


def test_no_positive_at_all_is_0() -> None:
    none = torch.empty(0, dtype=torch.int64)

    assert catalogue_softmax_loss(vectors(2, 3), vectors(4, 3), Positives(none, none)).item() == 0


@pytest.mark.parametrize("scale", [-200.0, 200.0])
def test_stays_finite_when_the_model_is_certain(scale: float) -> None:
    request = torch.ones(1, 1, requires_grad=True)

    loss = catalogue_softmax_loss(
        scale * request, torch.tensor([[1.0], [-1.0]]), Positives(*pairs([0]))
    )
    loss.backward()

    # log(1 + exp(-2 * scale)): 0 where right, 400 where wrong.
    assert loss.item() == pytest.approx(max(0.0, -2 * scale), abs=exp(-100))
    assert request.grad is not None
    assert torch.isfinite(request.grad).all()


def test_gradient_is_that_of_the_value() -> None:
    positives = Positives(torch.tensor([0, 2, 2]), torch.tensor([1, 0, 3]))
    masked = Masked(torch.tensor([0, 1]), torch.tensor([2, 2]))

    assert gradcheck(
        lambda request, item, scale: catalogue_softmax_loss(
            scale * request, item, positives, masked=masked, chunk_size=2
        ),
        (
            vectors(3, 2).requires_grad_(),
            vectors(4, 2).requires_grad_(),
            torch.tensor(1.5, dtype=torch.float64, requires_grad=True),
        ),
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("doubt", [0.0, 0.3, 1.0])
def test_the_closed_gradient_is_that_of_the_loss(smoothing: float, doubt: float) -> None:
    prior = vectors(4, 5)
    prior[1, 3] = ABSENT
    prior.requires_grad_()
    request, item = vectors(4, 3), vectors(5, 3)
    # Request 2 has nothing right; (0, 1) is right twice; (3, 0) is right and not asked about.
    positives = Positives(
        torch.tensor([0, 3, 1, 0, 0]),
        torch.tensor([1, 0, 2, 1, 4]),
        torch.tensor([1.0, 0.5, 2.0, 0.25, 1.0], dtype=torch.float64),
        smoothing,
        doubt,
    )
    at = (torch.tensor([0, 0, 1, 1, 2, 3]), torch.tensor([1, 3, 2, 3, 0, 4]))
    catalogue_softmax_loss(request, item, positives, prior_RV=prior).backward()
    assert prior.grad is not None

    found = catalogue_softmax_gradient((request @ item.T + prior).detach(), positives, at)

    torch.testing.assert_close(found, prior.grad[at])


def test_the_closed_gradient_of_no_place_is_empty() -> None:
    none = torch.empty(0, dtype=torch.int64)

    found = catalogue_softmax_gradient(vectors(2, 3), Positives(*pairs([0, 1])), (none, none))

    assert found.shape == (0,)


def test_a_chunk_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1: 0"):
        catalogue_softmax_loss(vectors(1, 1), vectors(1, 1), Positives(*pairs([0])), chunk_size=0)


def test_a_prior_is_a_bias_whatever_the_chunk() -> None:
    # A prior that is the same for every request equals one more dimension of the vectors.
    generator = torch.Generator().manual_seed(0)
    request = torch.randn(5, 3, generator=generator)
    item = torch.randn(7, 3, generator=generator)
    bias = torch.randn(7, generator=generator)
    positives = Positives(torch.arange(5), torch.tensor([6, 0, 3, 3, 1]))

    longer = torch.cat([request, torch.ones(5, 1)], dim=1)
    expected = catalogue_softmax_loss(longer, torch.cat([item, bias[:, None]], dim=1), positives)
    prior = bias.expand(5, 7)
    for chunk_size in (2, 8):
        found = catalogue_softmax_loss(
            request, item, positives, prior_RV=prior, chunk_size=chunk_size
        )
        assert found.item() == pytest.approx(expected.item(), rel=1e-5)
