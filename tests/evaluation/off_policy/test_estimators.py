"""Each estimator by hand, against recorded answers of Open Bandit Pipeline, and by laws."""

from __future__ import annotations

import json
import subprocess
from math import isnan, sqrt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shelfwise.evaluation.off_policy.direct_method import direct_method
from shelfwise.evaluation.off_policy.doubly_robust import doubly_robust
from shelfwise.evaluation.off_policy.estimate import OffPolicyOptions, estimate_policy
from shelfwise.evaluation.off_policy.interval import bias_aware, interval_of
from shelfwise.evaluation.off_policy.inverse_propensity import inverse_propensity
from shelfwise.evaluation.off_policy.logged import Linear, LoggedRows
from shelfwise.evaluation.off_policy.reward_model import modelled
from shelfwise.evaluation.off_policy.self_normalised import self_normalised
from shelfwise.evaluation.off_policy.support import support_of
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


def test_an_interval_by_hand_where_nothing_is_skewed() -> None:
    # 100 units of one row, half at +1, half at -1: error sqrt(100 / 99) / 10; kurtosis about 1, so
    # 99 degrees of freedom, whose 97.5 % point is 1.9842
    influence = np.repeat([1.0, -1.0], 50)

    found = interval_of(Linear(3.0, influence), np.arange(100))

    assert found.high - 3 == pytest.approx(1.9842 * sqrt(100 / 99) / 10, rel=1e-4)
    assert 3 - found.low == pytest.approx(found.high - 3)
    assert found.support == 100


def test_rows_of_one_unit_are_one_observation() -> None:
    # Each row four times in the same unit: as wide as the rows once.
    influence = np.random.default_rng(1).normal(size=60)

    once = interval_of(Linear(0.0, influence), np.arange(60))
    four = interval_of(Linear(0.0, np.tile(influence, 4)), np.tile(np.arange(60), 4))

    assert four.high == pytest.approx(once.high)
    assert four.support == 60


def test_a_rare_reward_leans_the_interval_to_the_side_of_more() -> None:
    reward = np.zeros(500)
    reward[:6] = 1
    found = inverse_propensity(reward, np.ones(500))

    interval = interval_of(found, np.arange(500))

    assert interval.low > 0
    assert interval.high - found.value > 1.3 * (found.value - interval.low)
    # Clopper and Pearson's exact interval of 6 in 500 is .0044 to .0259; ours is wider.
    assert interval.low == pytest.approx(0.0044, abs=0.0015)
    assert interval.high == pytest.approx(0.0259, abs=0.006)


def test_a_model_is_never_surer_than_the_log_that_checks_it() -> None:
    random = np.random.default_rng(2)
    units = np.arange(400)
    robust = Linear(0.50, random.normal(size=400))
    error = sqrt((robust.influence_N**2).sum()) / 400

    agreed = bias_aware(Linear(0.50, np.zeros(400)), robust, units)
    far = bias_aware(Linear(0.90, np.zeros(400)), robust, units)

    # |N(0, error)| stays below 1.96 error; far off, the gap and 1.645 error on one side.
    assert agreed.high - 0.50 == pytest.approx(1.96 * error, rel=1e-3)
    assert far.high - 0.90 == pytest.approx(0.40 + 1.645 * error, rel=1e-3)


def test_the_models_noise_is_in_its_interval() -> None:
    """Against the spread of the direct method over 300 logs."""
    values, errors = [], []
    for seed in range(300):
        random = np.random.default_rng(seed)
        x = random.normal(size=200)
        feature = np.stack([np.ones(200), x], axis=1)
        shifted = np.stack([np.ones(200), x + 1], axis=1)
        reward = 1 + 0.5 * x + random.normal(size=200)
        direct = modelled(feature, shifted, reward, np.arange(200)).direct
        values.append(direct.value)
        errors.append(sqrt((direct.influence_N**2).sum()) / 200)

    assert np.mean(values) == pytest.approx(1.5, abs=0.03)
    # 300 draws know a spread to 4 %.
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.13)


def test_no_row_is_judged_by_a_model_that_saw_its_unit() -> None:
    """A column that names the unit explains every reward, and nothing across folds."""
    unit = np.arange(40)
    reward = np.random.default_rng(0).normal(size=40)
    feature = np.concatenate([np.ones((40, 1)), np.eye(40)], axis=1)

    model = modelled(feature, feature, reward, unit)

    other = np.array([reward[unit % 5 != fold].mean() for fold in range(5)])
    assert model.logged_N == pytest.approx(other[unit % 5], abs=0.1)


def test_support_by_hand() -> None:
    # 1000 rows of weight 1: all of the policy, worth 1000 rows.
    full = support_of(np.full(1000, 0.1), np.full(1000, 0.1), np.arange(1000))
    assert (full.effective, full.covered.value, full.refused) == (1000, 1, "")

    # Every second row has target 0, the others weight 1: half of the policy is never logged.
    half = support_of(np.tile([0.0, 0.1], 500), np.full(1000, 0.1), np.arange(1000))
    assert half.covered.value == 0.5
    assert "50%" in half.refused

    # One row carries all: worth one row.
    one = np.zeros(1000)
    one[0] = 1.0
    few = support_of(one, np.full(1000, 0.001), np.arange(1000))
    assert few.effective == 1
    assert "worth 1.0 rows" in few.refused

    # Half of the weight lies beyond the clip: 500 * 1 + 500 * 3 = 2000, of which 1000 stay.
    clipped = support_of(np.tile([0.1, 0.3], 500), np.full(1000, 0.1), np.arange(1000), clip=1)
    assert clipped.beyond_clip == pytest.approx(0.5)
    assert "clip" in clipped.refused


def test_without_support_nothing_is_said_and_the_reason_is() -> None:
    rows = LoggedRows(np.ones(50), np.full(50, 0.5), np.full(50, 0.5), np.arange(50))

    told = estimate_policy(rows, OffPolicyOptions(), policy="p", reward="click", where="here")

    assert all(isnan(one.value) and one.support == 0 for one in told.estimates)
    assert told.sentence == told.refused != ""
    nothing = LoggedRows(*(np.zeros(0),) * 3, np.zeros(0, np.int64))
    told = estimate_policy(nothing, OffPolicyOptions(), policy="p", reward="click", where="here")
    assert "no row" in told.sentence


def test_a_policy_that_prefers_what_is_clicked_earns_more() -> None:
    random = np.random.default_rng(0)
    action = random.integers(2, size=4000)
    reward = (random.random(4000) < np.where(action == 1, 0.3, 0.1)).astype(float)
    target = np.where(action == 1, 0.9, 0.1)
    rows = LoggedRows(reward, np.full(4000, 0.5), target, np.arange(4000) // 4)

    told = estimate_policy(rows, OffPolicyOptions(), policy="a policy", reward="click", where="x")

    # .9 * .3 + .1 * .1 = .28 against (.3 + .1) / 2 = .2
    snips = told.estimate("snips")
    assert snips is not None
    assert snips.low < 0.28 < snips.high
    assert snips.gain_low < 0.08 < snips.gain_high
    assert "more than the log's own policy" in told.sentence


def test_a_propensity_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        importance_weights(np.array([0.1]), np.array([0.0]))
