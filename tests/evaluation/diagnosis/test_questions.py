"""Every question is asked about a run as it is, and once what it looks for was planted."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.diagnosis.calibration import calibration_findings, slope_estimate
from shelfwise.evaluation.diagnosis.case import Case, Heard, open_case
from shelfwise.evaluation.diagnosis.fitting import fitting_findings
from shelfwise.evaluation.diagnosis.leaks import leak_findings
from shelfwise.evaluation.diagnosis.signal import signal_findings
from shelfwise.evaluation.diagnosis.titles import bare_slices, titles_findings
from shelfwise.models.calibration import Calibration, TaskCalibration, Temperature
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.event import Surface
from shelfwise.schema.progress import Silent

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def case(tiny_run: Path, prepared_sample: PreparedShop) -> Case:
    return open_case(tiny_run, open_run(tiny_run), prepared_sample, "test", Silent())


def with_clicks(heard: Heard, p_click: NDArray[np.float64]) -> Heard:
    said_N = p_click.astype(np.float32)
    answers = replace(heard.answers, click_N=said_N)
    return replace(heard, answers=answers, network_click_N=said_N)


def said(case: Case, *, train: NDArray[np.float64], test: NDArray[np.float64]) -> Case:
    """The same case, had the run said this of clicks."""
    heard = {
        **case.heard,
        "train": with_clicks(case.heard["train"], train),
        "test": with_clicks(case.heard["test"], test),
    }
    return replace(case, heard=heard)


def knowing(heard: Heard, share: float, seed: int = 0) -> NDArray[np.float64]:
    """Probabilities that know of this share of the clicks; of the others nothing."""
    rng = np.random.default_rng(seed)
    clicked_N = heard.answers.clicked_N
    rate = clicked_N.mean()
    p_N = rate * rng.uniform(0.5, 1.5, len(clicked_N))
    known_N = clicked_N & (rng.random(len(clicked_N)) < share)
    return np.where(known_N, 0.9, p_N)


def test_labels_of_the_sample_shop_carry_signal(case: Case) -> None:
    assert signal_findings(case)[0].severity == "fine"


def test_shuffled_labels_carry_none(case: Case) -> None:
    rng = np.random.default_rng(0)
    test = case.heard["test"]
    # Places are clicked at random, and rates learned from such clicks are noise.
    answers = replace(test.answers, clicked_N=rng.permutation(test.answers.clicked_N))
    noise_N = rng.random(len(answers.click_N))
    shuffled = replace(test, answers=answers, simple_click_N=noise_N)
    ill = replace(case, heard={**case.heard, "test": shuffled})

    assert signal_findings(ill)[0].name == "labels carry no signal"


def test_what_calibrators_flatten_is_not_held_against_the_network(case: Case) -> None:
    flat = {
        part: replace(
            heard, answers=replace(heard.answers, click_N=np.full_like(heard.answers.click_N, 0.1))
        )
        for part, heard in case.heard.items()
    }

    assert fitting_findings(replace(case, heard=flat)) == fitting_findings(case)


def test_known_by_heart_is_overfit(case: Case) -> None:
    train, test = case.heard["train"], case.heard["test"]
    ill = said(case, train=knowing(train, 0.9), test=knowing(test, 0.2))

    found = fitting_findings(ill)[0]

    assert (found.name, found.severity) == ("overfit", "illness")
    # AUC = share + (1 - share) / 2 where what is not known is random: .95 and .6.
    values = {one.name: one.value for one in found.evidence}
    assert values["click AUC, learned requests"] == pytest.approx(0.95, abs=0.03)
    assert values["click AUC, held-out requests"] == pytest.approx(0.6, abs=0.1)


def test_knowing_nothing_is_underfit(case: Case) -> None:
    train, test = case.heard["train"], case.heard["test"]
    rng = np.random.default_rng(1)
    ill = said(
        case, train=rng.random(len(train.owner_N)) / 10, test=rng.random(len(test.owner_N)) / 10
    )
    # What even a coin would reach on match says nothing here.
    flat = np.full(len(train.answers.ndcg_R), np.nan)
    ill = replace(
        ill,
        heard={
            **ill.heard,
            "train": replace(
                ill.heard["train"], answers=replace(ill.heard["train"].answers, ndcg_R=flat)
            ),
        },
    )

    found = fitting_findings(ill)[0]

    assert (found.name, found.severity) == ("underfit", "illness")


def test_what_is_known_of_both_alike_is_neither(case: Case) -> None:
    ill = said(case, train=knowing(case.heard["train"], 0.7), test=knowing(case.heard["test"], 0.7))

    assert fitting_findings(ill)[0].name not in ("overfit", "underfit")


def test_a_slope_by_hand() -> None:
    # 60 of 100 rows said to be .8 are positive and 40 of 100 said to be .2; the logit of .6 is
    # ln 1.5 and that of .8 ln 4, so the slope is ln 1.5 / ln 4 = .2925.
    p_N = np.repeat([0.8, 0.2], 100)
    label_N = np.concatenate([np.arange(100) < 60, np.arange(100) < 40])

    found = slope_estimate(p_N, label_N)

    assert found.value == pytest.approx(np.log(1.5) / np.log(4), abs=1e-6)
    assert found.influence_N.sum() == pytest.approx(0, abs=1e-9)


def drawn_from(heard: Heard, rng: np.random.Generator) -> tuple[NDArray[np.float64], Heard]:
    """Probabilities, and a part whose clicks were drawn with them."""
    logit_N = rng.normal(-2.5, 1.0, len(heard.owner_N))
    p_N = 1 / (1 + np.exp(-logit_N))
    answers = replace(heard.answers, clicked_N=rng.random(len(p_N)) < p_N)
    return logit_N, replace(heard, answers=answers)


def test_true_probabilities_are_calibrated_and_doubled_logits_are_not(case: Case) -> None:
    logit_N, part = drawn_from(case.heard["test"], np.random.default_rng(3))
    found = {}
    for times in (1.0, 2.0):
        p_N = 1 / (1 + np.exp(-times * logit_N))
        told = replace(case, heard={**case.heard, "test": with_clicks(part, p_N)})
        found[times] = calibration_findings(told)[0]

    assert found[1.0].name == "calibration"
    assert found[1.0].severity != "illness"
    assert found[2.0].name == "broken calibration"
    slope = next(one for one in found[2.0].evidence if one.name == "click, all: slope")
    assert slope.value == pytest.approx(0.5, abs=0.1)


def test_a_surface_that_shares_a_curve_is_off_but_not_broken(case: Case) -> None:
    logit_N, part = drawn_from(case.heard["test"], np.random.default_rng(3))
    surface, here_N = min(part.surfaces(), key=lambda one: int(one[1].sum()))
    p_N = 1 / (1 + np.exp(-np.where(here_N, 2.0, 1.0) * logit_N))
    told = replace(case, heard={**case.heard, "test": with_clicks(part, p_N)})
    own = TaskCalibration(surfaces={Surface(surface): Temperature(factor=1.0)})
    alone = replace(told, run=replace(told.run, calibration=Calibration(click=own)))

    shared = calibration_findings(told)[0]
    broken = calibration_findings(alone)[0]

    assert not case.run.calibration.click.surfaces
    assert (shared.name, shared.severity) == ("calibration", "warning")
    assert f"click ({surface})" in shared.sentence
    assert broken.name == "broken calibration"


def test_a_department_without_titles_is_named(case: Case) -> None:
    items = case.prepared.items
    broad = items["category"].str.split(" > ").list.first()
    name = broad.value_counts(sort=True)[broad.name][2]
    blank = items.with_columns(
        pl.when(pl.Series(broad == name)).then(pl.lit("")).otherwise(pl.col("title")).alias("title")
    )

    assert titles_findings(case)[0].severity == "fine"
    found = titles_findings(replace(case, prepared=replace(case.prepared, items=blank)))[0]

    assert found.name == "titles missing"
    assert repr(name) in found.sentence
    assert [one.value for one in bare_slices(replace(case.prepared, items=blank))] == [name]


def test_titles_that_are_all_alike_are_named(case: Case) -> None:
    items = case.prepared.items
    broad = items["category"].str.split(" > ").list.first()
    name = broad.value_counts(sort=True)[broad.name][0]
    alike = items.with_columns(
        pl.when(pl.Series(broad == name))
        .then(pl.lit("new item"))
        .otherwise(pl.col("title"))
        .alias("title")
    )

    found = bare_slices(replace(case.prepared, items=alike))

    assert [(one.value, one.what) for one in found] == [(name, "share their titles")]


def with_events_column(case: Case, value_N: NDArray[np.float64]) -> Case:
    features = case.prepared.options.features.model_copy(update={"events": {"hint": "number"}})
    options = case.prepared.options.model_copy(update={"features": features})
    impressions = case.prepared.impressions.with_columns(pl.Series("hint", value_N))
    prepared = replace(case.prepared, options=options, impressions=impressions)
    return replace(case, prepared=prepared)


def test_a_column_that_knows_the_click_is_named(case: Case) -> None:
    clicked_N = case.prepared.impressions["clicked_at"].is_not_null().to_numpy()
    rng = np.random.default_rng(0)
    noise_N = rng.random(len(clicked_N))
    told_N = np.where(rng.random(len(clicked_N)) < 0.9, clicked_N, noise_N < 0.05)

    leaked = leak_findings(with_events_column(case, told_N + noise_N / 100))[0]
    honest = leak_findings(with_events_column(case, noise_N))[0]

    assert leaked.name == "leaked feature"
    assert "'events.hint'" in leaked.sentence
    assert honest.severity == "fine"


def test_a_column_made_of_training_labels_is_named(case: Case) -> None:
    clicked_N = case.prepared.impressions["clicked_at"].is_not_null().to_numpy()
    at_N = case.prepared.impressions["at"].to_numpy()
    rng = np.random.default_rng(0)
    early_N = at_N < case.prepared.moments.validation
    told_N = np.where(early_N & (rng.random(len(at_N)) < 0.8), clicked_N, rng.random(len(at_N)))

    found = leak_findings(with_events_column(case, told_N))[0]

    assert found.name == "leaked feature"
    assert "made from the labels of training" in found.sentence
    # The number as it stands: on training rows it is the click in .8 of them, later it is noise.
    told = re.search(r"AUC (0\.\d+) on training rows and (0\.\d+) on later", found.sentence)
    lost = next(one for one in found.evidence if one.name.endswith("AUC lost"))
    assert told
    assert float(told[1]) - float(told[2]) == pytest.approx(lost.value, abs=0.002)
