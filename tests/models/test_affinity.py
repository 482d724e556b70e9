from __future__ import annotations

from math import exp, log, log1p

import pytest
import torch

from shelfwise.models.affinity import FIGURES, Affinity, PastEvents, bought_share
from shelfwise.models.history_encoder import AGE_BUCKETS
from shelfwise.schema.event import EventKind

KINDS = list(EventKind)
VIEW, CART, BUY = (KINDS.index(k) for k in (EventKind.VIEW, EventKind.CART, EventKind.PURCHASE))
FAINT = exp(-2)  # what a look counts as beside a wish


def past() -> PastEvents:
    """Request 0: viewed an item of (category 2, brand 0) twice, bought one of (2, none), and
    something without an item; request 1: nothing."""
    return PastEvents(
        group_RPC=torch.tensor(
            [[[2, 0], [2, 0], [2, -1], [-1, -1]], [[-1, -1]] * 4], dtype=torch.int64
        ),
        kind_RP=torch.tensor([[VIEW, VIEW, BUY, 0], [0] * 4]),
        age_RP=torch.tensor([[30.0, 1.0, 0.1, 0.0], [0.0] * 4]),
        is_item_RP=torch.tensor([[True, True, True, False], [False] * 4]),
        groups=5,
    )


@torch.no_grad()
def test_figures_by_hand() -> None:
    found = Affinity()(past(), torch.tensor([0]), torch.tensor([[2, 0]]))[0]

    # All alike: three in the category, two of the brand. As wishes: a purchase 1, each look e^-2.
    category, brand, whole = (3.0, 2 * FAINT + 1), (2.0, 2 * FAINT), (3.0, 2 * FAINT + 1)
    expected = []
    for much in (category, brand):
        expected += [log1p(one) for one in much]
        expected += [one / (every + 1) for one, every in zip(much, whole, strict=True)]
    expected += [log1p(one) for one in whole]
    counts = {VIEW: 2, BUY: 1}
    expected += [log1p(counts.get(kind, 0)) for kind in range(len(KINDS))]
    assert found.tolist() == pytest.approx(expected, rel=1e-5)
    assert len(found) == FIGURES


@torch.no_grad()
def test_an_item_without_a_group_and_one_never_met_are_like_nothing() -> None:
    groups = torch.tensor([[-1, -1], [4, 3]])
    found = Affinity()(past(), torch.tensor([0, 0]), groups)

    assert found[:, :8].abs().sum() == 0
    assert torch.equal(found[0], found[1])


@torch.no_grad()
def test_without_a_past_every_figure_is_zero() -> None:
    found = Affinity()(past(), torch.tensor([1, 1]), torch.tensor([[2, 0], [0, -1]]))

    assert found.abs().sum() == 0


@torch.no_grad()
def test_a_pair_is_judged_by_itself_however_long_others_pasts_are() -> None:
    both = Affinity()(past(), torch.tensor([0, 1, 0]), torch.tensor([[2, 0], [2, 0], [1, 0]]))
    some = past()
    alone = PastEvents(*(part[:1, :3] for part in some[:4]), groups=some.groups)

    found = Affinity()(alone, torch.tensor([0, 0]), torch.tensor([[2, 0], [1, 0]]))

    torch.testing.assert_close(found, both[[0, 2]])


def test_how_much_a_kind_counts_is_learned_by_its_age() -> None:
    affinity = Affinity()

    affinity(past(), torch.tensor([0]), torch.tensor([[2, 0]]))[0, 0].backward()

    moved = affinity.weight.weight.grad
    assert moved is not None
    kinds = {place // AGE_BUCKETS for place in moved[:, 0].nonzero()[:, 0].tolist()}
    assert kinds == {VIEW, BUY}
    # Two views of different age have a weight each.
    assert int((moved[:, 0] != 0).sum()) == 3


def test_counts_tell_what_became_of_carts() -> None:
    # Three carts, one bought: what a shopper's own rate is made of.
    some = PastEvents(
        torch.zeros(1, 4, 2, dtype=torch.int64),
        torch.tensor([[CART, CART, CART, BUY]]),
        torch.ones(1, 4),
        torch.ones(1, 4, dtype=torch.bool),
        groups=1,
    )

    found = Affinity()(some, torch.tensor([0]), torch.tensor([[0, 0]]))[0, -len(KINDS) :]

    assert found[CART].item() == pytest.approx(log1p(3))
    assert found[BUY].item() == pytest.approx(log1p(1))


@torch.no_grad()
def test_the_share_of_purchases_by_hand() -> None:
    asked = past()
    rate = torch.tensor(0.2)

    found = bought_share(asked, rate)
    # Two looks, one purchase: (1 + 10 * .2) / (2 + 10) = .25 of what he saw; over .2.
    assert found.tolist() == pytest.approx([log(0.25 / 0.2), 0.0])

    # Three carts of which one was bought: the look at it is less than what went into the cart.
    carts = asked._replace(
        kind_RP=torch.tensor([[CART, CART, CART, BUY, VIEW], [0] * 5]),
        is_item_RP=torch.tensor([[True] * 5, [False] * 5]),
        age_RP=torch.zeros(2, 5),
        group_RPC=torch.full((2, 5, 2), -1),
    )
    assert bought_share(carts, rate)[0].item() == pytest.approx(log((1 + 2) / (3 + 10) / 0.2))
