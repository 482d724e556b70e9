from __future__ import annotations

from dataclasses import replace
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from ranking.small_run import small_run

from shelfwise.data.batches import examples_between, examples_of
from shelfwise.data.prepared import PreparedShop, open_prepared_shop
from shelfwise.data.targets import match_targets
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.impressions import Outcomes, impression_rows, reliability
from shelfwise.evaluation.report import OURS
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.evaluation.shop import ShopFindings, measure_shop
from shelfwise.evaluation.shop import _call_clicks as call_clicks
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.progress import Silent

OPTIONS = EvaluateOptions(draws=50, examples=2)


@pytest.fixture(scope="module")
def scorer(tiny_run: Path, prepared_sample: PreparedShop) -> RunScorer:
    return RunScorer(open_run(tiny_run), prepared_sample)


def test_scores_do_not_depend_on_the_block(scorer: RunScorer) -> None:
    targets = match_targets(scorer.prepared, "test")
    rows = np.arange(len(targets))

    everything = scorer.match(targets, rows)

    assert everything.shape == (len(targets), len(scorer.prepared.items))
    for some in (rows[3:5], rows[-1:]):
        assert scorer.match(targets, some) == pytest.approx(everything[some], abs=1e-3)


def test_position_is_told_or_left_out(scorer: RunScorer) -> None:
    moments = scorer.prepared.moments
    examples = examples_between(scorer.prepared, moments.test, moments.end)
    position = Outcomes.of(examples).position_N

    told = scorer.forecast(examples, "a", with_position=True, progress=Silent())
    left_out = scorer.forecast(examples, "b", with_position=False, progress=Silent())

    assert len(told.click_N) == len(left_out.click_N) == len(position)
    # The first place is what serving takes every item for.
    first = position == 1
    assert told.click_N[first] == pytest.approx(left_out.click_N[first], abs=1e-6)
    assert not np.allclose(told.click_N[~first], left_out.click_N[~first], rtol=1e-4)
    assert told.convert_N == pytest.approx(left_out.convert_N, abs=1e-6)


def test_purchases_that_were_never_learned_are_not_forecast(scorer: RunScorer) -> None:
    manifest = scorer.run.manifest
    facts = {**manifest.facts, "tasks": ["match (purchase)", "click"]}
    run = replace(scorer.run, manifest=manifest.model_copy(update={"facts": facts}))
    examples = examples_of(scorer.prepared, ["test"])
    outcomes = Outcomes.of(examples)

    found = RunScorer(run, scorer.prepared).hear(examples, Silent()).forecast("a")

    assert not np.isnan(found.click_N).any()
    assert np.isnan(found.convert_N).all()
    assert {row.task for row in impression_rows(outcomes, found, OPTIONS)} == {"click"}
    assert [curve.task for curve in reliability(outcomes, found)] == ["click"]


def test_a_forecast_of_requests_that_showed_nothing(scorer: RunScorer) -> None:
    moments = scorer.prepared.moments
    examples = examples_between(scorer.prepared, moments.test, moments.end)
    none = replace(
        examples,
        shown_offset_R1=np.zeros_like(examples.shown_offset_R1),
        **{
            name: getattr(examples, name)[:0]
            for name in ("shown_item_N", "position_N", "clicked_N", "purchased_N", "known_N")
        },
    )

    assert len(scorer.forecast(none, "a", with_position=True, progress=Silent()).click_N) == 0


def test_a_sample_of_the_targets_or_of_the_items_is_said(scorer: RunScorer, tmp_path: Path) -> None:
    options = OPTIONS.model_copy(update={"most_targets": 10, "sampled_negatives": 5})
    for file in scorer.prepared.folder.glob("*.*"):
        if file.is_file():  # what is drawn is kept beside the tables
            (tmp_path / file.name).hardlink_to(file)

    found = measure_shop(
        scorer.run, replace(scorer.prepared, folder=tmp_path), options, None, Silent()
    )

    assert any(note.startswith("10 of ") for note in found.notes)
    assert (
        "Baselines learned from training and validation; training alone (train.refit) has taught "
        "shelfwise."
    ) in found.notes
    ours = [row for row in found.rows if row.system == OURS and row.task == "match"]
    assert max(row.support for row in ours) <= 10
    sampled = {row.metric for row in ours if row.view == "sampled"}
    assert sampled == {"ndcg@10", "hr@10", "mrr"}
    assert any("for comparison with papers" in note for note in found.notes)
    # With six candidates everything stands within ten places.
    hits = [row.value for row in ours if (row.view, row.metric) == ("sampled", "hr@10")]
    assert hits == [1]
    lists = {row.metric for row in found.rows if (row.system, row.task) == (OURS, "lists")}
    assert lists == {
        f"{name}@10"
        for name in (
            *("coverage", "gini", "novelty", "diversity", "popularity_lift"),
            *("wrong_rate", "wrong_rate_judged"),
        )
    }
    called = {row.system for row in found.rows if row.task == "click or not"}
    assert called == {OURS, "item and position rates"}


@pytest.mark.parametrize("seen", ["keep", "remove"])
def test_a_shop_without_impressions_is_measured_by_match(
    tiny_encoder: Path, tmp_path: Path, seen: str
) -> None:
    run = small_run(tmp_path, tiny_encoder, impressions=False, match={"seen": seen})
    prepared = open_prepared_shop(tmp_path / "prepared")

    found = measure_shop(open_run(run), prepared, OPTIONS, None, Silent())

    assert {row.task for row in found.rows} == {"match", "lists"}
    assert found.headline == ("main" if seen == "keep" else "new")
    assert {d.view for d in found.differences} >= {found.headline}
    # Each of the three shoppers clicks the same items again: nothing is left to find anew.
    new = [r for r in found.rows if (r.system, r.view, r.metric) == (OURS, "new", "ndcg@10")]
    assert all(isnan(row.value) and row.support == 0 for row in new)
    assert len(new) == 1


def parted(prepared: PreparedShop, part: str) -> PreparedShop:
    """The shop as if nothing had been shown at the requests of a part."""
    inside_R = prepared.requests["part"] == part
    return replace(
        prepared,
        impressions=prepared.impressions.filter(~inside_R.gather(prepared.impressions["request"])),
        positives=prepared.positives.clear(),
        judgements=prepared.judgements.clear(),
    )


def test_a_test_that_showed_nothing_is_said(scorer: RunScorer) -> None:
    found = measure_shop(scorer.run, parted(scorer.prepared, "test"), OPTIONS, None, Silent())

    assert found.rows == []
    shown, learned = found.notes[1:]
    assert shown == "No test impression: clicks and conversions cannot be measured."
    # What training saw of the other tasks needs no test.
    assert learned.startswith("Learned beside, on validation: interest_category_top1 ")


def test_thresholds_that_cannot_be_chosen_fairly_are_said(scorer: RunScorer) -> None:
    examples = examples_of(scorer.prepared, ["test"])
    outcomes = Outcomes.of(examples)
    systems = [OURS, "item and position rates"]
    forecasts = [
        replace(scorer.forecast(examples, OURS, with_position=True, progress=Silent()), system=name)
        for name in systems
    ]

    def notes(scorer: RunScorer) -> list[str]:
        findings = ShopFindings()
        call_clicks(scorer, outcomes, forecasts, findings, OPTIONS, Silent())
        return findings.notes

    facts = {**scorer.run.manifest.facts, "train": {"refit": True}}
    refitted = replace(scorer.run, manifest=scorer.run.manifest.model_copy(update={"facts": facts}))
    unshown = parted(scorer.prepared, "validation")
    assert [note.partition(" ")[0] for note in notes(scorer)] == [OURS, "item"]
    assert "was refitted on validation too" in notes(RunScorer(refitted, scorer.prepared))[0]
    assert notes(RunScorer(scorer.run, unshown)) == [
        "Validation has no click to choose a threshold by: none are called."
    ]


def test_a_test_without_targets_is_said(scorer: RunScorer) -> None:
    options = scorer.prepared.options
    removing = options.match.model_copy(update={"seen": "remove"})
    nothing = replace(
        scorer.prepared,
        positives=scorer.prepared.positives.clear(),
        options=options.model_copy(update={"match": removing}),
    )
    nothing = replace(nothing, impressions=nothing.impressions.clear())
    nothing = replace(nothing, judgements=nothing.judgements.clear())

    found = measure_shop(scorer.run, nothing, OPTIONS, None, Silent())

    assert found.rows == []
    assert found.notes[0] == "No test request over the whole catalogue: nothing to rank."
    assert len(found.notes) == 2
    assert [len(answers.targets) for answers in found.answers] == [0]
    # Other folds of the same shop are read in the same view.
    assert found.headline == "new"
