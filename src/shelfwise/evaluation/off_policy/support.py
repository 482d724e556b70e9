"""Whether a log can say anything of a policy: what is asked before any estimate is believed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.evaluation.off_policy.interval import interval_of
from shelfwise.evaluation.off_policy.logged import Floats, Linear
from shelfwise.evaluation.off_policy.weights import effective_sample_size, importance_weights
from shelfwise.metrics.bootstrap import Interval

FEWEST_EFFECTIVE = 100.0
MOST_MISSING = 0.1


class Support(NamedTuple):
    """How much of the policy the log covers."""

    effective: float  # rows of equal weight
    covered: Interval  # mean weight: the policy's mass on what the log gave a chance; 1 is all
    largest: float  # weight
    beyond_clip: float  # share of the weights that a clip cuts off
    refused: str  # why no estimate is made, in a sentence; empty: one is


def support_of(
    target_N: Floats, propensity_N: Floats, unit_N: NDArray[np.int64], clip: float = np.inf
) -> Support:
    """Effective sample size, covered mass and what a clip loses; refused where too little is left.

    The mean weight estimates the policy's probability of actions with a propensity above 0, for
    ``E[target / propensity]`` is the sum of ``target`` over them.
    """
    if not len(target_N):
        none = Interval(float("nan"), float("nan"), float("nan"), 0)
        return Support(0.0, none, 0.0, 0.0, "No estimate: no row has a propensity.")
    whole_N = importance_weights(target_N, propensity_N)
    weight_N = np.minimum(whole_N, clip)
    mean = float(whole_N.mean())
    covered = interval_of(Linear(mean, whole_N - mean), unit_N)
    beyond = 1 - float(weight_N.sum()) / float(whole_N.sum()) if mean > 0 else 0.0
    effective = effective_sample_size(weight_N)
    return Support(
        effective,
        covered,
        float(whole_N.max()),
        beyond,
        _refusal(effective, covered, beyond, len(target_N)),
    )


def _refusal(effective: float, covered: Interval, beyond: float, rows: int) -> str:
    way_out = "evaluate a policy nearer to the log's, or explore more"
    if effective < FEWEST_EFFECTIVE:
        return (
            f"No estimate: the weights of {rows:,} rows are worth {effective:.1f} rows of equal "
            f"weight, and {FEWEST_EFFECTIVE:.0f} are needed; {way_out}."
        )
    # Where the weights do not vary, their mean is known without an interval.
    most = covered.value if np.isnan(covered.high) else covered.high
    if most < 1 - MOST_MISSING:
        return (
            f"No estimate: the log gave a chance to {covered.value:.0%} of what the policy does "
            f"(at most {most:.0%}), and {1 - MOST_MISSING:.0%} are needed; {way_out}."
        )
    if beyond > MOST_MISSING:
        return (
            f"No estimate: {beyond:.0%} of the policy's weight lies beyond the clip, and "
            f"{MOST_MISSING:.0%} may; raise the clip, or {way_out}."
        )
    return ""
