"""Fitted calibrators, against hand-worked steps, scikit-learn, and shops whose truth is known."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from shelfwise.models.calibration import (
    AsPredicted,
    CalibrationOptions,
    Isotonic,
    Platt,
    Temperature,
)
from shelfwise.schema.event import Surface
from shelfwise.training.calibrators import Rows, cross_fitted, fit_kind, fit_task

OPTIONS = CalibrationOptions()


def rows_of(
    logits: NDArray[np.float64],
    happened: NDArray[np.bool_],
    arrived: NDArray[np.float64] | None = None,
    surface: NDArray[np.int64] | None = None,
) -> Rows:
    """Each row of an owner of its own."""
    count = len(logits)
    return Rows(
        logits,
        happened,
        np.ones(count) if arrived is None else arrived,
        np.arange(count),
        np.zeros(count, np.int64) if surface is None else surface,
    )


def drawn(true_logit: NDArray[np.float64], told: NDArray[np.float64], seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    return rows_of(told, rng.random(len(told)) < expit(true_logit))


TRUE = np.random.default_rng(9).normal(-2, 1, 40_000)


def test_isotonic_by_hand() -> None:
    # 100 rows each at logits -3, -2, -1 and 0, of which 30, 20, 60 and 90 happened. The first two
    # violate the order: together 50 of 200. Their centre is -2.5.
    logits = np.repeat([-3.0, -2, -1, 0], 100)
    happened = np.concatenate([np.arange(100) < n for n in (30, 20, 60, 90)])

    found = fit_kind(rows_of(logits, happened), "isotonic")

    assert isinstance(found, Isotonic)
    assert found.logits == pytest.approx((-2.5, -1, 0))
    assert found.calibrated == pytest.approx(tuple(logit([0.25, 0.6, 0.9])))


def test_a_step_of_few_positives_joins_its_neighbour() -> None:
    # Positives 5 of 100, 40 of 100, 10 of 10: the first is joined to the second, the last to them.
    logits = np.repeat([-3.0, -1, 2], [100, 100, 10])
    happened = np.concatenate([np.arange(n) < k for n, k in ((100, 5), (100, 40), (10, 10))])

    found = fit_kind(rows_of(logits, happened), "isotonic")

    assert isinstance(found, Isotonic)
    assert found.logits == pytest.approx(((100 * -3 + 100 * -1 + 10 * 2) / 210,))
    assert found.calibrated == pytest.approx((logit(55 / 210),))


def test_platt_agrees_with_logistic_regression() -> None:
    rows = drawn(0.6 * TRUE - 1, TRUE)

    found = fit_kind(rows, "platt")

    other = LogisticRegression(C=np.inf, tol=1e-8).fit(rows.logit_N[:, None], rows.happened_N)
    assert isinstance(found, Platt)
    assert found.slope == pytest.approx(other.coef_[0, 0], rel=1e-3)
    assert found.shift == pytest.approx(other.intercept_[0], rel=1e-3)


def test_temperature_finds_an_overconfident_network() -> None:
    found = fit_kind(drawn(TRUE, 2 * TRUE), "temperature")

    assert isinstance(found, Temperature)
    assert found.factor == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("kind", ["platt", "isotonic"])
def test_open_windows_are_calibrated_as_if_everything_had_come(
    kind: Literal["platt", "isotonic"],
) -> None:
    # Predictions are right; of half of the rows only two fifths of the positives have come.
    rng = np.random.default_rng(1)
    arrived = np.where(rng.random(len(TRUE)) < 0.5, 0.4, 1.0)
    happened = (rng.random(len(TRUE)) < expit(TRUE)) & (rng.random(len(TRUE)) < arrived)

    found = fit_kind(rows_of(TRUE, happened, arrived), kind)
    naive = fit_kind(rows_of(TRUE, happened), kind)

    mean = expit(TRUE).mean()
    assert expit(found(TRUE)).mean() == pytest.approx(mean, rel=0.03)
    assert expit(naive(TRUE)).mean() == pytest.approx(0.7 * mean, rel=0.03)


@pytest.mark.parametrize(
    ("told", "chosen"),
    [
        (2.5 * TRUE, Temperature),
        (2 * TRUE + 2, Platt),
        (np.where(TRUE > -1, TRUE + 3, TRUE), Isotonic),  # a hole that no line follows
    ],
    ids=["too sure", "a line", "no line"],
)
def test_auto_takes_what_holds(told: NDArray[np.float64], chosen: type) -> None:
    assert type(fit_task(drawn(TRUE, told), OPTIONS).calibration.pooled) is chosen


def test_what_is_right_stays_right() -> None:
    rows = drawn(TRUE, TRUE)

    found = fit_task(rows, OPTIONS).calibration.pooled

    assert expit(found(TRUE)).mean() == pytest.approx(expit(TRUE).mean(), rel=0.03)
    # On owners that nothing was fitted on, whatever is chosen gains next to nothing.
    losses = cross_fitted(rows)
    assert 0 <= losses["none"] - min(losses.values()) < 1e-4


@pytest.mark.parametrize("kind", ["auto", "isotonic"])
def test_owners_too_few_to_judge_each_other_calibrate_nothing(
    kind: Literal["auto", "isotonic"],
) -> None:
    rows = drawn(TRUE, 2 * TRUE)
    several = np.arange(len(TRUE)) % 5

    for owner_N, used in ((0 * several, "none"), (several, kind)):
        found = fit_task(rows._replace(owner_N=owner_N), CalibrationOptions(kind=kind))

        pooled = found.calibration.pooled.kind
        assert (pooled == "none") == (used == "none")
        assert (found.log_loss == {}) == (used == "none")
        assert found.rows == len(TRUE)


def test_a_surface_with_few_positives_shares() -> None:
    # Recommendations, half as often clicked as predicted, are many; ads are few and differ.
    surface = np.where(np.arange(len(TRUE)) < 500, 2, 1)
    rows = drawn(TRUE - 1, TRUE)._replace(surface_N=surface)

    found = fit_task(rows, OPTIONS)

    assert set(found.calibration.surfaces) == {Surface.RECOMMENDATION}
    assert found.positives == rows.happened_N.sum()
    assert found.rows == len(TRUE)
    assert found.log_loss["platt"] < found.log_loss["none"]


def test_too_little_leaves_predictions_as_they_are() -> None:
    rows = rows_of(TRUE[:100], np.arange(100) < 10)

    found = fit_task(rows, OPTIONS)

    assert found.calibration.pooled == AsPredicted()
    assert found.log_loss == {}
    assert fit_task(drawn(TRUE - 1, TRUE), CalibrationOptions(kind="none")).log_loss == {}


@pytest.mark.parametrize("kind", ["temperature", "platt", "isotonic"])
def test_what_nobody_chose_at_random_still_gives_a_rising_map(
    kind: Literal["temperature", "platt", "isotonic"],
) -> None:
    # The network is wrong the other way round; no calibrator may turn an order about.
    rows = drawn(-TRUE - 4, TRUE)

    found = fit_kind(rows, kind)

    assert (np.diff(found(np.sort(np.unique(TRUE)))) > 0).all()
