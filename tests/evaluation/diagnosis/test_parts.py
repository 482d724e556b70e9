from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.diagnosis import data_size
from shelfwise.evaluation.diagnosis.case import Case, open_case
from shelfwise.evaluation.diagnosis.conflict import conflict_findings
from shelfwise.evaluation.diagnosis.data_size import data_size_findings
from shelfwise.evaluation.diagnosis.dead_parts import dead_part_findings
from shelfwise.evaluation.diagnosis.drift import drift_findings
from shelfwise.evaluation.diagnosis.errors import worst_errors
from shelfwise.evaluation.diagnosis.finding import Evidence, Finding, most_severe_first
from shelfwise.evaluation.diagnosis.future import foresights
from shelfwise.evaluation.diagnosis.gradients import Asked, gradients_of
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.progress import Silent


@pytest.fixture
def case(tiny_run: Path, prepared_sample: PreparedShop) -> Case:
    """Its own for every test: some hurt the network."""
    return open_case(tiny_run, open_run(tiny_run), prepared_sample, "test", Silent())


def asked(match: list[float], click: list[float]) -> Asked:
    return Asked({"match": torch.tensor(match), "click": torch.tensor(click)}, {"text.weight": 1.0})


def test_the_cosine_of_two_tasks_by_hand() -> None:
    # (3, 4) and (-4, -3): cosine -24 / 25; (1, 0) and (-1, 1): -1 / sqrt 2. The mean is -.8336.
    found = conflict_findings([asked([3.0, 4.0], [-4.0, -3.0]), asked([1.0, 0.0], [-1.0, 1.0])])[0]

    cosine = next(one for one in found.evidence if one.name == "cosine of match and click")
    assert cosine.value == pytest.approx(-(24 / 25 + 2**-0.5) / 2)
    assert (found.name, found.severity) == ("task conflict", "warning")


def test_tasks_that_pull_together_are_fine() -> None:
    found = conflict_findings([asked([1.0, 0.0], [1.0, 0.1]), asked([0.0, 2.0], [0.1, 1.0])])[0]

    assert found.severity == "fine"


def test_gradients_leave_the_network_as_it_was(case: Case) -> None:
    model = case.network.model
    before = {name: weight.clone() for name, weight in model.state_dict().items()}

    found = gradients_of(case)

    assert {task for one in found for task in one.of_task} >= {"match", "click"}
    assert not any(weight.requires_grad for weight in model.parameters())
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())


def test_units_that_died_and_a_scale_at_its_limit_are_named(case: Case) -> None:
    model = case.network.model
    with torch.no_grad():
        model.heads.bottom[1].weight.zero_()  # every unit says its bias, whatever it is told
        model.log_scale.fill_(float(np.log(150.0)) / 10)
        model.heads.position.weight.fill_(0.3)

    found = dead_part_findings(case, gradients_of(case))[0]

    assert found.severity == "warning"
    told = found.sentence
    assert "heads.bottom.2 100% of its units say the same of everything" in told
    assert "match scale is at its limit" in told
    assert "heads.position is flat" in told


def test_a_click_rate_that_doubled_is_drift(case: Case) -> None:
    test = case.heard["test"]
    rng = np.random.default_rng(0)
    more_N = test.answers.clicked_N | (rng.random(len(test.owner_N)) < 0.15)
    moved = replace(test, answers=replace(test.answers, clicked_N=more_N))

    found = drift_findings(replace(case, heard={**case.heard, "test": moved}))[0]

    assert (found.name, found.severity) == ("drift", "warning")
    assert "click rate" in found.sentence


def test_a_small_shop_is_said_to_be_small(case: Case) -> None:
    found = data_size_findings(case)[0]

    assert found.name == "little data"
    clicks = int(case.heard["train"].examples.clicked_N.sum())
    assert f"training holds {clicks:,} clicks" in found.sentence


def test_without_impressions_matches_say_how_much_there_is(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_size, "_WIDE", 1e-6)  # wider is any interval
    manifest = case.run.manifest
    facts = manifest.facts | {"tasks": ["match (purchase)"]}
    run = replace(case.run, manifest=manifest.model_copy(update={"facts": facts}))

    found = data_size_findings(replace(case, run=run))[0]

    assert found.name == "little data"
    matches = len(case.heard["train"].examples.match_item_M)
    assert f"training holds {matches:,} matches" in found.sentence
    assert "the match NDCG@10 of test is told to +-" in found.sentence
    assert not [one for one in found.evidence if "click" in one.name]


def test_the_worst_errors_are_those_of_the_largest_loss(case: Case) -> None:
    found = worst_errors(case, most=3)

    answers = case.held_out.answers
    p_N = answers.click_N.astype(np.float64).clip(1e-7, 1 - 1e-7)
    loss_N = -np.log(np.where(answers.clicked_N, p_N, 1 - p_N))
    assert found[0].loss == pytest.approx(loss_N.max())
    assert [one.loss for one in found] == sorted((one.loss for one in found), reverse=True)
    assert any(shown.clicked for shown in found[0].shown)
    assert all(
        1 <= missed.rank <= len(case.prepared.items) for one in found for missed in one.missed
    )


def sold(prepared: PreparedShop, part: str) -> pl.Series:
    """Times each item was taken in a part."""
    part_R = prepared.requests["part"]
    rows = prepared.positives.filter(
        part_R.gather(prepared.positives["request"].cast(pl.Int64)) == part
    )
    return pl.Series(np.bincount(rows["item"].to_numpy(), minlength=len(prepared.items)))


def test_counts_of_later_days_know_too_much_and_those_of_earlier_days_do_not(
    prepared_sample: PreparedShop,
) -> None:
    random = np.random.default_rng(0)
    later = sold(prepared_sample, "test")
    whole = later + sold(prepared_sample, "train") + sold(prepared_sample, "validation")
    columns = {
        "sold_next": later,
        "sold_ever": whole,
        "sold_before": sold(prepared_sample, "train"),
        "price": prepared_sample.items["price"],
        "noise": pl.Series(random.random(len(later))),
    }

    found = {one.column for one in foresights(prepared_sample, columns, "test") if one.leaks}

    assert found == {"sold_next", "sold_ever"}


def test_findings_stand_by_severity_then_in_order() -> None:
    findings = [Finding("a", "fine", ""), Finding("b", "illness", ""), Finding("c", "illness", "")]

    assert [one.name for one in most_severe_first(findings)] == ["b", "c", "a"]


def test_evidence_in_words() -> None:
    assert (
        Evidence("AUC", 0.75, 0.7, 0.8, 12, "users").words == "AUC 0.750 [0.700, 0.800] (12 users)"
    )
    assert Evidence("steps", 1200).words == "steps 1,200"
    assert Evidence("AUC", float("nan")).words == "AUC cannot be computed"
