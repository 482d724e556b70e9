"""Each estimator by hand, against recorded answers of Open Bandit Pipeline, and by laws."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shelfwise.evaluation.off_policy.direct_method import direct_method
from shelfwise.evaluation.off_policy.doubly_robust import doubly_robust
from shelfwise.evaluation.off_policy.inverse_propensity import inverse_propensity
from shelfwise.evaluation.off_policy.self_normalised import self_normalised
from shelfwise.evaluation.off_policy.weights import effective_sample_size, importance_weights

ROOT = Path(__file__).parents[3]
ENVIRONMENT = ROOT / ".venv-peers" / "obp" / "bin" / "python"
SCRIPT = ROOT / "benchmarks" / "peers" / "obp" / "estimate_obp.py"

# Printed by `.venv-peers/obp/bin/python benchmarks/peers/obp/estimate_obp.py`, obp 0.4.1.
RECORDED = {
    "sums": {
        "ips": 0.17905238095238096,
        "snips": 0.17955814736282208,
        "dm": 0.15492747252747255,
        "dr": 0.17921146764346765,
        "switch_dr": 0.16067951709401712,
    },
    "open-bandit/all": {
        "ips": 0.0023596395168460067,
        "snips": 0.0023337138931617337,
        "dm": 0.004199948109496683,
        "dr": 0.0022890298209264004,
        "switch_dr": 0.004518071309407342,
    },
    "open-bandit/men": {
        "ips": 0.0030086263272564836,
        "snips": 0.003189423162277392,
        "dm": 0.0058937296636323985,
        "dr": 0.003248662979940464,
        "switch_dr": 0.005466305857949311,
    },
}
SWITCH = 1.5


def _sums() -> tuple[np.ndarray, ...]:
    """The same log that the script makes: reward, weight, expected of the logged, of the policy."""
    context, action = np.meshgrid(np.arange(5), np.arange(7), indexing="ij")
    logged = 1.0 + (3 * action + 2 * context) % 5
    logged /= logged.sum(axis=1, keepdims=True)
    target = 1.0 + (action + 2 * context) % 3
    target /= target.sum(axis=1, keepdims=True)
    expected = 0.1 + 0.04 * ((action + 2 * context) % 4)
    row = np.arange(400)
    x = row % 5
    below = ((37 * row) % 400 + 0.5) / 400
    taken = (np.cumsum(logged[x], axis=1) < below[:, None]).sum(axis=1)
    reward = (((53 * row) % 400) / 400 < 0.1 + 0.05 * ((taken + x) % 4)).astype(float)
    weight = importance_weights(target[x, taken], logged[x, taken])
    return reward, weight, expected[x, taken], (target * expected).sum(axis=1)[x]


def open_bandit_inputs(log: pl.DataFrame) -> tuple[np.ndarray, ...]:
    item = log["item_id"].to_numpy()
    reward = log["click"].to_numpy().astype(float)
    items = item.max() + 1
    rate = np.bincount(item, reward) + 100 * reward.mean()
    rate /= np.bincount(item) + 100
    weight = importance_weights(np.full(len(item), 1 / items), log["propensity_score"].to_numpy())
    return reward, weight, rate[item], np.full(len(item), rate.mean())


def ours(
    reward: np.ndarray, weight: np.ndarray, logged: np.ndarray, target: np.ndarray
) -> dict[str, float]:
    return {
        "ips": inverse_propensity(reward, weight).value,
        "snips": self_normalised(reward, weight).value,
        "dm": direct_method(target).value,
        "dr": doubly_robust(reward, weight, logged, target).value,
        "switch_dr": doubly_robust(reward, weight, logged, target, SWITCH).value,
    }


def test_agrees_with_what_obp_was_recorded_to_say() -> None:
    assert ours(*_sums()) == pytest.approx(RECORDED["sums"], abs=1e-12)


@pytest.mark.long
@pytest.mark.skipif(not ENVIRONMENT.exists(), reason="no environment of obp; make it: make peers")
def test_agrees_with_obp_on_its_own_sample() -> None:
    done = subprocess.run(
        [ENVIRONMENT, SCRIPT], capture_output=True, text=True, check=True, timeout=250
    )
    cases = json.loads(done.stdout.splitlines()[-1])["cases"]

    assert ours(*_sums()) == pytest.approx(cases["sums"], abs=1e-9)
    [folder] = ENVIRONMENT.parents[1].glob("lib/*/site-packages/obp/dataset/obd")
    for campaign in ("all", "men", "women"):
        log = pl.read_csv(folder / "bts" / campaign / f"{campaign}.csv")
        theirs = cases[f"open-bandit/{campaign}"]
        assert ours(*open_bandit_inputs(log)) == pytest.approx(theirs, abs=1e-9)
        if campaign != "women":
            assert theirs == pytest.approx(RECORDED[f"open-bandit/{campaign}"], abs=1e-9)


def test_four_rows_by_hand() -> None:
    # weights .5/.25 = 2, .5/.5 = 1, .25/.5 = .5, 0; rewards 1, 0, 1, 1
    weight = importance_weights(np.array([0.5, 0.5, 0.25, 0]), np.array([0.25, 0.5, 0.5, 0.5]))
    reward = np.array([1.0, 0, 1, 1])
    logged, target = np.array([0.5, 0.5, 1, 0]), np.array([0.4, 0.4, 0.6, 0.6])

    assert weight.tolist() == [2, 1, 0.5, 0]
    # (2 + 0 + .5 + 0) / 4, and over the weights' sum of 3.5
    assert inverse_propensity(reward, weight).value == 0.625
    assert self_normalised(reward, weight).value == pytest.approx(2.5 / 3.5)
    assert direct_method(target).value == pytest.approx(0.5)
    # .4 + 2 * .5, .4 - .5, .6 + 0, .6 + 0: 1.4 - .1 + .6 + .6 = 2.5, over 4
    assert doubly_robust(reward, weight, logged, target).value == pytest.approx(0.625)
    # the weight 2 is not trusted: .4 - .1 + .6 + .6 = 1.5
    assert doubly_robust(reward, weight, logged, target, 1).value == pytest.approx(1.5 / 4)
    # (3.5)^2 / (4 + 1 + .25)
    assert effective_sample_size(weight) == pytest.approx(12.25 / 5.25)
    assert importance_weights(np.array([0.5]), np.array([0.25]), clip=1.5).tolist() == [1.5]


def test_of_the_logs_own_policy_every_estimate_is_the_mean() -> None:
    reward = np.array([0.0, 1, 1, 0, 0])
    one = np.ones(5)

    for found in (inverse_propensity(reward, one), self_normalised(reward, one)):
        assert found.value == pytest.approx(0.4)
        assert found.influence_N == pytest.approx(reward - 0.4)


def test_a_perfect_model_leaves_nothing_to_the_weights() -> None:
    random = np.random.default_rng(0)
    expected = random.random(50)

    found = doubly_robust(expected, random.random(50) * 9, expected, np.full(50, 0.3))

    assert found.value == pytest.approx(0.3)
    assert np.abs(found.influence_N).max() < 1e-12


def test_influences_are_the_derivatives_of_the_estimates() -> None:
    """Counting row 3 a little more moves an estimate by its influence."""
    reward, weight, logged, target = (column[:40] for column in _sums())
    step = 1e-5
    more = np.ones(40)
    more[3] += step

    def self_normalised_again() -> float:
        return float((more * weight * reward).sum() / (more * weight).sum())

    def robust_again() -> float:
        return float(np.average(target + weight * (reward - logged), weights=more))

    for found, again in (
        (self_normalised(reward, weight), self_normalised_again()),
        (doubly_robust(reward, weight, logged, target), robust_again()),
    ):
        slope = (again - found.value) / step
        assert slope == pytest.approx(found.influence_N[3] / 40, rel=1e-3)
