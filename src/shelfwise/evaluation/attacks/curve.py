"""A metric against the strength of an attack, and what is left of it on the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.metrics.bootstrap import (
    Interval,
    bootstrap_interval,
    bootstrap_sums,
    paired_interval,
)


@dataclass(frozen=True, slots=True)
class Drawing:
    """How intervals are drawn."""

    draws: int
    seed: int

    def interval(self, value_U: NDArray[np.float64]) -> Interval:
        """Of a mean over units."""
        return bootstrap_interval(value_U, draws=self.draws, seed=self.seed)

    def difference(self, a_U: NDArray[np.float64], b_U: NDArray[np.float64]) -> Interval:
        """Of a mean less another of the same units."""
        return paired_interval(a_U, b_U, draws=self.draws, seed=self.seed)

    def share(self, part_U: NDArray[np.float64], whole_U: NDArray[np.float64]) -> Interval:
        """Of a sum over another of the same units; nan where that is not above 0."""
        known_U = np.isfinite(part_U) & np.isfinite(whole_U)
        both_US = np.stack([part_U, whole_U], axis=1)[known_U]
        return bootstrap_sums(
            _first_over_second,
            both_US,
            np.arange(len(both_US)),
            draws=self.draws,
            seed=self.seed,
        )


def _first_over_second(sum_DS: NDArray[np.float64]) -> NDArray[np.float64]:
    share_D = np.full(len(sum_DS), np.nan)
    np.divide(sum_DS[:, 0], sum_DS[:, 1], out=share_D, where=sum_DS[:, 1] > 0)
    return share_D


@dataclass(frozen=True, slots=True)
class Point:
    """The metric under one strength."""

    strength: float
    value: float
    low: float
    high: float
    lost: float  # clean less attacked, on the same units
    lost_low: float
    lost_high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """One attack at rising strength, on the units that it can reach."""

    attack: str
    about: str
    unit: str  # of the strength
    metric: str
    units: int  # requests or queries
    clean: float
    clean_low: float
    clean_high: float
    points: list[Point] = field(default_factory=list)
    robustness_low: float = float("nan")
    robustness_high: float = float("nan")
    # ``[U]`` values of each unit by strength, 0 being without the attack; not told in `plain`.
    value_of: Mapping[float, NDArray[np.float64]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def plain(self) -> dict[str, Any]:
        """What is told of it."""
        told = asdict(replace(self, value_of={}))
        del told["value_of"]
        return {**told, "robustness": self.robustness}

    @property
    def robustness(self) -> float:
        """Area under the curve over that of a metric that no attack harms, from 0 to the strongest.

        1 where nothing is lost; nan where there was nothing to lose.
        """
        if not self.points or not self.clean > 0:
            return float("nan")
        strength = np.array([0.0, *(point.strength for point in self.points)])
        value = np.array([self.clean, *(point.value for point in self.points)])
        area = float(np.trapezoid(value, strength))
        return area / (self.clean * float(strength[-1]))


@dataclass(frozen=True, slots=True)
class Attack:
    """What is told of an attack beside its figures."""

    name: str
    about: str
    unit: str


def curve_of(
    attack: Attack,
    metric: str,
    clean_U: NDArray[np.float64],
    attacked: Sequence[tuple[float, NDArray[np.float64]]],
    drawing: Drawing,
) -> Curve:
    """Put the values of each unit together.

    Args:
        attack: which one.
        metric: what the values are.
        clean_U: without the attack; nan where a unit has no value.
        attacked: strengths, rising, with the values of the same units.
        drawing: how intervals are drawn.
    """
    points = []
    for strength, value_U in attacked:
        found, lost = drawing.interval(value_U), drawing.difference(clean_U, value_U)
        points.append(Point(strength, *found[:3], *lost[:3]))
    clean = drawing.interval(clean_U)
    # Of each unit, the area under its own curve as a share of the strength: they add up.
    strengths = np.array([0.0, *(strength for strength, _ in attacked)])
    area_U = np.trapezoid(
        np.stack([clean_U, *(value_U for _, value_U in attacked)]), strengths, axis=0
    )
    robustness = drawing.share(area_U / strengths[-1], clean_U)
    return Curve(
        attack.name,
        attack.about,
        attack.unit,
        metric,
        clean.support,
        *clean[:3],
        points,
        robustness.low,
        robustness.high,
        {0.0: clean_U, **dict(attacked)},
    )
