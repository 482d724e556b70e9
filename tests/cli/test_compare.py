from __future__ import annotations

from pathlib import Path

import pytest
from training.test_classify import options_of, prepared_pairs

from shelfwise.training.config import TrainOptions
from shelfwise.training.train import train

from .command import done, shelfwise


@pytest.fixture(scope="module")
def classifiers(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One that has learned its three classes, one that has hardly begun."""
    folder = tmp_path_factory.mktemp("classifiers")
    prepared = prepared_pairs(folder, ["no", "yes", "dunno"])
    for name, epochs in (("learned", 20), ("begun", 1)):
        options = TrainOptions(
            epochs=epochs,
            threads=1,
            device="cpu",
            learning_rate=0.01 if epochs > 1 else 1e-6,
            encoder_learning_rate=0.002 if epochs > 1 else 1e-6,
        )
        train(prepared, folder / name, options_of(tiny_encoder), options)
    return [folder / "learned", folder / "begun"]


def test_two_classifiers(classifiers: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "page.html"

    ended = done("compare", *classifiers, "--html", page, "--set", "evaluate.draws=60", "--json")

    found = ended.json
    assert found["verdicts"] == ["learned is better than begun at 2 of 2 figures."]
    assert [one["metric"] for one in found["comparisons"]] == ["accuracy", "log_loss"]
    assert all(one["p_holm"] < 0.05 and one["unit"] == "texts" for one in found["comparisons"])
    assert found["reproduce"]["Command"].startswith("shelfwise compare ")
    assert "learned is better than begun at accuracy (classification): +0." in ended.out
    assert "Holm's correction counts 2 comparisons." in ended.out
    assert "learned against begun" in page.read_text(encoding="utf-8")


def test_kept_answers_can_be_passed_over(classifiers: list[Path]) -> None:
    first = done("compare", *classifiers, "--json").json
    again = done("compare", *classifiers, "--fresh", "--json").json

    for one in (first, again):
        del one["seconds"], one["reproduce"]
    assert first == again


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["only"], "two runs or more, 1 given"),
        (["only", "only"], "named twice"),
        (["only", "missing"], "no manifest.json found"),
        (["only", "only", "--html", "nowhere/page.html"], "does not exist; make it first"),
        (["only", "only", "--set", "train.epochs=3"], "takes only [evaluate]"),
    ],
)
def test_mistakes_are_told_in_a_line(
    classifiers: list[Path], tmp_path: Path, words: list[str], said: str
) -> None:
    places = {
        "only": classifiers[0],
        "missing": tmp_path / "missing",
        "nowhere/page.html": tmp_path / "nowhere" / "page.html",
    }

    ended = shelfwise("compare", *(places.get(word, word) for word in words))

    assert ended.code == 1
    assert said in ended.err
    assert "Traceback" not in ended.err
