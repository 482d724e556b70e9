"""Shops without a log of behaviour: what a trial of theirs comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from training.judged_shop import judged_shop
from training.test_classify import prepared_pairs

from shelfwise.config import validated
from shelfwise.data.prepared import Prepared, PreparedJudgements, PreparedPairs
from shelfwise.evaluation.pieces import Setting
from shelfwise.evaluation.tuning.lessons import without_test
from shelfwise.evaluation.tuning.objective import Trials
from shelfwise.evaluation.tuning.usual import usual_options
from shelfwise.training.course import tell_nobody
from shelfwise.tuning.config import TuneOptions
from shelfwise.tuning.plan import HopelessError
from shelfwise.tuning.searched import searched_space


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> PreparedJudgements:
    return judged_shop(tmp_path_factory.mktemp("judged"))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> PreparedPairs:
    return prepared_pairs(tmp_path_factory.mktemp("pairs"), ["no", "yes"])


def trials_of(prepared: Prepared, encoder: Path, folder: Path, options: TuneOptions) -> Trials:
    plain = [
        f"model.encoder.name={encoder}",
        "model.encoder.tuning.mode=top_layers",
        "model.encoder.tuning.layers=1",
        "train.epochs=2",
        "train.threads=1",
        "train.device=cpu",
    ]

    def configured(changes: Sequence[str]) -> Setting:
        config = validated({}, [*plain, *changes], "here")
        return Setting(config.model, config.train, config.evaluate)

    base = validated({}, plain, "here")
    space = searched_space(base, usual_options(prepared))
    return Trials(prepared, folder, configured, options, space)


def test_judgements_are_judged_by_spearman_and_never_by_the_test(
    judged: PreparedJudgements, tiny_encoder: Path, tmp_path: Path
) -> None:
    turned = judged.judgements.with_columns(
        grade=pl.when(pl.col("part") == "test").then(2 - pl.col("grade")).otherwise("grade")
    )
    found = []
    for shop in (judged, replace(judged, judgements=turned)):
        trials = trials_of(shop, tiny_encoder, tmp_path, TuneOptions())
        assert trials.rising == (True,)
        found.append(trials(trials.space.defaults(), tell_nobody))
    first, second = found
    assert first.values == second.values == (first.notes["figures"]["spearman"],)
    low = TuneOptions(objectives=("rmse", "memory_mib"))
    trials = trials_of(judged, tiny_encoder, tmp_path, low)
    assert trials.rising == (False, False)
    rmse, mib = trials(trials.space.defaults(), tell_nobody).values
    assert rmse == first.notes["figures"]["rmse"]
    assert 0 < mib < 5  # a tiny encoder


def test_classes_are_judged_by_their_log_loss(
    pairs: PreparedPairs, tiny_encoder: Path, tmp_path: Path
) -> None:
    trials = trials_of(pairs, tiny_encoder, tmp_path, TuneOptions())
    outcome = trials(trials.space.defaults(), tell_nobody)
    assert outcome.values == (-outcome.notes["figures"]["log_loss"],)
    slow = trials_of(pairs, tiny_encoder, tmp_path, TuneOptions(at_most={"latency_ms": 9.0}))
    with pytest.raises(HopelessError, match="latency_ms is of shops with a log"):
        slow(slow.space.defaults(), tell_nobody)


def test_a_share_of_the_training_keys_is_kept_and_all_of_validation(
    judged: PreparedJudgements, pairs: PreparedPairs
) -> None:
    half = without_test(judged, 0.5)
    assert isinstance(half, PreparedJudgements)
    parts = half.judgements.group_by("part").agg(pl.col("query").n_unique())
    counts = dict(parts.iter_rows())
    assert counts.keys() == {"train", "validation"}
    assert counts["validation"] == 4  # of 40 queries
    assert 8 <= counts["train"] <= 20  # of 28
    whole = without_test(pairs)
    assert isinstance(whole, PreparedPairs)
    kept = pairs.rows.filter(pl.col("part") != "test")
    assert whole.rows.equals(kept)
    assert whole.manifest.data_fingerprint != pairs.manifest.data_fingerprint
