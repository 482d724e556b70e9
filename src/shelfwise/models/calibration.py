"""From the logits a network gives to probabilities that hold: maps of one number to one number.

They are fitted in ``training/calibrate.py`` on a later slice than the network learned from, and
kept as text beside it. Every map rises strictly, so that no order within a surface changes.

Shape suffixes in this file: N = (request, item) pairs, K = points of a map.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    Field,
    FiniteFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)
from scipy.special import expit

from shelfwise.schema.errors import ArtifactError
from shelfwise.schema.event import Surface
from shelfwise.schema.options import Options, explain

# Beyond its outermost points, and where two of them are alike, a fitted curve is flat: that much it
# rises all the same, so that ties among the network's answers are all the ties there are.
LEAST_SLOPE = 0.01

CalibratorKind = Literal["none", "temperature", "platt", "isotonic"]


class CalibrationOptions(Options):
    """How predicted probabilities are brought in line with what happened on validation."""

    kind: Literal["auto", "isotonic", "platt", "temperature", "none"] = "auto"
    """auto: whichever has the lowest log loss on owners it was not fitted on; isotonic: any rising
    curve; platt: a line in logits; temperature: one factor of the logits; none: as predicted."""
    least_positives: PositiveInt = 200
    """Clicks (or purchases) on a surface below which it shares the curve of all surfaces."""


class AsPredicted(Options):
    """Leaves probabilities as the network gives them."""

    kind: Literal["none"] = "none"

    def __call__(self, logit_N: NDArray[np.float64]) -> NDArray[np.float64]:
        """``[N]`` calibrated logits."""
        return logit_N


class Temperature(Options):
    """One factor for all logits: less than 1 says that the network is too sure of itself."""

    kind: Literal["temperature"] = "temperature"
    factor: PositiveFloat

    def __call__(self, logit_N: NDArray[np.float64]) -> NDArray[np.float64]:
        """``[N]`` calibrated logits."""
        return self.factor * logit_N


class Platt(Options):
    """A line in logits (Platt, 1999): also what is too high or too low everywhere is put right."""

    kind: Literal["platt"] = "platt"
    slope: PositiveFloat
    shift: FiniteFloat

    def __call__(self, logit_N: NDArray[np.float64]) -> NDArray[np.float64]:
        """``[N]`` calibrated logits."""
        return self.slope * logit_N + self.shift


class Isotonic(Options):
    """A rising curve through the centres of an isotonic regression's steps, straight in between.

    (Centred isotonic regression; Oron and Flournoy, 2017.)
    """

    kind: Literal["isotonic"] = "isotonic"
    logits: Annotated[tuple[FiniteFloat, ...], Field(min_length=1)]
    calibrated: tuple[FiniteFloat, ...]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if len(self.logits) != len(self.calibrated):
            raise ValueError("each point needs a logit and a calibrated one")
        if (np.diff(self.logits) <= 0).any() or (np.diff(self.calibrated) <= 0).any():
            raise ValueError("points must rise strictly")
        return self

    def __call__(self, logit_N: NDArray[np.float64]) -> NDArray[np.float64]:
        """``[N]`` calibrated logits."""
        outside_N = logit_N - logit_N.clip(self.logits[0], self.logits[-1])
        within_N: NDArray[np.float64] = np.interp(logit_N, self.logits, self.calibrated)
        calibrated_N: NDArray[np.float64] = within_N + LEAST_SLOPE * outside_N
        return calibrated_N


Calibrator = Annotated[AsPredicted | Temperature | Platt | Isotonic, Field(discriminator="kind")]


class TaskCalibration(Options):
    """The maps of one probability: a surface's own, or what all surfaces share."""

    pooled: Calibrator = AsPredicted()
    surfaces: dict[Surface, Calibrator] = Field(default_factory=dict)
    """Surfaces with positives enough for a map of their own."""

    def probabilities(
        self, logit_N: NDArray[np.floating[Any]], surface_N: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """``[N]`` calibrated probabilities; ``surface_N`` are places in ``Surface``."""
        exact_N = logit_N.astype(np.float64)
        calibrated_N = self.pooled(exact_N)
        for place, surface in enumerate(Surface):
            here_N = surface_N == place
            if surface in self.surfaces and here_N.any():
                calibrated_N = np.where(here_N, self.surfaces[surface](exact_N), calibrated_N)
        p_N: NDArray[np.float64] = expit(calibrated_N)
        return p_N


class PairLogits(NamedTuple):
    """What the network says of (request, item) pairs, before it is calibrated."""

    click_N: NDArray[np.float32]
    convert_N: NDArray[np.float32]
    surface_N: NDArray[np.int64]  # place in ``Surface``


class CalibratedPairs(NamedTuple):
    """P(click | shown there) and P(purchase in its window | click), as they hold in the shop."""

    click_N: NDArray[np.float64]
    convert_N: NDArray[np.float64]


class Calibration(Options):
    """The maps of a run's probabilities."""

    click: TaskCalibration = TaskCalibration()
    convert: TaskCalibration = TaskCalibration()

    def __call__(self, logits: PairLogits) -> CalibratedPairs:
        """Probabilities of pairs."""
        return CalibratedPairs(
            self.click.probabilities(logits.click_N, logits.surface_N),
            self.convert.probabilities(logits.convert_N, logits.surface_N),
        )


NOT_CALIBRATED = Calibration()


def save_calibration(calibration: Calibration, path: Path) -> None:
    """Write it as JSON."""
    path.write_text(calibration.model_dump_json(indent=1) + "\n", encoding="utf-8")


def load_calibration(path: Path) -> Calibration:
    """Read what ``save_calibration`` wrote.

    Raises:
        ArtifactError: it is not such a file.
    """
    try:
        return Calibration.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path}: cannot be read ({error})") from error
    except ValidationError as error:
        raise ArtifactError("\n".join([f"{path}:", *explain(error, Calibration)])) from error
