from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shelfwise.data.batches import Batch, gather
from shelfwise.data.history import KINDS
from shelfwise.data.prepared import PreparedShop
from shelfwise.models.config import Frozen, Full, TuningOptions
from shelfwise.training.config import TrainOptions
from shelfwise.training.network import Network
from shelfwise.training.objective import Terms, batch_loss

from .small_network import TOP, first_batch, network_of, training_examples

OPTIONS = TrainOptions()
EVERY_KIND = tuple(range(len(KINDS)))


def loss_of(
    network: Network, batch: Batch, options: TrainOptions = OPTIONS, final: tuple[int, ...] = ()
) -> Terms:
    """Dropout is off, so that the same network gives the same loss."""
    network.model.eval()
    network.bank.encoder.eval()
    return batch_loss(network, batch, options, np.random.default_rng(0), final)


@pytest.mark.parametrize("final", [(), EVERY_KIND])
def test_steps_downhill_lower_every_loss(
    prepared_sample: PreparedShop, tiny_encoder: Path, final: tuple[int, ...]
) -> None:
    network, batch = network_of(prepared_sample, tiny_encoder), first_batch(prepared_sample)
    learning = [*network.model.parameters()]
    learning += [p for p in network.bank.encoder.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=3e-3)
    before = loss_of(network, batch, final=final)

    for _ in range(15):
        optimizer.zero_grad()
        loss_of(network, batch, final=final).total.backward()
        optimizer.step()

    after = loss_of(network, batch, final=final)
    assert after.match < before.match - 0.5
    assert after.click < before.click
    assert after.purchase < before.purchase


@pytest.mark.parametrize("tuning", [TOP, Frozen(), Full()])
def test_gradient_reaches_what_learns_and_nothing_else(
    prepared_sample: PreparedShop, tiny_encoder: Path, tuning: TuningOptions
) -> None:
    network = network_of(prepared_sample, tiny_encoder, tuning)

    loss_of(network, first_batch(prepared_sample)).total.backward()

    for name, parameter in network.bank.encoder.named_parameters():
        moved = parameter.grad is not None and parameter.grad.abs().sum() > 0
        assert moved == parameter.requires_grad, name
    silent = {n for n, p in network.model.named_parameters() if p.grad is None}
    assert silent == set()


def test_items_that_nobody_had_met_by_then_are_no_negatives(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_of(prepared_sample, tiny_encoder, Frozen())
    cold = ~network.warm_V
    assert 0 < cold.sum() < len(cold)
    # The earliest requests, so that some items come later within training.
    batch = batch_of(prepared_sample, np.arange(8))
    network.bank.vectors_TH.requires_grad_(True)

    loss_of(network, batch).match.backward()

    gradient = network.bank.vectors_TH.grad
    assert gradient is not None
    told = gradient[: network.items].abs().sum(1)
    # Requests at which nothing was taken teach no match.
    later = network.first_V > int(batch.at_R[batch.match_request_M].max())
    later[batch.match_item_M] = False  # what was taken was there
    assert (later & network.warm_V).any()
    assert (told[cold | later] == 0).all()
    assert (told[network.warm_V & ~later] > 0).all()


def batch_of(prepared: PreparedShop, rows: NDArray[np.int64]) -> Batch:
    examples = training_examples(prepared)
    return gather(prepared, examples, np.argsort(examples.at_R, kind="stable")[rows])


def one_request(batch: Batch, row: int) -> Batch:
    """The batch with that request's positives alone."""
    mine = batch.match_request_M == row
    return batch._replace(
        match_request_M=batch.match_request_M[mine],
        match_item_M=batch.match_item_M[mine],
        weight_M=batch.weight_M[mine],
    )


def test_each_request_counts_the_same(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    network = network_of(prepared_sample, tiny_encoder)
    batch = first_batch(prepared_sample, 300)
    rows, counts = np.unique(batch.match_request_M, return_counts=True)
    rows = np.concatenate([rows[counts == 1][:3], rows[counts > 1][:2]])
    assert len(rows) == 5
    some = np.isin(batch.match_request_M, rows)
    batch = batch._replace(
        match_request_M=batch.match_request_M[some],
        match_item_M=batch.match_item_M[some],
        weight_M=np.ones(int(some.sum()), np.float32),
    )

    whole = loss_of(network, batch).match
    singles = [loss_of(network, one_request(batch, row)).match for row in rows.tolist()]

    assert whole.item() == pytest.approx(torch.stack(singles).mean().item(), rel=1e-4)


def test_a_row_of_weight_zero_teaches_nothing(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network, batch = network_of(prepared_sample, tiny_encoder), first_batch(prepared_sample)
    kept_N = batch.shown_request_N % 2 == 0
    kept_M = batch.match_request_M % 3 == 0
    flagged = batch._replace(weight_N=kept_N.astype(np.float32), weight_M=kept_M.astype(np.float32))
    without = batch._replace(
        shown_request_N=batch.shown_request_N[kept_N],
        shown_item_N=batch.shown_item_N[kept_N],
        position_N=batch.position_N[kept_N],
        clicked_N=batch.clicked_N[kept_N],
        purchased_N=batch.purchased_N[kept_N],
        known_N=batch.known_N[kept_N],
        arrived_N=batch.arrived_N[kept_N],
        weight_N=np.ones(int(kept_N.sum()), np.float32),
        match_request_M=batch.match_request_M[kept_M],
        match_item_M=batch.match_item_M[kept_M],
        weight_M=np.ones(int(kept_M.sum()), np.float32),
    )

    found, expected = loss_of(network, flagged), loss_of(network, without)

    assert found.click.item() == pytest.approx(expected.click.item(), rel=1e-5)
    assert found.purchase.item() == pytest.approx(expected.purchase.item(), rel=1e-5)
    # A request with several matches is shared among them all, flagged ones too: here all of a
    # request's matches weigh the same, so nothing is left out of it.
    assert found.match.item() == pytest.approx(expected.match.item(), rel=1e-4)
    nothing = loss_of(
        network, batch._replace(weight_N=0 * batch.weight_N, weight_M=0 * batch.weight_M)
    )
    assert (nothing.match, nothing.click, nothing.purchase) == (0, 0, 0)


def test_twice_the_weight_is_twice_the_row(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network, batch = network_of(prepared_sample, tiny_encoder), first_batch(prepared_sample)
    nothing_N = 0 * batch.weight_N
    first_N, second_N = nothing_N.copy(), nothing_N.copy()
    first_N[0], second_N[1] = 1, 1

    def click(weight_N: np.ndarray) -> float:
        return loss_of(network, batch._replace(weight_N=weight_N)).click.item()

    # Means weighted 2 : 1.
    expected = (2 * click(first_N) + click(second_N)) / 3
    assert click(2 * first_N + second_N) == pytest.approx(expected, rel=1e-5)


def test_the_total_weighs_the_tasks(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    network, batch = network_of(prepared_sample, tiny_encoder), first_batch(prepared_sample)

    terms = loss_of(network, batch, TrainOptions(match_weight=0.5, purchase_weight=3))

    expected = 0.5 * terms.match + terms.click + 3 * terms.purchase
    assert terms.total.item() == pytest.approx(expected.item(), rel=1e-5)


def test_without_impressions_there_is_only_match(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network, batch = network_of(prepared_sample, tiny_encoder), first_batch(prepared_sample)
    none = batch.shown_item_N[:0]
    bare = batch._replace(shown_item_N=none, shown_request_N=none, position_N=none)

    terms = loss_of(network, bare)

    assert terms.click == terms.purchase == 0
    assert terms.total == terms.match > 0


def test_where_new_items_are_asked_for_old_ones_are_neither_right_nor_wrong(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_of(prepared_sample, tiny_encoder, Frozen())
    batch = first_batch(prepared_sample, 1000)
    history = batch.history.item_RL
    # A request with one positive, which its own history does not hold, and a past.
    rows = [
        row
        for row, item in zip(batch.match_request_M, batch.match_item_M, strict=True)
        if (batch.match_request_M == row).sum() == 1
        and (history[row] >= 0).any()
        and item not in history[row]
    ]
    row = int(rows[0])
    new = one_request(batch, row)
    old_item = int(history[row][history[row] >= 0][0])
    with_old = new._replace(
        match_request_M=np.append(new.match_request_M, row),
        match_item_M=np.append(new.match_item_M, old_item),
        weight_M=np.append(new.weight_M, np.float32(1)),
    )

    alone = loss_of(network, new, final=EVERY_KIND).match
    assert alone == loss_of(network, with_old, final=EVERY_KIND).match
    # As an ordinary positive it would have counted.
    assert loss_of(network, new).match != loss_of(network, with_old).match
    # Nor is it among the wrong answers, so one rival less makes the right one likelier.
    only_old = new._replace(
        match_request_M=np.array([row]),
        match_item_M=np.array([old_item], np.int64),
        weight_M=np.ones(1, np.float32),
    )
    assert loss_of(network, only_old, final=EVERY_KIND).match == 0


def test_a_repeat_teaches_how_likely_repeats_are_and_nothing_else(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_of(prepared_sample, tiny_encoder, Frozen())
    batch = first_batch(prepared_sample, 1000)
    history = batch.history.item_RL
    row = int(np.flatnonzero((history >= 0).any(axis=1))[0])
    old_item = int(history[row][history[row] >= 0][0])
    only_old = one_request(batch, row)._replace(
        match_request_M=np.array([row]),
        match_item_M=np.array([old_item], np.int64),
        weight_M=np.ones(1, np.float32),
    )

    options = OPTIONS.model_copy(update={"purchase_weight": 0.0})
    loss_of(network, only_old, options, final=EVERY_KIND).match.backward()

    learned = {
        name
        for name, parameter in network.model.named_parameters()
        if parameter.grad is not None and parameter.grad.abs().sum() > 0
    }
    # So early nothing has a trend yet, which is learned beside them where there is one.
    assert learned == {"repeat.excitement.weight", "repeat.power", "repeat.near"}
    # What was met and taken again grows likelier: a step against the gradient raises it.
    assert network.model.repeat.excitement.weight.grad is not None
    assert network.model.repeat.excitement.weight.grad.min() < 0
