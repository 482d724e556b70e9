"""Who suggests what to try next."""

from __future__ import annotations

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
    WilcoxonPruner,
)
from optuna.samplers import (
    BaseSampler,
    GPSampler,
    RandomSampler,
    TPESampler,
)

from shelfwise.tuning.config import LEAST_FOLDS, PrunerName, SamplerName, TuneOptions
from shelfwise.tuning.cost_aware import CostAwareSampler
from shelfwise.tuning.space import Space

_MANY_CONDITIONS = 1 / 3
_ALIKE = 0.1  # p of the Wilcoxon test, below which a setting is given up
_REDUCTION = 3  # of the settings at a stage, one goes on


def sampler_name(options: TuneOptions, space: Space) -> SamplerName:
    """Who suggests, where that was left open."""
    if options.sampler != "auto":
        return options.sampler
    conditional = sum(bool(axis.when) for axis in space.axes)
    return "tpe" if conditional > _MANY_CONDITIONS * len(space.axes) else "gp"


def sampler_of(options: TuneOptions, space: Space, seed: int) -> BaseSampler:
    """The sampler of one worker.

    Args:
        options: who, and from when on.
        space: what is searched.
        seed: of this worker; workers with one seed would suggest the same.
    """
    if options.by_cost:
        return CostAwareSampler(seed, options.first_trials, RandomSampler(seed=seed))
    match sampler_name(options, space):
        case "tpe":
            return TPESampler(seed=seed, n_startup_trials=options.first_trials)
        case "random" | "grid":  # a grid's settings wait for whoever comes
            return RandomSampler(seed=seed)
        case _:
            return GPSampler(
                seed=seed,
                n_startup_trials=options.first_trials,
                warn_independent_sampling=False,
            )


def keeps_pruned(options: TuneOptions, space: Space) -> bool:
    """Whether the sampler learns of a trial that was stopped only if it is told as completed."""
    return options.by_cost or sampler_name(options, space) == "gp"


def pruner_name(options: TuneOptions) -> PrunerName:
    """Who stops trials early, where that was left open."""
    if options.pruner != "auto":
        return options.pruner
    if len(options.objectives) > 1 or options.by_cost:
        return "none"
    if options.folds:
        return "wilcoxon" if options.folds >= LEAST_FOLDS else "none"
    if len(options.shares) > 1:
        return "halving"
    return "hyperband" if options.objectives == ("score",) else "none"


def step_of_stage(place: int) -> int:
    """The step at which stage ``place``, from 0, is told: one that halving looks at."""
    step: int = _REDUCTION**place
    return step


def pruner_of(options: TuneOptions, most_steps: int) -> BasePruner:
    """The pruner that stops what does badly on its way.

    Args:
        options: which.
        most_steps: that a trial tells of; the same for every worker.
    """
    match pruner_name(options):
        case "hyperband":
            return HyperbandPruner(1, max(1, most_steps), _REDUCTION)
        case "median":
            return MedianPruner(n_startup_trials=options.first_trials)
        case "halving":
            return SuccessiveHalvingPruner(1, _REDUCTION)
        case "wilcoxon":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)  # its version is pinned
                return WilcoxonPruner(p_threshold=_ALIKE)
        case _:
            return NopPruner()
