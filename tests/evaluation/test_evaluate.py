from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from data.small_log import prepared_shop, random_events
from training.test_classify import options_of, prepared_pairs

from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.evaluate import Measured, evaluate
from shelfwise.evaluation.page import report_page
from shelfwise.evaluation.report import Report
from shelfwise.evaluation.summary import protocol_of
from shelfwise.schema.errors import ArtifactError
from shelfwise.training.config import TrainOptions
from shelfwise.training.train import train

OPTIONS = EvaluateOptions(draws=50, examples=3)


@pytest.fixture(scope="module")
def report(tiny_run: Path, sample_shop: Path) -> Report:
    truth = sample_shop / "truth" / "impressions.parquet"
    return evaluate(tiny_run, OPTIONS, Measured(truth=truth))


def test_every_system_stands_in_every_view(report: Report) -> None:
    match = {(row.system, row.view) for row in report.rows if row.task == "match"}

    systems = {system for system, _ in match}
    assert systems == {
        "shelfwise",
        "popularity",
        "recent popularity",
        "item-kNN (cosine)",
        "item-kNN (BM25)",
        "last-click Markov",
        "own purchase counts",
        "EASE",
        "BM25 of texts",
        "frozen encoder (cosine)",
        "EASE and recent popularity",
    }
    names = {view for _, view in match}
    assert {"main", "new"} <= names
    assert match == {(system, view) for system in systems for view in names}
    assert {(d.a, d.b) for d in report.differences} == {
        ("shelfwise", system) for system in systems - {"shelfwise"}
    }
    assert report.headline == "main"


def test_intervals_hold_their_value(report: Report) -> None:
    assert report.rows
    for row in report.rows:
        if row.support == 0:
            assert row.value != row.value
        elif row.metric != "ece":  # resampling only adds to it, and a note says so
            assert not row.low > row.value + 1e-9
            assert not row.high < row.value - 1e-9


def test_whoever_knows_the_truth_is_better(report: Report) -> None:
    def figure(metric: str, system: str) -> float:
        row = report.row(metric, system=system)
        assert row is not None
        return row.value

    for rival in ("shelfwise", "shelfwise/no-position", "item and position rates"):
        assert figure("auc", "oracle") > figure("auc", rival)
        assert figure("log_loss", "oracle") < figure("log_loss", rival)
    assert figure("pcoc", "oracle") == pytest.approx(1, abs=0.25)


def test_it_says_what_it_rests_on(report: Report, prepared_sample: PreparedShop) -> None:
    assert report.protocol == protocol_of(prepared_sample)
    assert report.data.synthetic
    assert report.data.fingerprint == prepared_sample.manifest.data_fingerprint
    # Whatever the sample's log has labels of.
    main = ["match (click/purchase)", "click", "conversion"]
    assert report.tasks == [*main, "interest", "intent", "attributes", "relevance"]
    assert len(report.curve["checks"]) == 2
    assert len(report.examples) == 3
    for told in ("in view main is", "of click is", "of conversion is"):
        assert any(f"strongest baseline {told}" in note for note in report.notes)
    assert any("as validation chose them: popularity; recent" in note for note in report.notes)
    assert report.figures["baseline EASE: regularisation"] > 0
    assert report.figures["baseline gradient boosting, click: rounds"] >= 1
    assert report.versions["torch"]
    assert report.peak_mib > 0


def test_json_holds_no_nan_and_the_page_can_be_made(report: Report) -> None:
    text = json.dumps(report.as_json(), allow_nan=False)

    assert json.loads(text)["headline"] == "main"
    assert "oracle" in report_page(report)


def test_the_same_run_gives_the_same_figures(tiny_run: Path, report: Report) -> None:
    again = evaluate(tiny_run, OPTIONS)

    known = [row for row in report.rows if row.system != "oracle"]
    assert [str(row) for row in again.rows] == [str(row) for row in known]
    assert again.differences == report.differences


def test_other_data_is_refused(tiny_run: Path, tmp_path: Path) -> None:
    prepared_shop(tmp_path, random_events(0, impressions=True))

    with pytest.raises(ArtifactError, match=r"data fingerprint \w{12} is not the run's \w{12}"):
        evaluate(tiny_run, OPTIONS, Measured(prepared=tmp_path / "prepared"))


def test_a_copy_of_the_data_will_do(
    tiny_run: Path, prepared_sample: PreparedShop, tmp_path: Path, report: Report
) -> None:
    copy = shutil.copytree(prepared_sample.folder, tmp_path / "elsewhere")

    found = evaluate(tiny_run, OPTIONS, Measured(prepared=copy))

    assert found.row("ndcg@10") == report.row("ndcg@10")


@pytest.mark.parametrize("classes", [["no", "yes"], ["no", "yes", "dunno"]])
def test_a_classifier_is_measured_on_its_test(
    tiny_encoder: Path, tmp_path: Path, classes: list[str]
) -> None:
    prepared = prepared_pairs(tmp_path, classes)
    options = TrainOptions(
        epochs=20, threads=1, device="cpu", learning_rate=0.01, encoder_learning_rate=0.002
    )
    train(prepared, tmp_path / "run", options_of(tiny_encoder), options)

    report = evaluate(tmp_path / "run", OPTIONS)

    found = {(row.view, row.metric): row for row in report.rows}
    for name in [*classes, "macro", "weighted"]:
        for metric in ("precision", "recall", "f1"):
            row = found[name, metric]
            assert 0 <= row.low <= row.value <= row.high <= 1
    test = prepared.rows.filter(pl.col("part") == "test")
    for number, name in enumerate(sorted(classes)):
        assert found[name, "f1"].support == len(test.filter(label=number))
    accuracy = report.row("accuracy")
    assert accuracy is not None
    assert accuracy.value > 0.9
    assert accuracy.support == len(test)
    assert (("main", "auc") in found) == (len(classes) == 2)
    lines = report.classification_text().splitlines()
    assert [line.split()[0] for line in lines[1:]] == [*sorted(classes), "macro", "weighted"]
    assert report.tasks == ["classification"]
    json.dumps(report.as_json(), allow_nan=False)
    assert "no text stands in two parts" in report.protocol
