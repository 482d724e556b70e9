"""Three small runs of one sample shop compared: two seeds of a short training, and a longer one."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from data.small_log import prepared_shop, random_events

from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.compare import Answered, compare
from shelfwise.evaluation.compare_page import compare_page
from shelfwise.evaluation.compare_report import CompareReport, Comparison
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.evaluate import evaluate
from shelfwise.evaluation.report import OURS, Row
from shelfwise.evaluation.stored_answers import FOLDER, ShopAnswers, answers_of, keep_answers
from shelfwise.models.config import EncoderOptions, ModelOptions, TopLayers
from shelfwise.schema.errors import ArtifactError, ConfigError
from shelfwise.schema.manifest import open_sealed
from shelfwise.schema.progress import Silent
from shelfwise.training.config import TrainOptions
from shelfwise.training.train import train

OPTIONS = EvaluateOptions(draws=60, examples=0)


@pytest.fixture(scope="module")
def runs(
    tiny_run: Path,
    prepared_sample: PreparedShop,
    tiny_encoder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Path]:
    """Folders long, short-seed0 and short-seed1."""
    folder = tmp_path_factory.mktemp("compared")
    long = shutil.copytree(tiny_run, folder / "long", ignore=shutil.ignore_patterns(".*"))
    encoder = EncoderOptions(name=str(tiny_encoder), tuning=TopLayers(layers=1))
    found = [long]
    for seed in (0, 1):
        found.append(folder / f"short-seed{seed}")
        train(
            prepared_sample,
            found[-1],
            ModelOptions(width=32, encoder=encoder),
            TrainOptions(epochs=1, live_texts=16, device="cpu", threads=1, seed=seed),
        )
    return found


@pytest.fixture(scope="module")
def report(runs: list[Path]) -> CompareReport:
    return compare(runs, OPTIONS, Answered(command="shelfwise compare long short"))


def figures(report: CompareReport, system: str) -> dict[tuple[str, str, str], Row]:
    return {(r.task, r.view, r.metric): r for r in report.rows if r.system == system}


def test_runs_become_systems(report: CompareReport, runs: list[Path]) -> None:
    assert [(s.name, s.seeds) for s in report.systems] == [("long", [0]), ("short", [0, 1])]
    assert report.systems[1].runs == [str(runs[1]), str(runs[2])]
    assert report.options == {"train.epochs": ["2", "1"]}
    assert {one.seeds for one in report.comparisons} == {(1, 2)}
    assert {row.seeds for row in report.rows} == {1, 2}
    assert any("one seed is that one run" in note for note in report.notes)
    assert report.reproduce["Command"] == "shelfwise compare long short"


def test_values_are_those_that_evaluate_finds(report: CompareReport, runs: list[Path]) -> None:
    mine = figures(report, "long")
    known = {
        (row.task, row.view, row.metric): row
        for row in evaluate(runs[0], OPTIONS).rows
        if row.system == OURS and row.support
    }

    shared = mine.keys() & known.keys()
    assert {metric for _, _, metric in shared} >= {
        "ndcg@10", "recall@10", "mrr", "recall@100",
        "auc", "gauc", "log_loss", "ece", "pcoc", "cvr_auc", "ctcvr_auc",
    }  # fmt: skip
    for place in shared:
        assert mine[place].value == pytest.approx(known[place].value, abs=1e-6), place


def test_a_system_of_two_seeds_by_hand(
    report: CompareReport, runs: list[Path], prepared_sample: PreparedShop
) -> None:
    # NDCG@10 of every owner: one right item at place r <= 10 gains 1/log2(1 + r), divided by the
    # gain of as many right items at the top; the mean over an owner's requests, then seeds, owners.
    def by_owner(run: Path) -> pl.DataFrame:
        found = answers_of(run, prepared_sample, OPTIONS.most_targets, Silent())
        assert not isinstance(found, pl.DataFrame)
        ranks = found.ranks.filter(pl.col("view") == "main")  # type: ignore[union-attr]
        assert (ranks["first"] == ranks["last"]).all()  # no ties in these runs
        gain = pl.when(pl.col("first") <= 10).then(1 / (1 + pl.col("first")).log(2)).otherwise(0.0)
        best = pl.Series([0.0, *(1 / np.log2(np.arange(2, 12))).cumsum()])
        by_target = ranks.group_by("target").agg(gain.sum().alias("gain"), pl.len().alias("right"))
        ideal = best.gather(by_target["right"].clip(upper_bound=10))
        owners = found.targets.with_row_index("target")  # type: ignore[union-attr]
        return (
            by_target.with_columns((pl.col("gain") / ideal).alias("ndcg"))
            .join(owners.cast({"target": pl.Int64}), on="target")
            .group_by("owner")
            .agg(pl.col("ndcg").mean())
            .sort("owner")
        )

    long, *short = [by_owner(run)["ndcg"].to_numpy() for run in runs]
    gap = long - (short[0] + short[1]) / 2

    found = report.comparisons[0]
    assert (found.metric, found.view) == ("ndcg@10", "main")
    assert found.value == pytest.approx(gap.mean())
    assert found.support == len(gap)
    place = ("match", "main", "ndcg@10")
    assert figures(report, "short")[place].value == pytest.approx(np.mean(short))
    spread = report.spread(figures(report, "short")[place])
    assert spread is not None
    assert spread.values == {
        "0": pytest.approx(short[0].mean()),
        "1": pytest.approx(short[1].mean()),
    }
    # Two values: their standard deviation is their distance over the root of 2.
    distance = abs(short[0].mean() - short[1].mean())
    assert spread.deviation == pytest.approx(distance / np.sqrt(2))
    assert report.spread(figures(report, "long")[place]) is None


def test_every_comparison_says_what_it_rests_on(report: CompareReport) -> None:
    assert report.tested == len([one for one in report.comparisons if one.support])
    for one in report.comparisons:
        if one.support:
            assert 0 < one.p <= one.p_holm <= 1
            assert one.low <= one.value <= one.high or one.metric == "ece"
    [pair] = report.pairs
    counted = pair.better + pair.worse + pair.open + pair.unknown
    assert counted == len(report.comparisons)
    json.dumps(report.as_json(), allow_nan=False)
    assert report.as_json()["comparisons"][0]["verdict"] == report.comparisons[0].sentence


def test_the_order_of_runs_changes_only_signs(report: CompareReport, runs: list[Path]) -> None:
    turned = compare([runs[1], runs[2], runs[0]], OPTIONS)

    def plain(one: Comparison, sign: int) -> tuple[object, ...]:
        return (one.task, one.view, one.metric, pytest.approx(sign * one.value, abs=1e-12))

    assert [plain(one, 1) for one in turned.comparisons] == [
        (one.task, one.view, one.metric, -one.value) for one in report.comparisons
    ]
    assert [one.p for one in turned.comparisons] == [one.p for one in report.comparisons]


def test_answers_are_kept_and_the_seal_stays_whole(
    report: CompareReport, runs: list[Path], prepared_sample: PreparedShop
) -> None:
    [kept] = (runs[1] / FOLDER).iterdir()
    written = {file.name: file.stat().st_mtime_ns for file in kept.iterdir()}

    again = compare(runs, OPTIONS)

    assert open_sealed(runs[1], "run").kind == "run"
    assert {file.name: file.stat().st_mtime_ns for file in kept.iterdir()} == written
    assert again.comparisons == report.comparisons
    compare(runs, OPTIONS, Answered(prepared=prepared_sample.folder, fresh=True))
    assert {file.name: file.stat().st_mtime_ns for file in kept.iterdir()} != written


def test_where_only_seeds_differ_they_are_compared_one_by_one(runs: list[Path]) -> None:
    found = compare(runs[1:], OPTIONS)

    assert [system.name for system in found.systems] == ["short-seed0", "short-seed1"]
    assert "what differs is chance" in found.grouping
    assert found.options == {}


def test_the_page_holds_all_of_it(report: CompareReport) -> None:
    page = compare_page(report)

    for words in (report.pairs[0].sentence, "train.epochs", report.data.fingerprint, "0, 1"):
        assert words in page
    for section in ("verdicts", "differences", "figures", "systems", "protocol", "reproduce"):
        assert f'<section id="{section}"' in page
    assert "between seeds" in page
    assert "<script" not in page


@pytest.mark.parametrize("turned", [1, -1])
def test_what_the_interval_alone_would_say_is_drawn_as_open(
    report: CompareReport, turned: int
) -> None:
    low, high = sorted((turned * 0.01, turned * 0.03))
    alone = replace(
        report.comparisons[0], value=turned * 0.02, low=low, high=high, p=0.04, p_holm=0.4
    )

    page = compare_page(replace(report, comparisons=[alone, *report.comparisons[1:]]))

    assert re.findall(r'class="strip (\w+)"', page)[0] == "open"


def test_what_one_run_has_not_learned_is_not_compared(
    report: CompareReport, runs: list[Path], prepared_sample: PreparedShop, tmp_path: Path
) -> None:
    unlearned = shutil.copytree(runs[1], tmp_path / "unlearned")
    told = answers_of(runs[1], prepared_sample, OPTIONS.most_targets, Silent())
    assert isinstance(told, ShopAnswers)
    shown = told.impressions.with_columns(pl.lit(float("nan")).alias("p_convert"))
    keep_answers(replace(told, impressions=shown), unlearned, prepared_sample, OPTIONS.most_targets)

    found = compare([unlearned, runs[0]], OPTIONS)

    assert {one.task for one in found.comparisons} == {"match", "click"}
    assert {row.task for row in found.rows if row.system == "long"} == {
        row.task for row in report.rows
    }
    assert [note for note in found.notes if "is not compared there" in note] == [
        f"unlearned says nothing of {task}, so it is not compared there."
        for task in ("click and purchase", "conversion")
    ]
    assert "AUC of purchases among the clicked" in compare_page(found)


def test_names_are_escaped(report: CompareReport) -> None:
    systems = [replace(report.systems[0], name="<b>long</b>"), report.systems[1]]
    compared = [replace(one, a="<b>long</b>") for one in report.comparisons]

    page = compare_page(replace(report, systems=systems, comparisons=compared))

    assert "<b>long" not in page


def test_what_cannot_be_compared_is_refused(
    runs: list[Path], tiny_encoder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="two runs or more, 1 given"):
        compare(runs[:1], OPTIONS)
    with pytest.raises(ConfigError, match="long: named twice"):
        compare([runs[0], runs[0]], OPTIONS)
    with pytest.raises(ArtifactError, match="no manifest"):
        compare([runs[0], tmp_path], OPTIONS)
    prepared = prepared_shop(tmp_path, random_events(0, impressions=True))
    encoder = EncoderOptions(name=str(tiny_encoder), tuning=TopLayers(layers=1))
    train(
        prepared,
        tmp_path / "other",
        ModelOptions(width=16, encoder=encoder),
        TrainOptions(epochs=1, live_texts=4, device="cpu", threads=1),
    )
    with pytest.raises(ConfigError, match=r"different prepared data .*\n.*long: \w{12}\n.*other:"):
        compare([runs[0], tmp_path / "other"], OPTIONS)
    with pytest.raises(ArtifactError, match="its data fingerprint"):
        compare(runs, OPTIONS, Answered(prepared=tmp_path / "prepared"))
