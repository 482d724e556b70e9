"""All estimators on one log, with what they rest on, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan

import numpy as np
from pydantic import PositiveFloat

from shelfwise.evaluation.off_policy.doubly_robust import doubly_robust
from shelfwise.evaluation.off_policy.interval import bias_aware, interval_of
from shelfwise.evaluation.off_policy.inverse_propensity import inverse_propensity
from shelfwise.evaluation.off_policy.logged import Linear, LoggedRows
from shelfwise.evaluation.off_policy.self_normalised import self_normalised
from shelfwise.evaluation.off_policy.support import support_of
from shelfwise.evaluation.off_policy.weights import importance_weights
from shelfwise.metrics.bootstrap import Interval
from shelfwise.schema.options import Options

_FEW_REWARDS = 20
_PLURAL = {"click": "clicks", "purchase": "purchases", "revenue": "of revenue"}


class OffPolicyOptions(Options):
    """What tames large weights; both trade variance for a bias that no interval shows."""

    clip: PositiveFloat | None = None
    """Largest importance weight; None cuts none off."""
    switch_above: PositiveFloat | None = None
    """Weight beyond which the doubly robust estimate trusts its model alone; None: never."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one estimator says of a policy."""

    estimator: str  # ips, snips, dm, dr
    value: float  # reward of an action; nan where there is no support
    low: float  # 95 % interval over units
    high: float
    support: int  # units
    gain: float  # over what the log's own policy earned on the same rows
    gain_low: float
    gain_high: float


@dataclass(frozen=True, slots=True)
class OffPolicy:
    """What a log says a policy would have earned."""

    policy: str  # in words
    reward: str  # click, purchase, revenue
    where: str  # which slots
    rows: int
    units: int
    rewarded: int  # rows with a reward
    logged: float  # mean reward of the log's own policy
    logged_low: float
    logged_high: float
    effective: float  # sample size in rows of equal weight
    covered: float  # mean weight
    covered_low: float
    covered_high: float
    largest_weight: float
    beyond_clip: float
    estimates: list[Estimate] = field(default_factory=list)
    refused: str = ""
    notes: list[str] = field(default_factory=list)

    def estimate(self, name: str) -> Estimate | None:
        """An estimator's answer, or None."""
        return next((one for one in self.estimates if one.estimator == name), None)

    @property
    def sentence(self) -> str:
        """In words what was found."""
        if self.refused:
            return self.refused
        best = self.estimate("dr") or self.estimate("snips")
        if best is None or isnan(best.low):
            return "Nothing can be said: no row of the log earned a reward under the policy."
        against = f"{best.gain:+.4f} ({best.gain_low:+.4f} to {best.gain_high:+.4f})"
        if best.gain_low <= 0 <= best.gain_high:
            told = "whether it would earn more than the log's own policy cannot be told"
        else:
            more = "more" if best.gain_low > 0 else "less"
            told = f"it would earn {more} than the log's own policy"
        earned = _PLURAL.get(self.reward, self.reward)
        return (
            f"By {best.estimator}, {self.policy} earns {best.value:.4f} {earned} a slot "
            f"({best.low:.4f} to {best.high:.4f}); {told}: {against}."
        )


def estimate_policy(
    rows: LoggedRows, options: OffPolicyOptions, *, policy: str, reward: str, where: str
) -> OffPolicy:
    """Inverse propensity scoring, its self-normalised form, and with a model dm and dr."""
    clip = np.inf if options.clip is None else options.clip
    support = support_of(rows.target_N, rows.propensity_N, rows.unit_N, clip)
    own = Linear(float("nan"), np.zeros(0))
    if len(rows):
        own = inverse_propensity(rows.reward_N, np.ones(len(rows)))
    logged = interval_of(own, rows.unit_N) if len(rows) else Interval(np.nan, np.nan, np.nan, 0)
    rewarded = int((rows.reward_N * rows.target_N != 0).sum())
    found = OffPolicy(
        policy=policy,
        reward=reward,
        where=where,
        rows=len(rows),
        units=len(np.unique(rows.unit_N)),
        rewarded=rewarded,
        logged=logged.value,
        logged_low=logged.low,
        logged_high=logged.high,
        effective=support.effective,
        covered=support.covered.value,
        covered_low=support.covered.low,
        covered_high=support.covered.high,
        largest_weight=support.largest,
        beyond_clip=support.beyond_clip,
        refused=support.refused,
    )
    names = ["ips", "snips"] + (["dm", "dr"] if rows.modelled else [])
    if support.refused:
        found.estimates.extend(_none(name) for name in names)
        return found
    if rewarded < _FEW_REWARDS:
        found.notes.append(
            f"Only {rewarded} rows earned a reward under the policy: read the intervals as rough."
        )
    found.estimates.extend(_all(rows, own, clip, options))
    return found


def _all(rows: LoggedRows, own: Linear, clip: float, options: OffPolicyOptions) -> list[Estimate]:
    weight_N = importance_weights(rows.target_N, rows.propensity_N, clip)
    ips = inverse_propensity(rows.reward_N, weight_N)
    snips = self_normalised(rows.reward_N, weight_N)
    found = [
        _told("ips", ips, interval_of(ips, rows.unit_N), own, rows),
        _told("snips", snips, interval_of(snips, rows.unit_N), own, rows),
    ]
    if rows.modelled is None:
        return found
    model = rows.modelled
    switch = np.inf if options.switch_above is None else options.switch_above
    robust = doubly_robust(rows.reward_N, weight_N, model.logged_N, model.target_N, switch)
    dm = bias_aware(model.direct, robust, rows.unit_N)
    gain = bias_aware(_less(model.direct, own), _less(robust, own), rows.unit_N)
    found.append(
        Estimate("dm", dm.value, dm.low, dm.high, dm.support, gain.value, gain.low, gain.high)
    )
    return [*found, _told("dr", robust, interval_of(robust, rows.unit_N), own, rows)]


def _less(one: Linear, other: Linear) -> Linear:
    return Linear(one.value - other.value, one.influence_N - other.influence_N)


def _told(name: str, one: Linear, found: Interval, own: Linear, rows: LoggedRows) -> Estimate:
    gain = interval_of(_less(one, own), rows.unit_N)
    return Estimate(
        name, found.value, found.low, found.high, found.support, gain.value, gain.low, gain.high
    )


def _none(name: str) -> Estimate:
    nothing = float("nan")
    return Estimate(name, nothing, nothing, nothing, 0, nothing, nothing, nothing)
