"""Who suggests what to try next."""

from __future__ import annotations

from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, WilcoxonPruner
from optuna.samplers import (
    BaseSampler,
    GPSampler,
    RandomSampler,
    TPESampler,
)

from shelfwise.tuning.config import PrunerName, SamplerName, TuneOptions
from shelfwise.tuning.cost_aware import CostAwareSampler
from shelfwise.tuning.space import Space

_MANY_CONDITIONS = 1 / 3


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


def pruner_name(options: TuneOptions) -> PrunerName:
    """Who stops trials early, where that was left open."""
    if options.pruner != "auto":
        return options.pruner
    if len(options.objectives) > 1:
        return "none"
    return "wilcoxon" if options.folds else "hyperband"


def pruner_of(options: TuneOptions) -> BasePruner:
    """The pruner that stops what does badly on its way."""
    match pruner_name(options):
        case "hyperband":
            return HyperbandPruner(min_resource=1, reduction_factor=3)
        case "median":
            return MedianPruner(n_startup_trials=options.first_trials)
        case "wilcoxon":
            return WilcoxonPruner(p_threshold=0.1)
        case _:
            return NopPruner()
