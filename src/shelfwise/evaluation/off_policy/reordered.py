"""What lists would have earned in another order: the same items, clicks moved by examination.

Where what is *in* a list is not in question but only its order, no propensity is needed: under the
examination model a click at place k would have come at place j with probability scaled by
``examination(j) / examination(k)`` (Joachims, Swaminathan, Schnabel, 2017, arXiv:1608.04468).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.position_bias import PositionCurve
from shelfwise.evaluation.off_policy.interval import interval_of
from shelfwise.evaluation.off_policy.logged import Floats, Linear
from shelfwise.metrics.bootstrap import Interval


class Reordered(NamedTuple):
    """Clicks an impression, logged and in the other order."""

    value: Interval
    logged: Interval
    gain: Interval
    effective: float  # clicks of equal weight that the value rests on


def order_by_score(
    score_N: NDArray[np.floating], request_N: NDArray[np.int64], place_N: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The place that each item gets among the places of its own list, higher scores first.

    Equal scores keep the logged order.
    """
    by_score = np.lexsort((place_N, -score_N, request_N))
    by_place = np.lexsort((place_N, request_N))
    new_N = np.empty(len(place_N), np.int64)
    new_N[by_score] = place_N[by_place]
    return new_N


def reordered_clicks(
    clicked_N: Floats,
    logged_place_N: NDArray[np.int64],
    new_place_N: NDArray[np.int64],
    curve: PositionCurve,
    unit_N: NDArray[np.int64],
) -> Reordered:
    """Clicks an impression if every list had stood in the new order.

    The curve is taken as known: its own error is not in the interval. nan throughout where it was
    refused or does not reach a place.
    """
    weight_N = curve.relative_at(new_place_N) / curve.relative_at(logged_place_N)
    moved_N, clicked_N = weight_N * clicked_N, clicked_N.astype(np.float64)

    def told(term_N: Floats) -> Interval:
        value = float(term_N.mean()) if len(term_N) else float("nan")
        return interval_of(Linear(value, term_N - value), unit_N)

    square = float((moved_N**2).sum())
    return Reordered(
        told(moved_N),
        told(clicked_N),
        told(moved_N - clicked_N),
        float(moved_N.sum()) ** 2 / square if square > 0 else 0.0,
    )
