from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from cli.command import done, shelfwise

from shelfwise.data.batches import examples_of
from shelfwise.data.position_bias import PositionCurve
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.off_policy.shop import (
    ShopOffPolicyOptions,
    lists_by,
    off_policy_of,
    reordered_lists,
)
from shelfwise.evaluation.off_policy.slots import logged_slots
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.errors import ConfigError, DataError
from shelfwise.schema.event import Surface
from shelfwise.schema.progress import Silent


@pytest.fixture(scope="module")
def scorer(tiny_run: Path, prepared_sample: PreparedShop) -> RunScorer:
    return RunScorer(open_run(tiny_run), prepared_sample)


def test_the_logs_own_policy_is_estimated_as_it_was(prepared_sample: PreparedShop) -> None:
    for found in off_policy_of(prepared_sample, "logged", ShopOffPolicyOptions(), Silent()):
        assert found.effective == pytest.approx(found.rows)
        for one in found.estimates:
            assert one.value == pytest.approx(found.logged, rel=1e-3)
            assert one.gain == pytest.approx(0, abs=1e-4)


def test_shelves_support_the_uniform_policy_and_searches_do_not(
    prepared_sample: PreparedShop,
) -> None:
    found = off_policy_of(prepared_sample, "uniform", ShopOffPolicyOptions(), Silent())
    by_surface = {one.where.split(":")[0]: one for one in found}

    assert "of what the policy does" in by_surface["search"].sentence
    shelves = by_surface["recommendation"]
    assert not shelves.refused
    robust = shelves.estimate("dr")
    assert robust is not None
    assert robust.low < robust.value < robust.high
    assert "uniformly" in shelves.sentence


def test_a_hot_run_is_the_uniform_policy(prepared_sample: PreparedShop, scorer: RunScorer) -> None:
    hot = ShopOffPolicyOptions(temperature=1e9, slots="first")
    uniform = ShopOffPolicyOptions(slots="first")

    a = off_policy_of(prepared_sample, scorer, hot, Silent())
    b = off_policy_of(prepared_sample, "uniform", uniform, Silent())

    for one, other in zip(a, b, strict=True):
        assert one.effective == pytest.approx(other.effective, rel=1e-6)
        assert one.rows == other.rows
        assert "match score" in one.policy


def test_a_run_is_asked_about_the_test_alone(
    prepared_sample: PreparedShop, scorer: RunScorer
) -> None:
    with pytest.raises(ConfigError, match="chosen by"):
        off_policy_of(prepared_sample, scorer, ShopOffPolicyOptions(part="later"), Silent())


def test_a_log_without_propensities_says_what_it_lacks(prepared_sample: PreparedShop) -> None:

    shown = prepared_sample.impressions.with_columns(propensity=pl.lit(None, pl.Float64))
    with pytest.raises(DataError, match="no propensity"):
        off_policy_of(
            replace(prepared_sample, impressions=shown), "uniform", ShopOffPolicyOptions(), Silent()
        )


def test_lists_in_the_runs_order(prepared_sample: PreparedShop, scorer: RunScorer) -> None:
    for lists in reordered_lists(prepared_sample, scorer, Silent()):
        assert lists.surface in lists.sentence
        if lists.found is not None:
            assert lists.found.value.support > 0


def test_suspected_machines_are_not_in_the_lists(prepared_sample: PreparedShop) -> None:
    examples = examples_of(prepared_sample, ["test"])
    odd_N = np.arange(len(examples.shown_item_N)) % 2 == 1
    half = replace(examples, weight_N=np.where(odd_N, 0, examples.weight_N))
    last = int(examples.position_N.max())
    flat = [1.0] * last
    curve = PositionCurve(
        "search", list(range(1, last + 1)), flat, flat, flat, flat, [9] * last, [9] * last, flat, 0
    )

    told = lists_by(curve, half, np.zeros(len(odd_N))).found

    assert told is not None
    here_N = np.repeat(examples.surface_R == 0, np.diff(examples.shown_offset_R1))
    kept_N = here_N & (examples.position_N > 0) & ~odd_N & (examples.weight_N > 0)
    assert told.logged.value == pytest.approx(examples.clicked_N[kept_N].mean())
    # With equal scores every item stays, and on a flat curve nothing could change.
    assert told.gain.value == 0


def test_purchases_without_a_price_are_counted(prepared_sample: PreparedShop) -> None:
    free = prepared_sample.items.with_columns(price=pl.lit(None, pl.Float64))
    unpriced = replace(prepared_sample, items=free)

    slots = logged_slots(unpriced, ("validation", "test"), Surface.SEARCH, "revenue")
    bought = logged_slots(unpriced, ("validation", "test"), Surface.SEARCH, "purchase")

    assert slots.unpriced == bought.reward_N.sum() > 0
    assert bought.unpriced == 0
    assert not slots.reward_N.any()


def test_the_command(prepared_sample: PreparedShop, tiny_run: Path) -> None:
    told = done("off-policy", prepared_sample.folder, "--policy", "uniform", "--json")
    [shelves] = [one for one in told.json["estimates"] if one["where"].startswith("recomm")]
    assert {one["estimator"] for one in shelves["estimates"]} == {"ips", "snips", "dm", "dr"}
    assert "effective sample size" in told.out

    asked = done("off-policy", prepared_sample.folder, "--policy", tiny_run, "--json")
    assert len(asked.json["reordered"]) >= 1

    wrong = shelfwise("off-policy", prepared_sample.folder, "--reward", "fame", "--clip", "-1")
    assert wrong.code == 1
    assert "reward" in wrong.err
    assert "clip" in wrong.err
