"""What shop.toml says about the search for better settings; defaults live here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from shelfwise.schema.options import Options

SamplerName = Literal["auto", "gp", "tpe", "random", "grid"]
PrunerName = Literal["auto", "none", "hyperband", "median", "wilcoxon"]


class TuneOptions(Options):
    """How better settings are searched for, by validation alone."""

    search: tuple[str, ...] = ()
    """Options that are searched, as section.key, or whole sections; left out, those that tell most
    on this kind of shop."""
    space: Mapping[str, Any] = {}
    """Where to look, by section.key, narrower than what is known of the option: [a, b, ...] for a
    choice, {low = a, high = b, log = true} for a span, one value to fix it."""
    sampler: SamplerName = "auto"
    """Who suggests: a Gaussian process; a tree of Parzen estimators, which auto takes where more
    than a third of the options hold only at times; chance; or a grid."""
    first_trials: PositiveInt = 8
    """Suggestions by chance, evenly spread, before the sampler has enough to go on."""
    by_cost: bool = False
    """Ask for the expected improvement a second, not a trial (one objective)."""
    pruner: PrunerName = "auto"
    """Who stops a trial early: hyperband by its checks or shares of users, wilcoxon over folds."""
    folds: NonNegativeInt = 0
    """Judge a setting by so many folds of users, one after the other; 0: by validation itself."""
    shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (1.0,)
    """Shares of the users, and of the time, that a trial learns from in turn, ending with 1: a
    setting that does badly on few is stopped before it is tried on more."""
    objectives: Annotated[tuple[str, ...], Field(min_length=1)] = ("score",)
    """What is to be high, or, where it is a cost, low: score, a figure of validation by its name,
    latency_ms, memory_mib, seconds. Several make a front."""
    at_most: Mapping[str, float] = {}
    """Limits that a setting must keep, by cost: { memory_mib = 4000, latency_ms = 20 }."""
    seeds: PositiveInt = 1
    """New seeds with which the chosen setting and the one searched from are trained again in the
    end, and compared on the test."""
    seed: NonNegativeInt = 0

    @model_validator(mode="after")
    def _shares_rise_to_all(self) -> Self:
        if list(self.shares) != sorted(set(self.shares)) or self.shares[-1] != 1:
            raise ValueError(f"shares must rise and end with 1, found {list(self.shares)}")
        return self

    @model_validator(mode="after")
    def _one_way_to_go_on(self) -> Self:
        if self.folds == 1:
            raise ValueError("one fold leaves nothing to learn from; take 2 or more, or 0")
        if self.folds and len(self.shares) > 1:
            raise ValueError("folds and shares are two ways to stop a trial early; choose one")
        if self.pruner == "wilcoxon" and not self.folds:
            raise ValueError("pruner = wilcoxon compares settings fold by fold; set folds to 2 up")
        if len(self.objectives) > 1 and (self.by_cost or self.pruner not in ("auto", "none")):
            raise ValueError("by_cost and a pruner are for one objective")
        return self
