from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from shelfwise.data.part_rows import taken_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.attack_page import attack_page, write_attack_page
from shelfwise.evaluation.attacks.attack import AttackReport, attack
from shelfwise.evaluation.attacks.config import AttackOptions
from shelfwise.evaluation.attacks.stuffing import stuffing
from shelfwise.evaluation.attacks.victim import Victim, unlikelihood
from shelfwise.evaluation.match import View
from shelfwise.models.config import EncoderOptions, Frozen, ModelOptions, NoHistory
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.progress import Silent
from shelfwise.training.config import TrainOptions
from shelfwise.training.train import train

OPTIONS = AttackOptions(
    most_targets=60,
    gradient_targets=30,
    gradient_steps=2,
    noise_shares=(0.2, 0.8),
    radii=(0.05, 0.5),
    stuffed_words=(2, 8),
    draws=60,
)


@pytest.fixture(scope="module")
def report(tiny_run: Path) -> AttackReport:
    return attack(tiny_run, OPTIONS)


@pytest.fixture(scope="module")
def victim(tiny_run: Path, prepared_sample: PreparedShop) -> Victim:
    return Victim.of(open_run(tiny_run), prepared_sample, OPTIONS)


def test_every_attack_is_told(report: AttackReport) -> None:
    assert {curve.attack for curve in report.curves} >= {
        "query noise",
        "title noise",
        "gradient on words",
        "accidental clicks",
        "dropped events",
        "shuffled order",
        "gradient on items",
        "gradient on history",
    }
    for curve in report.curves:
        assert [point.strength for point in curve.points] == (
            [0.05, 0.5] if curve.attack.startswith("gradient") else [0.2, 0.8]
        )
        for point in curve.points:
            assert point.lost == pytest.approx(curve.clean - point.value, abs=1e-9)
    assert {row.metric.partition("@")[0] for row in report.lists} == {
        "coverage",
        "gini",
        "novelty",
        "popularity_lift",
    }
    assert report.synthetic
    assert report.adversary == "none"


def test_knowing_the_network_harms_most(report: AttackReport) -> None:
    by_name = {curve.attack: curve for curve in report.curves}
    (strongest, blind) = (by_name["gradient on items"], by_name["shuffled order"])

    assert strongest.points[-1].value < strongest.points[0].value
    assert strongest.robustness < blind.robustness


def test_it_is_the_same_every_time(tiny_run: Path, report: AttackReport) -> None:
    again = attack(tiny_run, OPTIONS)
    assert replace(again, seconds=0) == replace(report, seconds=0)


def test_what_was_typed_otherwise_is_asked_and_the_past_stays(victim: Victim) -> None:
    targets = victim.searches
    assert len(targets) > 10

    scorer, asked = victim.asking(targets, victim.typed(targets))

    everyone = np.arange(len(targets))
    np.testing.assert_allclose(
        scorer.match(asked, everyone), victim.scorer.match(targets, everyone), atol=1e-5
    )


def test_titles_that_stay_change_nothing(victim: Victim) -> None:
    texts = victim.run.item_texts
    everyone = np.arange(len(victim.targets))

    same = victim.with_titles({n: texts[n] for n in range(0, len(texts), 3)})

    np.testing.assert_allclose(
        same.match(victim.targets, everyone),
        victim.scorer.match(victim.targets, everyone),
        atol=1e-3,
    )
    other = victim.with_titles({0: "something else entirely"})
    assert not np.allclose(
        other.match(victim.targets, everyone)[:, 0],
        victim.scorer.match(victim.targets, everyone)[:, 0],
        atol=1e-3,
    )


def test_a_seller_is_told_by_the_places_of_his_items(victim: Victim) -> None:
    pushes = stuffing(victim)

    assert [push.words for push in pushes] == [2, 8]
    for push in pushes:
        assert 0 <= push.before <= push.requests * OPTIONS.k
        assert push.before == pushes[0].before


def test_json_and_page_say_it(report: AttackReport, tmp_path: Path) -> None:
    told = json.loads(json.dumps(report.as_json()))
    assert told["curves"][0]["robustness"] == pytest.approx(report.curves[0].robustness)

    file = tmp_path / "attack.html"
    write_attack_page(report, file)
    page = file.read_text(encoding="utf-8")
    assert page == attack_page(report)
    for curve in report.curves:
        assert curve.attack in page
    assert "Synthetic data" in page
    assert "<script" not in page


def test_a_page_without_a_place_is_refused(report: AttackReport, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        write_attack_page(report, tmp_path / "no" / "page.html")


@pytest.mark.parametrize("wrong", [(0.4, 0.1), (0.1, 0.1), (5.0,), ()])
def test_strengths_rise_and_shares_are_shares(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError):
        AttackOptions(noise_shares=wrong)


def test_what_cannot_be_reached_is_told(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    encoder = EncoderOptions(name=str(tiny_encoder), tuning=Frozen())
    model = ModelOptions(width=32, encoder=encoder, history=NoHistory(), text=False)
    train(prepared_sample, tmp_path / "run", model, TrainOptions(epochs=1, threads=1), Silent())
    few = OPTIONS.model_copy(update={"stuffed_words": (), "radii": (0.1,)})

    report = attack(tmp_path / "run", few)

    assert "gradient on history" not in {curve.attack for curve in report.curves}
    assert any("histories are read as none" in note for note in report.notes)
    assert any("items by their ids" in note for note in report.notes)
    assert report.pushes == []


def test_validation_is_asked_instead_of_the_test(
    tiny_run: Path, prepared_sample: PreparedShop, report: AttackReport
) -> None:
    options = OPTIONS.model_copy(update={"part": "validation"})

    found = Victim.of(open_run(tiny_run), prepared_sample, options)

    moments = prepared_sample.moments
    assert len(found.targets)
    assert (found.targets.at_T >= moments.validation).all()
    assert (found.targets.at_T < moments.test).all()
    assert (
        found.times_V.sum() < Victim.of(open_run(tiny_run), prepared_sample, OPTIONS).times_V.sum()
    )
    assert "requests of the test" in report.protocol


def test_a_part_that_was_learned_is_refused(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    encoder = EncoderOptions(name=str(tiny_encoder), tuning=Frozen())
    model = ModelOptions(width=32, encoder=encoder, history=NoHistory(), text=False)
    again = TrainOptions(epochs=1, threads=1, refit=True)
    train(prepared_sample, tmp_path / "run", model, again, Silent())

    with pytest.raises(ConfigError, match=r"has learned it \(train.refit\); attack the test"):
        attack(tmp_path / "run", OPTIONS.model_copy(update={"part": "validation"}))


def test_validation_is_not_told_its_own_answers(
    tiny_run: Path, prepared_sample: PreparedShop
) -> None:
    """What was taken in validation says nothing of how items do when validation is asked."""
    options = OPTIONS.model_copy(update={"part": "validation"})
    before = set(taken_of_parts(prepared_sample, ["train"])["item"].to_list())
    during = set(taken_of_parts(prepared_sample, ["validation"])["item"].to_list())
    news = sorted(during - before)
    assert news

    asked = Victim.of(open_run(tiny_run), prepared_sample, options)
    tested = Victim.of(open_run(tiny_run), prepared_sample, OPTIONS)

    for catalogue in (asked.run.known, asked.run.inputs):
        assert (catalogue.trend_KVG[0, news, 0] == 0).all()  # log of how often it was taken
    assert (tested.run.known.trend_KVG[0, news, 0] > 0).any()


def test_items_that_are_not_ranked_are_no_rivals() -> None:
    none = np.empty(0, np.int64)
    right, item = np.array([0, 1]), np.array([1, 0])
    everything = View("all", right, item, none, none)
    without = View("new", right, item, np.array([0]), np.array([2]))
    score = torch.log(torch.tensor([[1.0, 1.0, 2.0], [3.0, 1.0, 0.0001]]))
    rows = np.array([0])

    # A quarter of all; half once the third, which target 0 has taken, is out of the ranking.
    assert unlikelihood(score[:1], everything, rows).item() == pytest.approx(np.log(4))
    assert unlikelihood(score[:1], without, rows).item() == pytest.approx(np.log(2))
    assert unlikelihood(score[1:], without, np.array([1])).item() == pytest.approx(
        np.log(4.0001 / 3)
    )
