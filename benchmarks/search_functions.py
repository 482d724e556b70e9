"""Standard test functions for searches, with the least value that each has.

Surjanovic and Bingham, Virtual Library of Simulation Experiments.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from shelfwise.schema.search import Span
from shelfwise.tuning.space import Axis, Params, Space


@dataclass(frozen=True, slots=True)
class Function:
    """Something to make small."""

    name: str
    space: Space
    value: Callable[[Params], float]
    least: float


def branin(params: Params) -> float:
    """Three equal minima of .397887 over [-5, 10] x [0, 15]."""
    x, y = _numbers(params)
    bent = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return bent * bent + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def hartmann6(params: Params) -> float:
    """Six minima over the unit cube, the lowest -3.32237."""
    x_D = np.array(_numbers(params))
    inside_M = (_HARTMANN_A * (x_D - _HARTMANN_P) ** 2).sum(1)
    return float(-(_HARTMANN_ALPHA * np.exp(-inside_M)).sum())


def rosenbrock4(params: Params) -> float:
    """A narrow bent valley over [-2, 2] in four dimensions; 0 where all are 1."""
    x = _numbers(params)
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in itertools.pairwise(x))


def _numbers(params: Params) -> list[float]:
    return [float(value) for value in params.values()]


def _cube(size: int, ends: Sequence[tuple[float, float]]) -> Space:
    return Space(
        tuple(
            Axis(f"x{at}", f"x{at}", Span(*ends[at % len(ends)]), sum(ends[at % len(ends)]) / 2)
            for at in range(size)
        )
    )


_HARTMANN_ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
_HARTMANN_A = np.array(
    [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ]
)
_HARTMANN_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)
FUNCTIONS = (
    Function("branin", _cube(2, [(-5.0, 10.0), (0.0, 15.0)]), branin, 0.397887),
    Function("hartmann 6", _cube(6, [(0.0, 1.0)]), hartmann6, -3.32237),
    Function("rosenbrock 4", _cube(4, [(-2.0, 2.0)]), rosenbrock4, 0.0),
)
