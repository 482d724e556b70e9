"""What matches can be judged by, on the same batch of a real shop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from shelfwise.data.prepared import PreparedShop
from shelfwise.training.candidates import candidates_of
from shelfwise.training.config import TrainOptions
from shelfwise.training.match_options import (
    GeneralisedBce,
    MatchLossOptions,
    SampledSoftmax,
    Softmax,
)
from shelfwise.training.match_task import final_kinds
from shelfwise.training.network import Network
from shelfwise.training.objective import batch_loss

from .small_network import first_batch, network_of


@pytest.fixture(scope="module")
def network(prepared_sample: PreparedShop, tiny_encoder: Path) -> Network:
    return network_of(prepared_sample, tiny_encoder)


def match_of(
    network: Network, prepared: PreparedShop, loss: MatchLossOptions, *, final: bool = False
) -> torch.Tensor:
    network.model.eval()
    options = TrainOptions(match_loss=loss)
    kinds = final_kinds(prepared) if final else ()
    rng = np.random.default_rng(0)
    return batch_loss(network, first_batch(prepared), options, rng, kinds).match


@pytest.mark.parametrize("by_popularity", [0.0, 0.5])
@pytest.mark.parametrize("final", [False, True])
def test_a_large_draw_says_what_the_whole_catalogue_says(
    network: Network, prepared_sample: PreparedShop, by_popularity: float, final: bool
) -> None:
    # Masks, priors and repeats are in both; what is left is the noise of the draw.
    drawn = SampledSoftmax(negatives=50_000, by_popularity=by_popularity)

    whole = match_of(network, prepared_sample, Softmax(), final=final)

    found = match_of(network, prepared_sample, drawn, final=final)
    assert found.item() == pytest.approx(whole.item(), rel=0.005)


def test_no_more_than_the_draw_and_what_is_right_takes_part(
    network: Network, prepared_sample: PreparedShop
) -> None:
    batch, rng = first_batch(prepared_sample), np.random.default_rng(0)

    found = candidates_of(network, batch.match_item_M, GeneralisedBce(negatives=16), rng)

    assert np.isin(batch.match_item_M, found.item_C).all()
    assert len(found.item_C) <= 16 + len(np.unique(batch.match_item_M))
    assert found.draw is not None
    drawn = found.item_C[found.draw.place_S.numpy()]
    warm = network.warm_V.numpy()
    assert warm[drawn].all()
    # Drawn evenly: each of the warm ones is in a draw of 16 16 / warm times on average.
    expected = np.full(16, 16 / warm.sum())
    np.testing.assert_allclose(np.exp(found.draw.log_expected_S.numpy()), expected, rtol=1e-5)


def test_popular_items_are_drawn_more_often_and_known_to_be(network: Network) -> None:
    size, rng = 200_000, np.random.default_rng(0)
    options = SampledSoftmax(negatives=size, by_popularity=0.9)

    found = candidates_of(network, np.empty(0, np.int64), options, rng)

    assert found.draw is not None
    place_S = found.draw.place_S.numpy()
    came_C = np.bincount(place_S)
    expected_C = np.zeros(len(came_C))
    expected_C[place_S] = np.exp(found.draw.log_expected_S.numpy())
    assert expected_C.max() > 3 * expected_C.min()
    assert (np.abs(came_C - expected_C) < 6 * np.sqrt(expected_C) + 6).all()


@pytest.mark.parametrize(
    "loss", [Softmax(label_smoothing=0.1), SampledSoftmax(negatives=64), GeneralisedBce()]
)
def test_steps_downhill_lower_it_and_so_the_softmax(
    prepared_sample: PreparedShop, tiny_encoder: Path, loss: MatchLossOptions
) -> None:
    network = network_of(prepared_sample, tiny_encoder)
    optimizer = torch.optim.AdamW(network.model.parameters(), lr=3e-3)
    before = match_of(network, prepared_sample, Softmax()).item()

    for _ in range(50):
        optimizer.zero_grad()
        match_of(network, prepared_sample, loss).backward()
        optimizer.step()

    assert match_of(network, prepared_sample, Softmax()).item() < before - 0.1
