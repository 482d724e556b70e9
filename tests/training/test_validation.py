from __future__ import annotations

from dataclasses import replace
from math import isnan, log2
from pathlib import Path

import numpy as np
import pytest

from shelfwise.data.batches import batches, examples_between
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets, match_targets
from shelfwise.metrics.auc import auc
from shelfwise.models.inference import pair_probabilities
from shelfwise.models.inputs import as_requests
from shelfwise.training.validation import check, ndcg_of_targets, target_scores

from .small_network import CPU, network_of


def targets_of(right: list[tuple[int, int]], seen: list[tuple[int, int]]) -> MatchTargets:
    def column(pairs: list[tuple[int, int]], place: int) -> np.ndarray:
        return np.array([pair[place] for pair in pairs], np.int64)

    zeros = np.zeros(2, np.int64)
    return MatchTargets(
        np.arange(2), zeros, zeros, zeros - 1,
        column(right, 0), column(right, 1), column(seen, 0), column(seen, 1),
    )  # fmt: skip


SCORES = np.array([[4, 3, 2, 1], [1, 2, 3, 4]], np.float32)


def test_ndcg_by_hand() -> None:
    # Target 0 took items 1 and 3, at places 2 and 4; target 1 took item 3, at place 1.
    targets = targets_of([(0, 1), (0, 3), (1, 3)], [(0, 0), (1, 3)])

    found = ndcg_of_targets(targets, SCORES, only_new=False)

    best = 1 + 1 / log2(3)
    assert found.tolist() == pytest.approx([(1 / log2(3) + 1 / log2(5)) / best, 1])


def test_ndcg_of_new_items_by_hand() -> None:
    # Item 0 was seen, so items 1 and 3 move up to places 1 and 3; all that target 1 took was seen.
    targets = targets_of([(0, 1), (0, 3), (1, 3)], [(0, 0), (1, 3)])

    found = ndcg_of_targets(targets, SCORES, only_new=True)

    assert found[0] == pytest.approx((1 + 1 / log2(4)) / (1 + 1 / log2(3)))
    assert isnan(found[1])


def test_a_check_is_the_mean_of_what_is_known(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_of(prepared_sample, tiny_encoder)
    moments = prepared_sample.moments
    targets = match_targets(prepared_sample, "validation")
    examples = examples_between(prepared_sample, moments.validation, moments.test)

    found = check(network, prepared_sample, targets, examples, step=7)

    assert found.step == 7
    assert set(found.figures) == {"ndcg@10", "click_auc", "convert_auc"}
    known = [value for value in found.figures.values() if not isnan(value)]
    assert found.score == pytest.approx(np.mean(known))
    scores = target_scores(network, prepared_sample, targets)
    assert scores.shape == (len(targets), len(prepared_sample.items))
    ndcg = ndcg_of_targets(targets, scores, only_new=False)
    assert found.figures["ndcg@10"] == pytest.approx(np.nanmean(ndcg))


def test_the_click_auc_is_that_of_all_impressions(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_of(prepared_sample, tiny_encoder)
    moments = prepared_sample.moments
    examples = examples_between(prepared_sample, moments.validation, moments.test)
    # One request at a time; a check takes many.
    p, clicked = [], []
    for batch in batches(prepared_sample, examples, 1, None):
        now = network.moments(batch.at_R)
        asked = as_requests(batch.history, batch.query_R, batch.surface_R, CPU, now.moment_R)
        network.model.eval()
        catalogue = network.catalogue(asked.query_texts, now.trend_KVG)
        pairs = (batch.shown_request_N, batch.shown_item_N)
        answer = pair_probabilities(
            network.model, asked.requests, catalogue, pairs, batch.position_N
        )
        p.append(answer.click_N)
        clicked.append(batch.clicked_N > 0)

    found = check(
        network, prepared_sample, match_targets(prepared_sample, "validation"), examples, 1
    )

    expected = auc(np.concatenate(p), np.concatenate(clicked)).value
    assert found.figures["click_auc"] == pytest.approx(expected, abs=1e-4)


def test_nothing_to_judge_by(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    network = network_of(prepared_sample, tiny_encoder)
    none = match_targets(prepared_sample, "validation").chosen(np.empty(0, np.int64))
    empty = examples_between(prepared_sample, 0, 1)

    found = check(network, prepared_sample, none, empty, 1)

    assert isnan(found.score)
    assert all(isnan(value) for value in found.figures.values())
    # Without impressions the heads are not asked.
    bare = replace(prepared_sample, impressions=prepared_sample.impressions.clear())
    assert set(check(network, bare, none, empty, 1).figures) == {"ndcg@10"}
