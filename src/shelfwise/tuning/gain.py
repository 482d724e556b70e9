"""What more trials would bring: told by a Gaussian process of those that there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc

from shelfwise.tuning.records import Trial, best_of
from shelfwise.tuning.space import Space
from shelfwise.tuning.surrogate import (
    Surrogate,
    distribution_of,
    expected_improvement,
    placed,
    without_depths,
)

_LEAST = 8
_CANDIDATES = 512
_WORLDS = 200


@dataclass(frozen=True, slots=True)
class Gain:
    """Expected improvement on the best value, in the objective's own units."""

    next_trial: float  # of the one setting that promises most
    in_all: float  # were the best of the whole space found


def expected_gain(trials: Sequence[Trial], space: Space, rising: bool, seed: int) -> Gain | None:
    """What the next trial, and what all others, may add to the best; None where nothing is known.

    Looks at options that every trial has drawn; what lies in the others counts as noise.
    """
    done = [trial for trial in trials if trial.state == "done"]
    axes = [axis for axis in space.axes if not axis.when]
    if len(done) < _LEAST or not axes or not best_of(trials, (rising,)):
        return None
    sign = 1.0 if rising else -1.0
    value_N = sign * np.array([trial.values[0] for trial in done])
    every = Space(tuple(axes))
    space_told = {axis.name: distribution_of(axis) for axis in axes}
    known = [{axis.name: trial.params[axis.name] for axis in axes} for trial in done]
    x_ND = placed(space_told, [every.coded(params) for params in known])
    model = Surrogate(x_ND, without_depths(value_N), seed)
    points = qmc.Sobol(len(axes), rng=seed).random(_CANDIDATES)
    x_CD = placed(space_told, [every.coded(every.at(point.tolist())) for point in points])
    best = sign * best_of(trials, (rising,))[0].values[0]
    step = float(expected_improvement(*model.told(x_CD), best).max())
    worlds_WC = model.worlds(x_CD, _WORLDS)
    return Gain(step, max(step, float(np.maximum(worlds_WC.max(1) - best, 0.0).mean())))
