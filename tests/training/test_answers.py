from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shelfwise.data.batches import examples_of
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import match_targets
from shelfwise.training.answers import answers_of, evenly_spread
from shelfwise.training.validation import check, compared

from .small_network import network_of


def test_a_spread_is_the_same_whenever_it_is_asked() -> None:
    # 0, 9/4, 9/2, 27/4 and 9, cut to whole numbers.
    assert evenly_spread(10, 5).tolist() == [0, 2, 4, 6, 9]
    assert evenly_spread(3, 5).tolist() == [0, 1, 2]
    assert evenly_spread(0, 5).tolist() == []


def test_answers_are_those_of_the_check(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    network = network_of(prepared_sample, tiny_encoder)
    examples = examples_of(prepared_sample, ["validation"])

    found = answers_of(network, prepared_sample, examples, np.arange(len(examples)))

    assert found.item_N.tolist() == examples.shown_item_N.tolist()
    assert found.clicked_N.tolist() == examples.clicked_N.tolist()
    assert len(found.ndcg_R) == len(examples)
    # Without a match there is nothing to rank; NDCG lies in [0, 1].
    matched_R = np.diff(examples.match_offset_R1) > 0
    assert np.isnan(found.ndcg_R).tolist() == (~matched_R).tolist()
    assert ((found.ndcg_R[matched_R] >= 0) & (found.ndcg_R[matched_R] <= 1)).all()
    targets = match_targets(prepared_sample, "validation")
    checked = check(network, prepared_sample, targets, examples, 1)
    assert found.figures()["click_auc"] == pytest.approx(checked.figures["click_auc"], abs=1e-3)


def test_a_comparison_leaves_the_score_alone(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_of(prepared_sample, tiny_encoder)
    targets = match_targets(prepared_sample, "validation")
    held_out = examples_of(prepared_sample, ["validation"])
    checked = check(network, prepared_sample, targets, held_out, 3)

    both = compared(
        checked, network, prepared_sample, examples_of(prepared_sample, ["train"]), held_out
    )

    assert (both.step, both.score, both.figures) == (3, checked.score, checked.figures)
    names = {"request_ndcg@10", "click_auc", "click_log_loss", "convert_auc"}
    assert set(both.learned) == set(both.held_out) == names
    assert both.learned != both.held_out
