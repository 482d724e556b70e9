"""Where the position tower begins: at what randomised rows say of how much each place is looked at.

The tower is trained beside the click head and may take on what belongs to the items: good ones
stand on top. The measured curve owes nothing to them (`data.position_bias`).

Shape suffixes: S = surfaces, K = places that the tower tells apart (0 stands for unknown).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.batches import Examples
from shelfwise.data.position_bias import PositionCurve, position_curves
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.models.heads import POSITIONS
from shelfwise.models.requests import SURFACES
from shelfwise.schema.event import Surface

# Randomised clicks at both of the first two places from which a curve is right within a tenth. One
# of fewer is too noisy to start from: the tower then learns by itself.
ENOUGH_CLICKS = 800


def measured_places(prepared: PreparedShop, parts: Sequence[Part]) -> NDArray[np.float32]:
    """``[S, K]`` logit of a click at each place less that at the first; 0 where nothing is known.

    ``logit(relative * r) - logit(r)`` with r the surface's click rate at place 1. An unknown place
    has the mean of the known ones, as they were shown; one beyond the curve follows its decay.
    """
    shift_SK = np.zeros((len(SURFACES), POSITIONS), np.float32)
    for curve in position_curves(prepared, parts):
        if not curve.refused and min(curve.randomised_K[:2]) >= ENOUGH_CLICKS:
            shift_SK[SURFACES.index(Surface(curve.surface))] = _shifts(curve)
    return shift_SK


def usual_shift(shift_SK: NDArray[np.float32], examples: Examples) -> float:
    """Mean of the shifts over all impressions, as they were shown."""
    surface_N = np.repeat(examples.surface_R, np.diff(examples.shown_offset_R1))
    place_N = examples.position_N.clip(0, POSITIONS - 1)
    return float(shift_SK[surface_N, place_N].mean()) if len(place_N) else 0.0


def _shifts(curve: PositionCurve) -> NDArray[np.float64]:
    first = min(max(curve.clicks_K[0] / curve.shown_K[0], 1e-4), 0.999)
    place_K = np.arange(1, POSITIONS)
    last = max(np.array(curve.position_K)[~np.isnan(curve.relative_K)])
    relative_K = curve.relative_at(place_K) * np.maximum(place_K / last, 1.0) ** -curve.decay
    rate_K = np.clip(relative_K * first, 1e-6, 0.999)
    shift_K = np.log(rate_K / (1 - rate_K)) - np.log(first / (1 - first))
    shown_K = np.zeros(POSITIONS - 1)
    places = min(len(curve.shown_K), POSITIONS - 1)
    shown_K[:places] = curve.shown_K[:places]
    return np.concatenate([[np.average(shift_K, weights=shown_K)], shift_K])
