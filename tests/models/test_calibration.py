"""Maps of logits: by hand, and what every one of them keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.special import expit, logit

from shelfwise.models.calibration import (
    LEAST_SLOPE,
    NOT_CALIBRATED,
    AsPredicted,
    Calibration,
    Calibrator,
    Isotonic,
    PairLogits,
    Platt,
    TaskCalibration,
    Temperature,
    load_calibration,
    save_calibration,
)
from shelfwise.schema.errors import ArtifactError
from shelfwise.schema.event import Surface

CURVE = Isotonic(logits=(-2.0, 0.0, 1.0), calibrated=(-3.0, -1.0, -0.9))
ALL: list[Calibrator] = [AsPredicted(), Temperature(factor=0.5), Platt(slope=0.2, shift=-3), CURVE]


def test_by_hand() -> None:
    logits = np.array([-2.0, 1.0])

    assert AsPredicted()(logits).tolist() == [-2, 1]
    assert Temperature(factor=0.5)(logits).tolist() == [-1, 0.5]
    assert Platt(slope=0.5, shift=3)(logits).tolist() == [2, 3.5]
    # Half way from -2 to 0 is half way from -3 to -1; beyond 1 it rises by the least slope.
    found = CURVE(np.array([-2.0, -1.0, 0.5, 11.0, -5.0]))
    assert found.tolist() == pytest.approx(
        [-3, -2, -0.95, -0.9 + 10 * LEAST_SLOPE, -3 - 3 * LEAST_SLOPE]
    )


@pytest.mark.parametrize("calibrator", ALL)
@given(
    st.lists(st.floats(-15, 15).map(lambda x: round(x, 4)), min_size=2, max_size=30, unique=True)
)
def test_the_order_never_changes(calibrator: Calibrator, logits: list[float]) -> None:
    logit_N = np.sort(np.array(logits))

    task = TaskCalibration(pooled=calibrator)
    p_N = task.probabilities(logit_N, np.zeros(len(logit_N), np.int64))

    assert (np.diff(p_N) > 0).all()
    assert ((p_N > 0) & (p_N < 1)).all()


def test_a_surface_of_its_own_and_those_that_share() -> None:
    task = TaskCalibration(
        pooled=Platt(slope=1, shift=1), surfaces={Surface.ADS: Platt(slope=1, shift=-1)}
    )
    places = [list(Surface).index(surface) for surface in (Surface.ADS, Surface.SEARCH)]

    found = task.probabilities(np.zeros(2), np.array(places))

    assert found.tolist() == pytest.approx([expit(-1), expit(1)])


def test_clicks_and_purchases_have_maps_of_their_own() -> None:
    calibration = Calibration(
        click=TaskCalibration(pooled=Temperature(factor=2)),
        convert=TaskCalibration(pooled=Temperature(factor=0.5)),
    )
    half = np.full(1, logit(0.75), np.float32)

    found = calibration(PairLogits(half, half, np.zeros(1, np.int64)))

    # Odds 3: squared 9, so 9/10; their root is sqrt(3).
    assert found.click_N.tolist() == pytest.approx([0.9], rel=1e-6)
    assert found.convert_N.tolist() == pytest.approx([3**0.5 / (1 + 3**0.5)], rel=1e-6)
    left = NOT_CALIBRATED(PairLogits(half, half, np.zeros(1, np.int64)))
    assert left.click_N.tolist() == pytest.approx([0.75], rel=1e-6)


@pytest.mark.parametrize("calibrator", ALL)
def test_written_and_read(calibrator: Calibrator, tmp_path: Path) -> None:
    calibration = Calibration(
        click=TaskCalibration(surfaces={Surface.SEARCH: calibrator}),
        convert=TaskCalibration(pooled=calibrator),
    )
    save_calibration(calibration, tmp_path / "c.json")

    assert load_calibration(tmp_path / "c.json") == calibration


@pytest.mark.parametrize(
    ("logits", "calibrated"),
    [((0.0, 1.0), (0.0,)), ((0.0, 0.0), (0.0, 1.0)), ((0.0, 1.0), (1.0, 0.5)), ((), ())],
)
def test_a_curve_that_does_not_rise_cannot_be_written(
    logits: tuple[float, ...], calibrated: tuple[float, ...]
) -> None:
    with pytest.raises(ValidationError):
        Isotonic(logits=logits, calibrated=calibrated)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"click": {"pooled": {"kind": "platt", "slope": -1, "shift": 0}}}']
)
def test_a_damaged_file_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(text)

    with pytest.raises(ArtifactError, match=r"c\.json"):
        load_calibration(tmp_path / "c.json")
