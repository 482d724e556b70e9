from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from benchmarks.off_policy_check import SHOP, apart, bandit_rows, coverage
from benchmarks.redrawn_shelves import RedrawnShelves

from shelfwise.evaluation.off_policy.inverse_propensity import inverse_propensity
from shelfwise.schema.progress import Silent


@pytest.fixture(scope="module")
def shelves() -> RedrawnShelves:
    return RedrawnShelves.of(SHOP.model_copy(update={"users": 300}), exploration_share=1.0)


def test_weights_of_a_redrawn_log_average_to_one(shelves: RedrawnShelves) -> None:
    log = shelves.draw(200, np.random.default_rng(0))
    weight = log.target_N / log.propensity_N

    assert weight.mean() == pytest.approx(1, abs=4 * weight.std() / np.sqrt(len(weight)))
    # A tenth of the slots explores as the policy does: no weight is above ten.
    assert weight.max() <= 10 + 1e-9
    assert log.unit_N.max() < 200


def test_what_the_shop_would_do_anyway_has_weight_one(shelves: RedrawnShelves) -> None:
    same = RedrawnShelves.of(shelves.options, shelves.options.exploration_share)

    log = same.draw(20, np.random.default_rng(0))

    assert log.target_N == pytest.approx(log.propensity_N)


def test_the_gap_between_two_logs_by_hand() -> None:
    # 10 of 100 against 30 of 300: no gap, error sqrt(.09 / 100 + .09 / 300) = .0346
    one, other = (np.zeros(100), np.zeros(300))
    one[:10], other[:30] = 1, 1

    value, low, high = apart(
        inverse_propensity(one, np.ones(100)), inverse_propensity(other, np.ones(300))
    )

    assert value == pytest.approx(0)
    assert high - low == pytest.approx(2 * 1.96 * 0.0346, rel=0.06)


def test_rows_of_open_bandit() -> None:
    log = pl.DataFrame(
        {
            "item_id": [0, 1, 1, 3],
            "position": [1, 2, 3, 1],
            "click": [0, 1, 0, 0],
            "propensity_score": [0.5, 0.1, 0.2, 0.25],
        }
    )

    rows = bandit_rows(log, items=4)

    assert (rows.target_N / rows.propensity_N).tolist() == [0.5, 2.5, 1.25, 1.0]
    assert rows.reward_N.tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("draws", [6, pytest.param(200, marks=pytest.mark.long)])
def test_intervals_hold_the_truth(draws: int) -> None:
    found = coverage(draws, 300, Silent())

    for told in found.values():
        # 95 +- 4 % at 200 draws; of 6 at most two may miss.
        assert told["coverage"] >= (0.91 if draws == 200 else 0.66)
        assert told["coverage"] <= (0.99 if draws == 200 else 1)
    for name in ("ips", "snips"):
        assert abs(found[name]["bias_percent"]) < 4 * found[name]["bias_error_percent"]
        assert found[name]["width_to_dr"] > (1 if draws == 200 else 0.97)
