"""What shop.toml says about the search for better settings; defaults live here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from shelfwise.schema.options import Options

SamplerName = Literal["auto", "gp", "tpe", "random", "grid"]
PrunerName = Literal["auto", "none", "hyperband", "median", "halving", "wilcoxon"]
COSTS = ("seconds", "latency_ms", "memory_mib")
LOW_IS_GOOD = (*COSTS, "log_loss", "rmse")
LEAST_FOLDS = 5  # with fewer, no Wilcoxon test can tell before the last


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
    """Who stops a trial early: hyperband or median by its checks, halving by shares of the users,
    wilcoxon over folds; auto takes whichever fits."""
    folds: NonNegativeInt = 0
    """Judge a setting by so many folds of users, one after the other; 0: by validation itself."""
    shares: tuple[Annotated[float, Field(gt=0, le=1)], ...] = (1.0,)
    """Shares of the users, and of the time, that a trial learns from in turn, ending with 1: a
    setting that does badly on few is stopped before it is tried on more."""
    objectives: Annotated[tuple[str, ...], Field(min_length=1)] = ("score",)
    """What is to be high, or, where it is a cost or an error, low: score, a figure of validation by
    its name, latency_ms, memory_mib, seconds. Several make a front."""
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
        if self.pruner == "wilcoxon" and self.folds < LEAST_FOLDS:
            raise ValueError(
                f"pruner = wilcoxon compares settings fold by fold; it needs {LEAST_FOLDS} folds"
            )
        if self.pruner == "halving" and len(self.shares) == 1:
            raise ValueError("pruner = halving goes by shares of the users; give some in shares")
        by_checks = self.pruner in ("hyperband", "median")
        if by_checks and (self.folds or len(self.shares) > 1 or self.objectives != ("score",)):
            raise ValueError(
                f"pruner = {self.pruner} goes by a training's checks, which tell the score alone; "
                "leave out folds, shares and other objectives, or take another pruner"
            )
        if len(self.objectives) > 1 and (self.by_cost or self.pruner not in ("auto", "none")):
            raise ValueError("by_cost and a pruner are for one objective")
        if self.by_cost and (self.at_most or self.pruner not in ("auto", "none")):
            raise ValueError("by_cost knows no limits and no pruner; leave them out")
        return self

    @model_validator(mode="after")
    def _limits_are_of_costs(self) -> Self:
        if unknown := [name for name in self.at_most if name not in COSTS]:
            raise ValueError(
                f"at_most: {', '.join(unknown)} is no cost; there are {', '.join(COSTS)}"
            )
        return self
