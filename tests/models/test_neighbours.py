from __future__ import annotations

from math import exp, log1p

import pytest
import torch

from shelfwise.models.history_encoder import AGE_BUCKETS
from shelfwise.models.neighbours import RELATIONS, Neighbours, NeighbourTables
from shelfwise.models.requests import MetItems

ITEMS = 4
TOGETHER, NEXT = (RELATIONS.index(name) for name in ("together", "next"))
# One request met item 2, then 0, then 2 again; the other nothing.
MET = MetItems(
    item_RP=torch.tensor([[-1, 2, 0, 2], [-1, -1, -1, -1]]),
    kind_RP=torch.zeros(2, 4, dtype=torch.int64),
    age_RP=torch.ones(2, 4),
)
ALL = torch.tensor([0, 0])


def tables(items: int = ITEMS) -> NeighbourTables:
    """Two folds; those of fold 1 know of nothing. Item 3 is a neighbour of 0 and of 2."""
    item = torch.zeros(2, 2 * items, 2, dtype=torch.int32)
    weight = torch.zeros(2, 2 * items, 2)
    item[:, 0], item[:, 2] = torch.tensor([3, 1]), torch.tensor([3, 0])
    weight[TOGETHER, 0], weight[TOGETHER, 2] = torch.tensor([0.2, 0.1]), torch.tensor([0.4, 0.3])
    weight[NEXT, 0], weight[NEXT, 2] = torch.tensor([0.5, 0.25]), torch.tensor([0.0, 0.6])
    return NeighbourTables(item, weight)


def alone(relation: int) -> Neighbours:
    """A network that trusts one relation, with a gain of 1; the other adds next to nothing."""
    network = Neighbours(kinds=2)
    with torch.no_grad():
        network.gain.fill_(-5.0)
        network.gain[relation] = 0.0
    return network


@torch.no_grad()
def test_evidence_of_all_that_was_met_adds_up_once_an_item() -> None:
    found = alone(TOGETHER)(MET, ALL, tables(), ITEMS)

    # Met twice, item 2 counts once: by hand, of items 0, 1, 2, 3.
    assert found[0].tolist() == pytest.approx(
        [log1p(0.3), log1p(0.1), 0, log1p(0.2 + 0.4)], abs=1e-5
    )
    assert found[1].tolist() == [0, 0, 0, 0]


@torch.no_grad()
def test_what_comes_next_is_asked_of_the_last_items_most() -> None:
    found = alone(NEXT)(MET, ALL, tables(), ITEMS)

    # Item 2 is the last, item 0 the one before it: e^0 and e^-1, made to sum to 1.
    last, before = 1 / (1 + exp(-1)), exp(-1) / (1 + exp(-1))
    assert found[0].tolist() == pytest.approx(
        [log1p(0.6 * last), log1p(0.25 * before), 0, log1p(0.5 * before)], abs=1e-5
    )


@torch.no_grad()
def test_each_request_asks_the_tables_of_its_fold() -> None:
    found = alone(TOGETHER)(MET, torch.tensor([1, 0]), tables(), ITEMS)

    assert (found == 0).all()


@torch.no_grad()
def test_an_events_kind_and_age_weigh_it() -> None:
    network = alone(TOGETHER)
    network.kind_and_age[TOGETHER, AGE_BUCKETS:] = 0.1 * torch.tensor(2.0).log()  # kind 1: twice
    met = MET._replace(kind_RP=torch.tensor([[0, 0, 0, 1], [0, 0, 0, 0]]))

    found = network(met, ALL, tables(), ITEMS)

    assert found[0, 3].item() == pytest.approx(log1p(0.2 + 2 * 0.4), abs=1e-5)


def test_what_is_learned_gets_a_gradient_and_the_tables_none() -> None:
    network = Neighbours(kinds=2)

    network(MET, ALL, tables(), ITEMS)[0, 3].backward()

    for parameter in (network.gain, network.back, network.kind_and_age):
        assert parameter.grad is not None
        assert parameter.grad.abs().sum() > 0


def test_a_large_catalogue_whose_items_are_not_all_looked_at_is_told_the_same() -> None:
    small, large = Neighbours(kinds=2), Neighbours(kinds=2)
    items = 50 * ITEMS  # others than the first few are nobody's neighbours

    found = small(MET, ALL, tables(), ITEMS)
    of_large = large(MET, ALL, tables(items), items)
    found[0].sum().backward()
    of_large[0].sum().backward()

    assert of_large[:, :ITEMS].tolist() == found.tolist()
    assert (of_large[:, ITEMS:] == 0).all()
    for mine, theirs in zip(small.parameters(), large.parameters(), strict=True):
        torch.testing.assert_close(theirs.grad, mine.grad)
