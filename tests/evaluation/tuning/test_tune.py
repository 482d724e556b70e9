from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shelfwise.config import ShopConfig, validated
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.pieces import Setting
from shelfwise.evaluation.stored_answers import ShopAnswers, answers_of
from shelfwise.evaluation.tuning.earlier import earlier_best
from shelfwise.evaluation.tuning.objective import Trials
from shelfwise.evaluation.tuning.page import tune_page
from shelfwise.evaluation.tuning.report import TuneReport, fidelities_of
from shelfwise.evaluation.tuning.tune import Asked, Searched, tune
from shelfwise.metrics.auc import auc
from shelfwise.schema.errors import ArtifactError, ConfigError
from shelfwise.schema.progress import Silent
from shelfwise.training.course import Course, tell_nobody
from shelfwise.training.train import train
from shelfwise.tuning.plan import HopelessError, Outcome, PrunedError, Report
from shelfwise.tuning.records import Trial
from shelfwise.tuning.searched import searched_space
from shelfwise.tuning.space import Params

GOOD, BAD = 0.01, 1e-6  # rates; by the second nothing is learned
Searching = Callable[..., Searched]


@pytest.fixture(scope="module")
def searching(tiny_encoder: Path) -> Searching:
    """A search over a prepared shop, with short trainings that no clock ends."""
    plain = [
        f"model.encoder.name={tiny_encoder}",
        "model.encoder.tuning.mode=frozen",
        "model.width=16",
        "model.history.heads=2",
        "train.epochs=1",
        "train.batch_requests=64",
        "train.device=cpu",
        "train.threads=1",
        "train.checkpoint_minutes=0",
        "evaluate.draws=50",
        f"train.learning_rate={BAD}",
        'tune.search=["train.learning_rate"]',
        f'tune.space={{"train.learning_rate" = [{BAD}, {GOOD}]}}',
        'tune.sampler="random"',
        'tune.pruner="none"',
    ]

    def searched(prepared: PreparedShop, *changes: str) -> Searched:
        base = validated({}, [*plain, *changes], "here")
        space = searched_space(base, base.tune.search, base.tune.space)

        def configured(changes: Sequence[str]) -> Setting:
            config: ShopConfig = validated(base.model_dump(mode="json"), changes, "here")
            course = Course(tasks=config.tasks, adaptation=config.adaptation)
            return Setting(config.model, config.train, config.evaluate, course)

        return Searched(prepared, configured, base.tune, space)

    return searched


def with_another_test(prepared: PreparedShop, seed: int) -> PreparedShop:
    """The shop with the test's answers dealt anew: what is taken there, and what is clicked."""
    rng = np.random.default_rng(seed)
    is_test_R = (prepared.requests["part"] == "test").to_numpy()

    def dealt(table: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
        rows = np.flatnonzero(is_test_R[table["request"].to_numpy()])
        order = np.arange(len(table))
        order[rows] = rng.permutation(rows)
        return table.with_columns(table[name].gather(order) for name in columns)

    return replace(
        prepared,
        positives=dealt(prepared.positives, ["item"]),
        impressions=dealt(prepared.impressions, ["clicked_at", "purchased_at"]),
    )


@pytest.fixture(scope="module")
def study(
    prepared_sample: PreparedShop, searching: Searching, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TuneReport, Path]:
    out = tmp_path_factory.mktemp("tuned") / "study"
    return tune(searching(prepared_sample), out, Asked(trials=2, command="shelfwise tune")), out


def test_validation_chooses_and_the_test_is_opened_once_after_the_last_trial(
    study: tuple[TuneReport, Path],
) -> None:
    report, out = study
    assert [trial.params["train.learning_rate"] for trial in report.trials if trial.counts] == [
        BAD,
        GOOD,
    ]
    first, second = (trial for trial in report.trials if trial.counts)
    assert second.values[0] > first.values[0] + 0.01
    assert report.chosen == second.number
    assert report.settings == [f"train.learning_rate={GOOD}"]
    told = json.loads((out / "study.json").read_text())
    assert told["opened"]["trial"] == second.number
    assert told["opened"]["after_trials"] == 2
    assert told["opened"]["opened"] > max(trial["ended"] for trial in told["trials"])
    assert told["test"]["comparisons"][0]["a"] != told["test"]["comparisons"][0]["b"]
    # New seeds: those of the trials, which chose, are not used again.
    assert [system["seeds"] for system in told["test"]["systems"]] == [[1], [1]]


def test_what_the_test_holds_changes_no_trial(
    prepared_sample: PreparedShop, searching: Searching, tmp_path: Path
) -> None:
    def values(prepared: PreparedShop) -> list[float]:
        searched = searching(prepared)
        trials = Trials(prepared, tmp_path, searched.configured, searched.options, searched.space)
        outcome = trials({"train.learning_rate": GOOD}, tell_nobody)
        figures = {n: v for n, v in outcome.notes["figures"].items() if n != "seconds"}
        return [*outcome.values, *figures.values()]

    changed = with_another_test(prepared_sample, 1)
    assert not changed.positives.equals(prepared_sample.positives)
    assert values(changed) == values(prepared_sample)


def test_validation_chooses_where_the_test_would_choose_otherwise(
    prepared_sample: PreparedShop, searching: Searching, tmp_path: Path
) -> None:
    # In the test, what was clicked was not, and what was not was: who has learned does worst.
    tested_N = (prepared_sample.requests["part"] == "test").to_numpy()[
        prepared_sample.impressions["request"].to_numpy()
    ]
    turned = pl.when(pl.col("clicked_at").is_null()).then(pl.col("at"))
    planted = replace(
        prepared_sample,
        impressions=prepared_sample.impressions.with_columns(
            clicked_at=pl.when(pl.lit(pl.Series(tested_N)))
            .then(turned)
            .otherwise(pl.col("clicked_at"))
        ),
    )
    searched = searching(planted)
    report = tune(searched, tmp_path / "study", Asked(trials=2, test=False))
    assert report.settings == [f"train.learning_rate={GOOD}"]

    def auc_on_test(rate: float) -> float:
        setting = searched.configured([f"train.learning_rate={rate}"])
        run = tmp_path / f"run-{rate}"
        train(planted, run, setting.model, setting.train, course=setting.course)
        answers = answers_of(run, planted, 50, Silent())
        assert isinstance(answers, ShopAnswers)
        shown = answers.impressions
        return auc(shown["p_click"].to_numpy(), shown["clicked"].to_numpy()).value

    assert auc_on_test(BAD) > auc_on_test(GOOD) + 0.02


def test_a_study_whose_test_is_open_tries_no_more(
    study: tuple[TuneReport, Path], prepared_sample: PreparedShop, searching: Searching
) -> None:
    report, out = study
    with pytest.raises(ConfigError, match=r"its test was opened after 2 trials.*--from-study"):
        tune(searching(prepared_sample), out, Asked(trials=3))
    again = tune(searching(prepared_sample), out, Asked(trials=2))
    assert [trial.number for trial in again.trials] == [trial.number for trial in report.trials]
    assert again.opened == report.opened
    assert again.test is not None
    assert report.test is not None
    assert again.test.rows == report.test.rows


def test_a_study_of_other_options_is_refused(
    study: tuple[TuneReport, Path], prepared_sample: PreparedShop, searching: Searching
) -> None:
    with pytest.raises(ConfigError, match=r"searched_from\.train\.epochs: 1 there, 3 asked for"):
        tune(searching(prepared_sample, "train.epochs=3"), study[1], Asked(trials=2))


def test_where_nothing_better_is_found_the_test_stays_closed(
    prepared_sample: PreparedShop,
    searching: Searching,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Trials, "__call__", learned_by_its_rate)
    base = f"train.learning_rate={GOOD}"
    report = tune(searching(prepared_sample, base), tmp_path / "study", Asked(trials=2))
    assert report.chosen == report.searched_from == 0
    assert report.opened is None
    assert not (tmp_path / "study" / "test.json").exists()
    assert "none better was found" in report.sentences[0]
    assert any("test was not opened" in note for note in report.notes)


def learned_by_its_rate(_: Trials, params: Params, __: Report) -> Outcome:
    """What a trial comes to, without a training."""
    return Outcome((1.0 if params["train.learning_rate"] == GOOD else 0.5,))


@pytest.mark.long
def test_shares_folds_and_costs(
    prepared_sample: PreparedShop, searching: Searching, tmp_path: Path
) -> None:
    asked = Asked(trials=2, test=False)
    shared = searching(prepared_sample, "tune.shares=[0.5, 1.0]")
    report = tune(shared, tmp_path / "shares", asked)
    done = [trial for trial in report.trials if trial.state == "done"]
    assert list(done[0].steps) == [1, 3]  # of the stages, as halving looks at them
    assert done[0].steps[3] == done[0].values[0]
    assert report.stages == ["50%", "100%"]
    folds = tune(searching(prepared_sample, "tune.folds=2"), tmp_path / "folds", asked)
    for trial in folds.trials:
        if trial.state == "done":
            assert trial.values[0] == pytest.approx(np.mean(list(trial.steps.values())))
    costs = searching(
        prepared_sample,
        'tune.objectives=["ndcg@10", "latency_ms"]',
        "tune.at_most={memory_mib = 0.01}",
    )
    front = tune(costs, tmp_path / "costs", asked)
    assert front.rising == [True, False]
    done = [trial for trial in front.trials if trial.state == "done"]
    assert all(not trial.kept and trial.costs["memory_mib"] > 0.01 for trial in done)
    assert front.chosen is None
    assert "No trial was completed within the limits" in front.sentences[0]


def test_an_objective_that_there_is_not_names_those_that_there_are(
    prepared_sample: PreparedShop, searching: Searching, tmp_path: Path
) -> None:
    searched = searching(prepared_sample, 'tune.objectives=["hits"]')
    with pytest.raises(HopelessError, match="validation of this shop has no 'hits'; it has"):
        tune(searched, tmp_path / "study", Asked(trials=2, test=False))


def test_an_interrupt_leaves_the_test_shut_and_the_study_open(
    prepared_sample: PreparedShop,
    searching: Searching,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = []

    def interrupted(trials: Trials, params: Params, report: Report) -> Outcome:
        began.append(params)
        if len(began) == 2:
            raise KeyboardInterrupt
        return learned_by_its_rate(trials, params, report)

    monkeypatch.setattr(Trials, "__call__", interrupted)
    report = tune(searching(prepared_sample), tmp_path / "study", Asked(trials=2))
    assert [trial.state for trial in report.trials] == ["done", "lost"]
    assert report.opened is None
    assert "Interrupted" in report.notes[0]
    again = tune(searching(prepared_sample), tmp_path / "study", Asked(trials=2, test=False))
    assert [trial.state for trial in again.trials if trial.counts] == ["done", "done"]
    assert again.settings == [f"train.learning_rate={GOOD}"]


def test_a_trial_is_stopped_at_its_checks(
    prepared_sample: PreparedShop, searching: Searching, tmp_path: Path
) -> None:
    searched = searching(prepared_sample)
    trials = Trials(
        prepared_sample, tmp_path, searched.configured, searched.options, searched.space
    )
    told = []

    def report(check: int, _: float) -> None:
        told.append(check)
        raise PrunedError

    with pytest.raises(PrunedError):
        trials({"train.learning_rate": BAD}, report)
    assert told == [1]
    assert list(tmp_path.iterdir()) == []  # nothing is left of it


def test_another_study_begins_with_the_best_of_an_earlier_one(
    study: tuple[TuneReport, Path], prepared_sample: PreparedShop, searching: Searching
) -> None:
    space = searching(prepared_sample).space
    assert earlier_best(study[1], space) == ([{"train.learning_rate": GOOD}], [])
    narrow = 'tune.space={"train.learning_rate" = [1e-6, 0.5]}'
    elsewhere = searching(prepared_sample, narrow).space
    assert earlier_best(study[1], elsewhere) == (
        [{"train.learning_rate": BAD}],
        [f"train.learning_rate={GOOD}"],
    )
    with pytest.raises(ArtifactError, match="holds no study"):
        earlier_best(study[1] / "runs", space)


def test_the_page_shows_the_search(study: tuple[TuneReport, Path]) -> None:
    report, _ = study
    page = tune_page(report)
    for words in ("Best so far", "learning_rate = 0.01", "On the test", "Synthetic data"):
        assert words in page
    assert page.count("<svg") >= 2


def test_cheap_looks_are_compared_over_trials_that_went_all_the_way() -> None:
    def trial(number: int, early: float, last: float | None) -> Trial:
        steps = {1: early} if last is None else {1: early, 3: last}
        state = "pruned" if last is None else "done"
        return Trial(number, state, {}, () if last is None else (last,), {}, True, steps, 1.0, "")

    trials = [trial(n, early, 0.1 * n) for n, early in enumerate([1.0, 2.0, 3.0, 5.0, 4.0])]
    # Ranks 0 1 2 3 4 against 0 1 2 4 3: 1 - 6 * 2 / (5 * 24) = .9.
    (found,) = fidelities_of([*trials, trial(9, 9.0, None)], ["30%", "100%"])
    assert (found.name, found.trials) == ("30%", 5)
    assert found.spearman == pytest.approx(0.9)
