"""Expected improvement per second: a cheap trial that may gain as much is tried first.

Snoek, Larochelle and Adams (2012, arXiv:1206.2944), section 3.2: one Gaussian process of the value,
one of the logarithm of the seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from shelfwise.tuning.records import SECONDS
from shelfwise.tuning.surrogate import Surrogate, expected_improvement, placed, without_depths

_CANDIDATES = 2_000
_NEAR = 500  # of them near the best
_NEAR_DEVIATION = 0.1


class CostAwareSampler(BaseSampler):
    """Suggests what promises most improvement a second; what no model covers is drawn."""

    def __init__(self, seed: int, first_trials: int, independent: BaseSampler) -> None:
        self._rng = np.random.default_rng(seed)
        self._first_trials = first_trials
        self._independent = independent
        self._space = IntersectionSearchSpace()

    def infer_relative_search_space(
        self,
        study: Study,
        trial: FrozenTrial,  # noqa: ARG002  # as Optuna calls it
    ) -> dict[str, BaseDistribution]:
        """Options that every trial has drawn."""
        return {name: one for name, one in self._space.calculate(study).items() if not one.single()}

    def sample_relative(
        self,
        study: Study,
        trial: FrozenTrial,  # noqa: ARG002  # as Optuna calls it
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """The candidate with the most expected improvement a second; nothing before there is
        enough to go on.
        """
        known = [
            one
            for one in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
            if SECONDS in one.user_attrs
        ]
        if not search_space or len(known) < self._first_trials:
            return {}
        sign = 1.0 if study.direction == StudyDirection.MAXIMIZE else -1.0
        value_N = np.array([sign * one.values[0] for one in known])
        log_N = np.log([max(1e-3, one.user_attrs[SECONDS]) for one in known])
        x_ND = placed(search_space, [one.params for one in known])
        seed = int(self._rng.integers(2**31))
        value = Surrogate(x_ND, without_depths(value_N), seed)
        seconds = Surrogate(x_ND, log_N, seed)
        best = known[int(np.argmax(value_N))].params
        candidates = candidates_near(search_space, best, self._rng)
        x_CD = placed(search_space, candidates)
        gain_C = expected_improvement(*value.told(x_CD), float(value_N.max()))
        rate_C = np.log(np.maximum(gain_C, 1e-300)) - seconds.told(x_CD)[0]
        return candidates[int(np.argmax(rate_C))]

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """One option by itself."""
        return self._independent.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """As Optuna calls it."""
        self._independent.before_trial(study, trial)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """As Optuna calls it."""
        self._independent.after_trial(study, trial, state, values)


def candidates_near(
    space: Mapping[str, BaseDistribution], best: Mapping[str, Any], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Settings drawn evenly, and some near the best."""
    drawn = [{name: _drawn(one, rng) for name, one in space.items()} for _ in range(_CANDIDATES)]
    near = [
        {name: _near(one, best[name], rng) for name, one in space.items()} for _ in range(_NEAR)
    ]
    return drawn + near


def _drawn(one: BaseDistribution, rng: np.random.Generator) -> Any:
    if isinstance(one, CategoricalDistribution):
        return one.choices[int(rng.integers(len(one.choices)))]
    return _at(one, float(rng.random()))


def _near(one: BaseDistribution, value: Any, rng: np.random.Generator) -> Any:
    if isinstance(one, CategoricalDistribution):
        return value if rng.random() < 0.8 else _drawn(one, rng)
    place = placed({"": one}, [{"": value}])[0, 0] + _NEAR_DEVIATION * rng.standard_normal()
    return _at(one, float(np.clip(place, 0.0, 1.0)))


def _at(one: BaseDistribution, place: float) -> Any:
    assert isinstance(one, FloatDistribution | IntDistribution), "the three kinds that there are"
    low, high = float(one.low), float(one.high)
    value = low * (high / low) ** place if one.log else low + (high - low) * place
    value = min(high, max(low, value))
    return round(value) if isinstance(one, IntDistribution) else value
