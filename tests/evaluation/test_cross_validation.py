from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training.test_classify import options_of, prepared_pairs

from shelfwise.data.batches import examples_of
from shelfwise.data.folds import time_fold
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.cross_validation import CrossValidation, cross_validate, spreads_of
from shelfwise.evaluation.learning_curve import learning_curve
from shelfwise.evaluation.pieces import (
    MeasuredPiece,
    Piece,
    Setting,
    measure_pieces,
    read_pieces,
)
from shelfwise.evaluation.report import Row
from shelfwise.models.config import EncoderOptions, Frozen, ModelOptions
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.progress import Silent
from shelfwise.training.config import TrainOptions


@pytest.fixture(scope="module")
def setting(tiny_encoder: Path) -> Setting:
    encoder = EncoderOptions(name=str(tiny_encoder), tuning=Frozen())
    return Setting(
        ModelOptions(width=16, encoder=encoder),
        TrainOptions(epochs=1, device="cpu", threads=1, batch_requests=256),
        EvaluateOptions(draws=50, examples=0),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("validated") / "folds"


@pytest.fixture(scope="module")
def found(prepared_sample: PreparedShop, setting: Setting, folder: Path) -> CrossValidation:
    return cross_validate(prepared_sample, folder, setting, by="time", folds=2)


def test_every_fold_says_every_figure(found: CrossValidation) -> None:
    assert [fold.name for fold in found.folds] == ["fold-01", "fold-02"]
    # The later fold has seen more.
    assert found.folds[0].requests < found.folds[1].requests
    for metric in ("ndcg@10", "auc"):
        spread = found.spread(metric)
        assert spread is not None
        assert spread.mean == pytest.approx(np.mean(spread.value_F))
    rival = found.spread("ndcg@10", "popularity")
    assert rival is not None
    json.dumps(found.as_json(), allow_nan=False)


def test_a_finished_fold_is_not_done_again(
    found: CrossValidation, prepared_sample: PreparedShop, setting: Setting, folder: Path
) -> None:
    kept = folder / "fold-01" / "result.json"
    before = kept.stat().st_mtime_ns
    # As a kill would leave it: one fold missing, and half of its folder under another name.
    (folder / "fold-02" / "result.json").unlink()
    (folder / "fold-02").rmdir()
    (folder / ".fold-02.partial-abcd" / "run").mkdir(parents=True)

    again = cross_validate(prepared_sample, folder, setting, by="time", folds=2)

    assert kept.stat().st_mtime_ns == before
    # The same seed on the same view: the same figures.
    first, second = found.spread("auc"), again.spread("auc")
    assert first is not None
    assert second is not None
    assert first.value_F == second.value_F
    assert sorted(path.name for path in folder.iterdir()) == ["fold-01", "fold-02", "plan.json"]


def test_another_plan_is_refused_by_what_differs(
    found: CrossValidation, prepared_sample: PreparedShop, setting: Setting, folder: Path
) -> None:
    assert found.folds
    other = Setting(setting.model, setting.train.model_copy(update={"clip": 2.0}), setting.evaluate)

    with pytest.raises(ConfigError) as refused:
        cross_validate(prepared_sample, folder, other, by="time", folds=3)

    assert "train.clip: 1.0 there, 2.0 asked for" in str(refused.value)
    assert "folds: 2 there, 3 asked for" in str(refused.value)


def test_somebody_elses_folder_is_left_alone(
    prepared_sample: PreparedShop, setting: Setting, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("mine")

    with pytest.raises(ConfigError, match="not empty"):
        cross_validate(prepared_sample, tmp_path, setting)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_spread_by_hand() -> None:
    # .1, .2, .3: mean .2, sd .1, standard error .1 / sqrt 3 = .057735; t(2) at 97.5 % is 4.302653.
    folds = [
        MeasuredPiece(
            f"fold-{place:02}",
            0,
            10,
            "main",
            [Row("shelfwise", "main", "click", "auc", value, 0, 1, 5)],
            {},
            1.0,
        )
        for place, value in enumerate([0.1, 0.2, 0.3])
    ]

    (spread,) = spreads_of(folds)

    assert spread.mean == pytest.approx(0.2)
    assert spread.high - spread.mean == pytest.approx(4.302653 * 0.057735, rel=1e-4)
    assert spread.low == pytest.approx(0.2 - 0.248414, abs=1e-5)


@pytest.mark.long
def test_a_learning_curve_grows_with_the_data(
    prepared_sample: PreparedShop, setting: Setting, tmp_path: Path
) -> None:
    # A refit would learn everybody's validation at every share: asked for, it is not made.
    refitting = replace(setting, train=setting.train.model_copy(update={"refit": True}))
    out = tmp_path / "curve"

    curves = learning_curve(prepared_sample, out, refitting, shares=(1.0, 0.25, 0.5))

    assert json.loads((out / "plan.json").read_text())["train"]["refit"] is False
    assert "without a refit" in curves.protocol

    assert [training.name for training in curves.trainings] == [
        "share-0.25-seed-0",
        "share-0.5-seed-0",
        "share-1-seed-0",
    ]
    auc = curves.curve("auc")
    assert auc is not None
    sizes = [point.requests for point in auc.points]
    assert sizes == sorted(sizes)
    assert sizes[0] < 0.4 * sizes[-1]
    assert auc.law is not None
    assert auc.doubled.low <= auc.doubled.gain + 1e-9
    assert "twice the" in auc.sentence
    # What is near 1 at best has no better and no worse direction.
    assert curves.curve("pcoc") is None
    with pytest.raises(ConfigError, match="at most at 1"):
        learning_curve(prepared_sample, tmp_path / "other", setting, shares=(0.5, 2.0))


def test_what_a_refit_learned_from_is_counted_and_the_unfinished_is_not(
    prepared_sample: PreparedShop, setting: Setting, tmp_path: Path
) -> None:
    refitting = replace(setting, train=setting.train.model_copy(update={"refit": True}))
    view = time_fold(prepared_sample, 1, 0)
    out, pieces = tmp_path / "pieces", [Piece("fold-01", lambda: view, 0)]

    (measured,) = measure_pieces(out, {"kind": "cross_validation"}, pieces, refitting, Silent())

    assert measured.requests == len(examples_of(view, ["train", "validation"]))
    shutil.copytree(out / "fold-01", out / ".fold-02.partial-abcd")
    assert [piece.name for piece in read_pieces(out, "cross_validation")[1]] == ["fold-01"]


def test_folds_of_texts(tiny_encoder: Path, tmp_path: Path) -> None:
    prepared = prepared_pairs(tmp_path, ["no", "yes"])
    short = TrainOptions(epochs=4, threads=1, device="cpu", learning_rate=0.01)
    setting = Setting(options_of(tiny_encoder), short, EvaluateOptions(draws=50))

    found = cross_validate(prepared, tmp_path / "folds", setting, folds=3)

    assert found.by == "text"
    spread = found.spread("accuracy")
    assert spread is not None
    assert len(spread.value_F) == 3
    # Every text but those of the test is judged once.
    support = sum(
        row.support for fold in found.folds for row in fold.rows if row.metric == "accuracy"
    )
    assert support == (prepared.rows["part"] != "test").sum()
