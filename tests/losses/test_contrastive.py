from __future__ import annotations

from math import log

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from shelfwise.losses.contrastive import FurtherItems, contrastive_loss, same_pairs


def vectors(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_by_hand() -> None:
    # Queries log 2 and 0, items 1 and 2, scale 1. Exponentials of the logits:
    #   query 0: 2, 4 -> own 2/6;   query 1: 1, 1 -> own 1/2
    #   item 0:  2, 1 -> own 2/3;   item 1:  4, 1 -> own 1/5
    query, item = torch.tensor([[log(2)], [0.0]]), torch.tensor([[1.0], [2.0]])
    first = (log(3) + log(3 / 2)) / 2
    second = (log(2) + log(5)) / 2

    plain = contrastive_loss(query, item, scale=1.0)
    weighted = contrastive_loss(query, item, scale=1.0, weight_B=torch.tensor([3.0, 1.0]))

    assert plain.item() == pytest.approx((first + second) / 2)
    assert weighted.item() == pytest.approx((3 * first + second) / 4)


def test_further_items_compete_in_rows_alone() -> None:
    # As above, with further items 0 and 3, the second wrong for query 0 alone. Exponentials:
    #   query 0: 2, 4, 1, 8 -> own 2/15;   query 1: 1, 1, 1, - -> own 1/3;   columns as above
    query, item = torch.tensor([[log(2)], [0.0]]), torch.tensor([[1.0], [2.0]])
    further = FurtherItems(
        torch.tensor([[0.0], [3.0]]), torch.tensor([[True, True], [True, False]])
    )
    first = (log(15 / 2) + log(3 / 2)) / 2
    second = (log(3) + log(5)) / 2

    loss = contrastive_loss(query, item, scale=1.0, further=further)

    assert loss.item() == pytest.approx((first + second) / 2)


def test_vectors_that_tell_nothing_cost_log_of_the_batch() -> None:
    same = torch.ones(8, 4)

    assert contrastive_loss(same, same).item() == pytest.approx(log(8))


def test_same_pairs_by_hand() -> None:
    # rows 0 and 1 share the query, rows 1 and 2 the item
    same = same_pairs(torch.tensor([5, 5, 6]), torch.tensor([1, 2, 2]))

    assert same.int().tolist() == [[1, 1, 0], [1, 1, 1], [0, 1, 1]]


def test_shared_pairs_are_no_negatives() -> None:
    # Rows 1 and 2 hold the same item, so each competes with row 0 alone: it is the loss of
    # the batches (0, 1) and (0, 2), except that row 0 meets both.
    query, item = vectors(3, 4), vectors(3, 4, seed=1)
    same = same_pairs(torch.tensor([0, 1, 2]), torch.tensor([0, 1, 1]))
    only_last = torch.tensor([0.0, 0.0, 1.0])

    masked = contrastive_loss(query, item, same_BB=same, weight_B=only_last)
    without_row_1 = contrastive_loss(query[[0, 2]], item[[0, 2]], weight_B=only_last[1:])

    assert masked.item() == pytest.approx(without_row_1.item())


def test_a_batch_of_one_query_has_nothing_to_tell_apart() -> None:
    query = vectors(3, 4).requires_grad_()
    same = same_pairs(torch.zeros(3), torch.arange(3))

    loss = contrastive_loss(query, vectors(3, 4, seed=1), same_BB=same)
    loss.backward()

    assert loss.item() == 0
    assert query.grad is not None
    assert query.grad.abs().max() == 0


def test_is_symmetric_and_ignores_the_order_of_rows() -> None:
    query, item = vectors(5, 3), vectors(5, 3, seed=1)
    order = torch.tensor([3, 0, 4, 1, 2])
    value = contrastive_loss(query, item).item()

    assert contrastive_loss(item, query).item() == pytest.approx(value)
    assert contrastive_loss(query[order], item[order]).item() == pytest.approx(value)


@pytest.mark.parametrize("scale", [-200.0, 200.0])
def test_stays_finite_when_the_model_is_certain(scale: float) -> None:
    query = torch.eye(3).requires_grad_()

    loss = contrastive_loss(query, torch.eye(3), scale=scale)
    loss.backward()

    assert torch.isfinite(loss)
    assert query.grad is not None
    assert torch.isfinite(query.grad).all()


def test_gradient_is_that_of_the_value() -> None:
    same = same_pairs(torch.tensor([0, 1, 1, 2]), torch.tensor([0, 1, 2, 0]))

    assert gradcheck(
        lambda query, item, scale: contrastive_loss(query, item, same_BB=same, scale=scale),
        (
            vectors(4, 2).requires_grad_(),
            vectors(4, 2, seed=1).requires_grad_(),
            torch.tensor(2.0, dtype=torch.float64, requires_grad=True),
        ),
    )
