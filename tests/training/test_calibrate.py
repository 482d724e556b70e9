"""A network calibrated on validation: which rows count, and what the run keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit

from shelfwise.data.batches import Examples, examples_of
from shelfwise.data.prepared import PreparedShop
from shelfwise.models.calibration import (
    NOT_CALIBRATED,
    CalibrationOptions,
    PairLogits,
    load_calibration,
)
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.manifest import open_sealed
from shelfwise.schema.progress import Silent
from shelfwise.schema.run_files import CALIBRATION
from shelfwise.training.calibrate import calibrate, fit_calibration, joined

from .small_network import network_of

OPTIONS = CalibrationOptions(kind="platt")


@pytest.fixture(scope="module")
def validation(prepared_sample: PreparedShop) -> Examples:
    return examples_of(prepared_sample, ["validation"])


def constant(examples: Examples, click: float, convert: float) -> PairLogits:
    """Everything predicted alike, all on one surface."""
    count = len(examples.clicked_N)
    return PairLogits(
        np.full(count, logit(click), np.float32),
        np.full(count, logit(convert), np.float32),
        np.zeros(count, np.int64),
    )


def test_a_constant_prediction_becomes_the_rate(validation: Examples) -> None:
    # With one logit for all rows, the likeliest line gives it the rate of what happened.
    logits = constant(validation, 0.5, 0.5)

    found = fit_calibration(logits, validation, OPTIONS)

    assert found.click.rows == len(validation.clicked_N)
    p_click = found.calibration(logits).click_N
    assert p_click == pytest.approx(validation.clicked_N.mean(), rel=1e-3)


def test_weights_of_training_do_not_count(validation: Examples) -> None:
    logits = constant(validation, 0.2, 0.2)
    flagged = replace(validation, weight_N=0 * validation.weight_N)

    one, other = (fit_calibration(logits, rows, OPTIONS) for rows in (validation, flagged))

    assert one == other


def test_purchases_are_fitted_on_clicked_rows_as_if_all_had_come(validation: Examples) -> None:
    # Every third row clicked; of 40 % of whose purchases half have been seen to be bought.
    count = len(validation.clicked_N)
    clicked = np.arange(count) % 3 == 0
    bought = np.arange(count) % 15 == 0
    arrived = np.where(np.arange(count) % 2 == 0, 0.4, 0).astype(np.float32)
    rows = replace(validation, clicked_N=clicked, purchased_N=bought, arrived_N=arrived)

    found = fit_calibration(constant(rows, 0.5, 0.5), rows, OPTIONS)

    told = clicked & (arrived > 0)
    assert (found.convert.rows, found.convert.positives) == (told.sum(), (bought & told).sum())
    p_convert = found.calibration(constant(rows, 0.5, 0.5)).convert_N
    # A fifth of the clicked rows bought, at two fifths of all purchases: half in the end.
    assert p_convert == pytest.approx(bought[told].mean() / 0.4, rel=0.01)


def test_batches_are_put_together_in_order() -> None:
    parts = [
        PairLogits(np.array([1.0], np.float32), np.array([2.0], np.float32), np.array([0])),
        PairLogits(np.array([3.0], np.float32), np.array([4.0], np.float32), np.array([2])),
    ]

    found = joined(parts)

    assert [column.tolist() for column in found] == [[1, 3], [2, 4], [0, 2]]
    assert len(joined([]).click_N) == 0


def test_an_untrained_network_is_brought_to_the_rate(
    prepared_sample: PreparedShop, tiny_encoder: Path, validation: Examples
) -> None:
    network = network_of(prepared_sample, tiny_encoder)

    found = calibrate(network, prepared_sample, validation, OPTIONS, Silent())

    assert found.click.log_loss["platt"] < found.click.log_loss["none"]
    assert found.facts()["click"]["kinds"]["pooled"] == "platt"


def test_where_nothing_was_shown_nothing_is_calibrated(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    silent = replace(prepared_sample, impressions=prepared_sample.impressions.clear())
    network = network_of(prepared_sample, tiny_encoder)

    found = calibrate(network, silent, examples_of(silent, ["validation"]), OPTIONS, Silent())

    assert found.calibration == NOT_CALIBRATED
    assert (found.click.rows, found.convert.rows) == (0, 0)


def test_a_run_keeps_what_was_fitted(tiny_run: Path, prepared_sample: PreparedShop) -> None:
    run = open_run(tiny_run)
    facts = open_sealed(tiny_run, "run").facts["calibration"]
    validation = examples_of(prepared_sample, ["validation"])

    assert run.calibration == load_calibration(tiny_run / CALIBRATION)
    assert facts["fitted_on"] == "validation"
    assert facts["click"]["rows"] == len(validation.clicked_N)
    assert facts["click"]["positives"] == validation.clicked_N.sum()
    assert run.calibration.click.pooled.kind == facts["click"]["kinds"]["pooled"]


def test_order_within_a_surface_is_the_networks(tiny_run: Path) -> None:
    run = open_run(tiny_run)
    logit_N = np.sort(np.unique(np.random.default_rng(0).normal(-3, 2, 500).astype(np.float32)))

    for surface in range(3):
        place_N = np.full(len(logit_N), surface)
        found = run.calibration(PairLogits(logit_N, logit_N, place_N))
        assert (np.diff(found.click_N) > 0).all()
        assert (np.diff(found.convert_N) > 0).all()
    plain = NOT_CALIBRATED(PairLogits(logit_N, logit_N, np.zeros(len(logit_N), np.int64)))
    assert plain.click_N == pytest.approx(expit(logit_N.astype(float)))
