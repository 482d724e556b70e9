from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from cli.command import done, shelfwise

from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.off_policy.shop import (
    ShopOffPolicyOptions,
    off_policy_of,
    reordered_lists,
)
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.errors import ConfigError, DataError
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
