"""A Gaussian process over the trials: what it expects of settings that nobody has tried.

Shape suffixes in this file: N = trials, C = candidates, D = numbers of a setting.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from shelfwise.schema.search import Pick, Span
from shelfwise.tuning.space import Axis

_Array = NDArray[np.float64]
_MAD_TO_DEVIATION = 1.4826
_CLIP = 3.0  # deviations below the middle, where how bad a setting is no longer matters


class Surrogate:
    """A value as a function of a setting, with how sure of it one may be (Matern 5/2 with a length
    for each option; Rasmussen and Williams, 2006).
    """

    def __init__(self, x_ND: _Array, y_N: _Array, seed: int) -> None:
        """
        Args:
            x_ND: ``[N, D]`` settings in the unit cube, as `placed` gives them.
            y_N: ``[N]`` values.
            seed: of the restarts of the fit.
        """
        self._seed = seed
        self._middle, self._scale = float(np.mean(y_N)), float(np.std(y_N)) or 1.0
        width = x_ND.shape[1]
        kernel = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(
            np.full(width, 0.5), (0.05, 20.0), nu=2.5
        ) + WhiteKernel(1e-3, (1e-6, 1.0))
        self._process = GaussianProcessRegressor(kernel, n_restarts_optimizer=2, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._process.fit(x_ND, (y_N - self._middle) / self._scale)

    def told(self, x_CD: _Array) -> tuple[_Array, _Array]:
        """``[C]`` mean and ``[C]`` standard deviation of the value itself, without noise."""
        mean_C, deviation_C = self._process.predict(x_CD, return_std=True)
        noise = float(np.exp(self._process.kernel_.theta[-1]))
        deviation_C = np.sqrt(np.maximum(deviation_C**2 - noise, 1e-12))
        return mean_C * self._scale + self._middle, deviation_C * self._scale

    def worlds(self, x_CD: _Array, count: int) -> _Array:
        """``[W, C]`` draws of all values together: how things may be."""
        mean_C, covariance_CC = self._process.predict(x_CD, return_cov=True)
        noise = float(np.exp(self._process.kernel_.theta[-1]))
        covariance_CC = covariance_CC - (noise - 1e-9) * np.eye(len(x_CD))
        rng = np.random.default_rng(self._seed)
        drawn_WC = rng.multivariate_normal(mean_C, covariance_CC, count, check_valid="ignore")
        return drawn_WC * self._scale + self._middle


def expected_improvement(mean_C: _Array, deviation_C: _Array, best: float) -> _Array:
    """``[C]`` how much above ``best`` a value is to be expected, counting less as 0.

    Jones, Schonlau and Welch (1998).
    """
    z_C = (mean_C - best) / deviation_C
    gain_C: _Array = (mean_C - best) * norm.cdf(z_C) + deviation_C * norm.pdf(z_C)
    gain_C[gain_C < 0] = 0.0  # by rounding alone
    return gain_C


def without_depths(y_N: _Array) -> _Array:
    """``[N]`` values, with very low ones raised: how bad a setting is says nothing of good ones.

    Three robust deviations below the median are enough.
    """
    middle = float(np.median(y_N))
    deviation = _MAD_TO_DEVIATION * float(np.median(np.abs(y_N - middle)))
    if deviation == 0:
        return y_N
    raised_N: _Array = np.maximum(y_N, middle - _CLIP * deviation)
    return raised_N


def distribution_of(axis: Axis) -> BaseDistribution:
    """An axis as Optuna knows it: ordered choices by their place."""
    match axis.dimension:
        case Span(low, high, log) as span:
            if span.is_whole:
                return IntDistribution(int(low), int(high), log=log)
            return FloatDistribution(low, high, log=log)
        case Pick(values) as pick:
            if pick.is_ordered:
                return IntDistribution(0, len(values) - 1)
            return CategoricalDistribution(values)


def placed(space: Mapping[str, BaseDistribution], settings: Sequence[Mapping[str, Any]]) -> _Array:
    """``[N, D]`` settings in the unit cube: logs where a span is one, a number for each choice."""
    return np.array(
        [
            [number for name, one in space.items() for number in _placed(one, setting[name])]
            for setting in settings
        ],
        np.float64,
    ).reshape(len(settings), -1)


def _placed(one: BaseDistribution, value: Any) -> list[float]:
    if isinstance(one, CategoricalDistribution):
        return [float(value == choice) for choice in one.choices]
    assert isinstance(one, FloatDistribution | IntDistribution), "the three kinds that there are"
    low, high, value = float(one.low), float(one.high), float(value)
    if one.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return [(value - low) / (high - low) if high > low else 0.0]
