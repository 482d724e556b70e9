from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from shelfwise.data.attribution import DAY
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.trend import trend_of
from shelfwise.training.network import live_texts

from .small_network import first_batch, network_of


def test_live_texts_are_those_of_the_batch(prepared_sample: PreparedShop) -> None:
    batch = first_batch(prepared_sample, 40)
    items = len(prepared_sample.items)
    concerned = {*batch.match_item_M.tolist(), *batch.shown_item_N.tolist()}
    typed = {int(query) + items for query in batch.query_R if query >= 0}
    assert len(concerned) > 10
    assert len(typed) > 5

    everything = live_texts(batch, items, 1000, np.random.default_rng(0))
    assert len(everything) == len(set(everything.tolist()))
    assert set(everything.tolist()) == concerned | typed

    few = live_texts(batch, items, 5, np.random.default_rng(1)).tolist()
    assert len(few) == len(set(few)) == 10
    assert len(concerned & set(few)) == len(typed & set(few)) == 5
    assert few == live_texts(batch, items, 5, np.random.default_rng(1)).tolist()
    assert few != live_texts(batch, items, 5, np.random.default_rng(2)).tolist()


def test_fresh_vectors_take_their_own_places(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_of(prepared_sample, tiny_encoder)
    network.model.eval()
    items = network.items
    queries = torch.tensor([2, 5, 9])
    trend = network.moments(np.array([prepared_sample.moments.first])).trend_KVG
    # Wrong vectors in the table, so that fresh ones are told apart.
    truth = network.bank.vectors_TH.clone()
    network.bank.vectors_TH.zero_()
    live = np.array([7, 0, items + 9, items + 2])

    found = network.catalogue(queries, trend, live)

    for number, vector in ((7, found.item_text_VH[7]), (0, found.item_text_VH[0])):
        torch.testing.assert_close(vector, truth[number], atol=0.02, rtol=0)
    torch.testing.assert_close(found.query_text_QH[2], truth[items + 9], atol=0.02, rtol=0)
    torch.testing.assert_close(found.query_text_QH[0], truth[items + 2], atol=0.02, rtol=0)
    assert found.query_text_QH[1].abs().sum() == 0
    others = np.setdiff1d(np.arange(items), live)
    assert found.item_text_VH[torch.from_numpy(others)].abs().sum() == 0
    assert found.item_text_VH.requires_grad
    assert not network.bank.vectors_TH.requires_grad
    assert network.bank.vectors_TH.abs().sum() == 0

    plain = network.catalogue(queries, trend)
    assert not plain.item_text_VH.requires_grad


def test_the_trend_stands_still_after_training(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    moments = prepared_sample.moments
    network = network_of(prepared_sample, tiny_encoder)
    trend = trend_of(prepared_sample)
    end = moments.validation
    at = np.array([moments.first + 3 * DAY, moments.first, end + DAY, end, moments.end - 1])

    found = network.moments(at)

    own_day = trend.step_of(np.array([at[0], at[1], end, end, end]))
    expected = trend.figures(own_day)
    assert np.array_equal(found.trend_KVG.numpy()[found.moment_R], expected)
    # Each different day stands once.
    assert len(found.trend_KVG) == 3
