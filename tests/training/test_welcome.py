from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import match_targets
from shelfwise.models.config import Frozen
from shelfwise.training.network import Network
from shelfwise.training.validation import match_ndcg, target_scores
from shelfwise.training.welcome import (
    NO_WELCOME,
    RAISED_W,
    Rankings,
    Welcome,
    _best,
    _shares_of_new,
    rankings_of,
    welcome_as,
    welcome_newcomers,
)

from .small_network import network_of


@pytest.fixture
def network(prepared_sample: PreparedShop, tiny_encoder: Path) -> Network:
    found = network_of(prepared_sample, tiny_encoder, Frozen())
    found.warm_V[::7] = False
    return found


def test_newcomers_rise_as_far_as_the_ranking_bears_it(network: Network) -> None:
    # A ranking that loses a fiftieth of what it has with every logit: .99 of it is left at 0.5.
    losing = Rankings(0.2 * (1 - RAISED_W.astype(np.float64) / 50), RAISED_W / 30)

    found = welcome_newcomers(network, lambda: losing, cost=0.0101)

    assert found == (pytest.approx(0.5), pytest.approx(0.5 / 30))
    assert float(network.model.welcome) == pytest.approx(0.5)
    assert welcome_newcomers(network, lambda: losing, cost=0) == NO_WELCOME
    even = Rankings(np.full(len(RAISED_W), 0.2), RAISED_W / 30)
    assert welcome_newcomers(network, lambda: even, cost=0).raised == pytest.approx(3.0)


def test_a_rise_that_hurts_before_it_helps_is_not_made(network: Network) -> None:
    ndcg_W = np.where((RAISED_W > 0.25) & (RAISED_W < 0.75), 0.1, 0.2)

    found = welcome_newcomers(network, lambda: Rankings(ndcg_W, RAISED_W / 30), cost=0.01)

    assert found.raised == pytest.approx(0.2)


def test_another_network_gives_them_the_same_share_of_first_places(network: Network) -> None:
    nothing_W = np.full(len(RAISED_W), np.nan)
    # These newcomers are at .01 of the places a logit: .012 is reached at 1.2.
    asked = Rankings(nothing_W, RAISED_W.astype(np.float64) / 100)

    assert welcome_as(network, lambda: asked, Welcome(2.0, 0.0121)).raised == pytest.approx(1.2)
    assert float(network.model.welcome) == pytest.approx(1.2)
    # Never further than validation let them rise, however few places that gives.
    assert welcome_as(network, lambda: asked, Welcome(0.7, 0.5)).raised == pytest.approx(0.7)
    assert welcome_as(network, lambda: asked, NO_WELCOME) == NO_WELCOME
    assert float(network.model.welcome) == 0
    # More places than that without being raised: nothing is taken away.
    full = Rankings(nothing_W, np.full(len(RAISED_W), 0.3))
    assert welcome_as(network, lambda: full, Welcome(2.0, 0.1)).raised == 0


def test_where_everything_was_met_nothing_rises(network: Network) -> None:
    network.warm_V[:] = True

    def never() -> Rankings:
        raise AssertionError

    assert welcome_newcomers(network, never, cost=0.5) == NO_WELCOME
    assert welcome_as(network, never, Welcome(1.0, 0.1)) == NO_WELCOME


def test_shares_of_first_places_by_hand() -> None:
    known_TX = np.array([[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]], np.float32)
    new_TV = np.array([[-0.5, 0.95]], np.float32)

    share_W = _shares_of_new(known_TX, new_TV)[0]

    # The second stands above the last as it is; the first passes 1, now ninth, at 1.6 and leaves it
    # out. Level with a known item (1.5) a new one stands behind it.
    assert share_W[[0, 5, 15, 16, 30]].tolist() == [0.1, 0.1, 0.1, 0.2, 0.2]


def test_with_fewer_items_than_places_all_are_the_best() -> None:
    score_TV = np.array([[3.0, 1.0, 2.0]], np.float32)

    assert sorted(_best(score_TV)[0]) == [1, 2, 3]


def test_rankings_are_those_of_the_network_with_newcomers_raised(
    network: Network, prepared_sample: PreparedShop
) -> None:
    targets = match_targets(prepared_sample, "validation")
    assert 20 < len(targets) < 1_000  # all of them are looked at
    only_new = prepared_sample.options.match.seen == "remove"
    found = rankings_of(network, prepared_sample, targets)

    for raised in (0.0, 1.5, 3.0):
        network.model.welcome.fill_(raised)
        place = round(10 * raised)
        ndcg = match_ndcg(network, prepared_sample, targets)
        assert found.ndcg_W[place] == pytest.approx(ndcg, abs=1e-6)
        score_TV = target_scores(network, prepared_sample, targets)
        if only_new:
            score_TV[targets.seen_target_S, targets.seen_item_S] = -np.inf
        top_TK = np.argsort(-score_TV, axis=1, kind="stable")[:, :10]
        share = (~network.warm_V).numpy()[top_TK].mean()
        assert found.exposure_W[place] == pytest.approx(share, abs=1e-6)
    assert found.exposure_W[0] < found.exposure_W[-1]


def test_without_anybody_asked_nothing_rises(
    network: Network, prepared_sample: PreparedShop
) -> None:
    nobody = match_targets(prepared_sample, "validation").chosen(np.zeros(0, np.int64))

    found = welcome_newcomers(
        network, lambda: rankings_of(network, prepared_sample, nobody), cost=0.5
    )

    assert found == NO_WELCOME
    assert torch.equal(network.model.welcome, torch.zeros(()))
