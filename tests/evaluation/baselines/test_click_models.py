from __future__ import annotations

from dataclasses import replace
from math import nan

import numpy as np
import pytest

from shelfwise.data.batches import examples_of
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.baselines import click_models as click_models_module
from shelfwise.evaluation.baselines.click_models import (
    BOOSTING,
    LOGISTIC,
    Boosting,
    ClickModels,
    Labelled,
    Learner,
    Logistic,
    chosen,
    click_models,
)
from shelfwise.evaluation.impressions import Outcomes
from shelfwise.metrics.auc import SortedAuc


def drawn(seed: int, rows: int, slope: float = 2.0) -> Labelled:
    """Two features, of which the first decides: P(label) = sigmoid(slope * x - 1)."""
    rng = np.random.default_rng(seed)
    value_NF = rng.normal(size=(rows, 2)).astype(np.float32)
    p_N = 1 / (1 + np.exp(1 - slope * value_NF[:, 0]))
    return Labelled(value_NF, rng.random(rows) < p_N)


@pytest.mark.parametrize("learner", [*LOGISTIC, *BOOSTING])
def test_every_learner_finds_the_odds(learner: Learner) -> None:
    predict = learner.learn(drawn(0, 20_000))

    at_NF = np.array([[-1, 0], [0, 0], [1, 0]], np.float32)
    true = 1 / (1 + np.exp(1 - 2 * at_NF[:, 0]))
    # Penalties up to 1,000 draw the slope to 0 a little, and 300 rounds of trees follow noise.
    assert predict(at_NF) == pytest.approx(true, abs=0.2)
    assert (np.diff(predict(at_NF)) > 0).all()
    assert predict(at_NF[:0]).shape == (0,)


def test_logistic_regression_agrees_with_its_own_optimum() -> None:
    rows = drawn(1, 500)
    predict = Logistic(1.0).learn(rows)

    # At the optimum the residuals are at right angles to the features, but for the small penalty.
    residual_N = predict(rows.value_NF) - rows.label_N
    assert residual_N.mean() == pytest.approx(0, abs=1e-4)
    assert (rows.value_NF.T @ residual_N) / 500 == pytest.approx([0, 0], abs=0.02)


@pytest.mark.parametrize("learner", [Logistic(1.0), Boosting(8, 0.1, 50)])
def test_what_is_missing_is_a_feature_of_its_own(learner: Learner) -> None:
    # The first feature is missing in half of the rows, and these are always clicked.
    rows = drawn(2, 4_000, slope=0)
    value_NF = rows.value_NF.copy()
    value_NF[::2, 0] = nan
    label_N = rows.label_N.copy()
    label_N[::2] = True

    p_N = learner.learn(Labelled(value_NF, label_N))(np.array([[nan, 0], [0, 0]], np.float32))

    assert p_N[0] > 0.95
    assert p_N[1] < 0.5


@pytest.mark.parametrize("learner", [Logistic(1.0), Boosting(8, 0.1, 50)])
def test_a_feature_that_training_never_saw_says_nothing(learner: Learner) -> None:
    rows = drawn(2, 1_000)
    value_NF = np.column_stack([rows.value_NF, np.full(1_000, nan, np.float32)])

    without = learner.learn(rows)(rows.value_NF)
    predict = learner.learn(Labelled(value_NF, rows.label_N))
    beside, loss = learner.judged(
        Labelled(value_NF, rows.label_N), Labelled(value_NF, rows.label_N)
    )

    later = value_NF.copy()
    later[:, 2] = 7
    assert predict(value_NF) == pytest.approx(without, abs=1e-6)
    if isinstance(learner, Boosting):
        assert predict(later) == pytest.approx(without, abs=1e-6)
    assert loss > 0
    assert beside.setting().keys() == learner.setting().keys()


def test_boosting_stops_when_validation_gets_worse() -> None:
    # Labels of validation that follow another rule: the first round may help, the rest cannot.
    trained, other = drawn(3, 5_000, slope=3), drawn(4, 5_000, slope=-3)

    early, loss = Boosting(31, 0.3).judged(trained, other)
    late, less = Boosting(31, 0.3).judged(trained, drawn(5, 5_000, slope=3))

    assert early.rounds == 1
    assert 1 < late.rounds < 300
    assert less < loss


def test_the_learner_with_the_least_loss_is_chosen() -> None:
    # Fifty rows with a strong rule: a penalty of 1,000 hides it.
    trained, judged = drawn(6, 200, slope=4), drawn(7, 2_000, slope=4)

    assert chosen([Logistic(1_000.0), Logistic(1.0)], trained, judged) == Logistic(1.0)
    # Where validation holds one class, nothing is chosen.
    alike = Labelled(judged.value_NF, np.zeros(2_000, bool))
    assert chosen([Logistic(1_000.0), Logistic(1.0)], trained, alike) == Logistic(1_000.0)


@pytest.fixture(scope="module")
def models(prepared_sample: PreparedShop) -> ClickModels:
    return click_models(prepared_sample)


def test_both_forecast_every_row_of_the_test(
    models: ClickModels, prepared_sample: PreparedShop
) -> None:
    outcomes = Outcomes.of(examples_of(prepared_sample, ["test"]))

    assert [found.system for found in models.forecasts] == [
        "logistic regression",
        "gradient boosting",
    ]
    for forecast in models.forecasts:
        for p_N in (forecast.click_N, forecast.convert_N):
            assert p_N.shape == outcomes.item_N.shape
            assert ((p_N > 0) & (p_N < 1)).all()
        auc = SortedAuc.of(forecast.click_N, outcomes.clicked_N)(np.ones(len(outcomes.item_N)))
        assert auc > 0.55
        assert 0.5 < forecast.click_N.mean() / outcomes.clicked_N.mean() < 2


def test_settings_are_figures(models: ClickModels) -> None:
    assert models.notes == []
    for task in ("click", "conversion"):
        assert models.figures[f"baseline logistic regression, {task}: penalty"] in (1, 100, 1_000)
        assert 1 <= models.figures[f"baseline gradient boosting, {task}: rounds"] <= 300


def test_a_training_without_clicks_forecasts_nothing(prepared_sample: PreparedShop) -> None:
    impressions = prepared_sample.impressions.with_columns(clicked_at=None, purchased_at=None).cast(
        prepared_sample.impressions.schema
    )

    found = click_models(replace(prepared_sample, impressions=impressions))

    assert found.figures == {}
    assert [note.partition(":")[0] for note in found.notes] == [
        "Hand-made features say nothing of click",
        "Hand-made features say nothing of conversion",
    ]
    for forecast in found.forecasts:
        assert np.isnan(forecast.click_N).all()
        assert np.isnan(forecast.convert_N).all()


def test_rows_that_were_not_learned_from_are_told(
    prepared_sample: PreparedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(click_models_module, "MOST_ROWS", 500)
    learned = examples_of(prepared_sample, ["train", "validation"])

    found = click_models(prepared_sample)

    honest_N = learned.weight_N > 0
    assert found.notes[0] == (
        f"Hand-made features learned click from 500 of {honest_N.sum():,} rows, evenly thinned."
    )
