"""Two or more logged arms compared: every metric, with what may be believed of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import exp, isnan, sqrt

import numpy as np
import polars as pl
from pydantic import Field, PositiveInt
from scipy import stats

from shelfwise.evaluation.ab.cuped import cuped
from shelfwise.evaluation.ab.ratio import Floats, Ratio, ratio_of_sums
from shelfwise.evaluation.ab.sample_ratio import MISMATCH, sample_ratio_p
from shelfwise.evaluation.ab.sequential import TUNED_FOR, always_valid_reach
from shelfwise.evaluation.ab.units import Metric, Units
from shelfwise.metrics.holm import holm_adjusted
from shelfwise.schema.errors import DataError
from shelfwise.schema.options import Options

_FEW_UNITS = 30
_Z = 1.959963984540054  # 97.5 % point of the normal law


class AbOptions(Options):
    """How arms are compared."""

    control: str = ""
    """The arm that the others are compared with; empty: the first by name."""
    shares: tuple[float, ...] = ()
    """Planned share of each arm, in the order of their names; empty: all alike."""
    cuped: bool = True
    """Take out what units did before the test, where the log says so."""
    tuned_for: PositiveInt = Field(default=TUNED_FOR)
    """Units at which the interval for peeking is narrowest; fixed before the test."""


@dataclass(frozen=True, slots=True)
class ArmSize:
    """An arm and how many came to it."""

    arm: str
    units: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A metric in an arm against the control."""

    metric: str
    meaning: str
    arm: str
    control: str
    value: float  # in the arm
    control_value: float
    difference: float  # after CUPED, where it was used
    low: float  # 95 % interval of a test looked at once, at its end
    high: float
    lift: float  # relative
    lift_low: float
    lift_high: float
    always_low: float  # 95 % interval that holds at every look
    always_high: float
    p: float
    p_holm: float  # corrected for all metrics and arms
    variance_left: float  # after CUPED; 1: not used, or of no use
    deviation: float  # of a unit, for planning the next test
    support: int  # units of both arms

    @property
    def sentence(self) -> str:
        """In words, by the corrected p-value."""
        if isnan(self.p):
            return f"{self.meaning}: cannot be told."
        told = (
            f"{self.meaning}: {self.value:.4g} in {self.arm} against {self.control_value:.4g} in "
            f"{self.control} ({self.lift:+.1%}, {self.lift_low:+.1%} to {self.lift_high:+.1%})"
        )
        if self.p_holm < 0.05:
            return f"{told}: {'more' if self.difference > 0 else 'less'}."
        if self.p < 0.05:
            return f"{told}: a difference by itself, but none that so many comparisons bear out."
        return f"{told}: no difference can be told."


@dataclass(frozen=True, slots=True)
class AbReport:
    """Everything a comparison of arms says."""

    arms: list[ArmSize]
    sample_ratio_p: float
    gaps: list[Gap] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def trusted(self) -> bool:
        """Whether units came to the arms as planned."""
        return not self.sample_ratio_p < MISMATCH


def analyse(units: Units, options: AbOptions) -> AbReport:
    """Every metric of every arm against the control.

    Raises:
        DataError: there is one arm alone, or the control or a share is not among the arms.
    """
    names = sorted(units.table["arm"].unique().to_list())
    control = options.control or names[0]
    _refuse(names, control, options.shares)
    sizes = [ArmSize(name, int((units.table["arm"] == name).sum())) for name in names]
    p = sample_ratio_p([size.units for size in sizes], options.shares or [1.0] * len(names))
    found = [
        _gap(units, metric, (control, arm), options)
        for arm in names
        if arm != control
        for metric in units.metrics()
    ]
    corrected = holm_adjusted(np.array([gap.p for gap in found]))
    return AbReport(
        sizes,
        p,
        [_with_holm(gap, value) for gap, value in zip(found, corrected.tolist(), strict=True)],
        _notes(units, sizes, p, options),
    )


def _refuse(names: Sequence[str], control: str, shares: Sequence[float]) -> None:
    if len(names) < 2:
        raise DataError(f"a comparison needs two arms, the log has {', '.join(names)}")
    if control not in names:
        raise DataError(f"no arm is called {control!r}; the log has {', '.join(names)}")
    if shares and (len(shares) != len(names) or min(shares) <= 0):
        raise DataError(
            f"shares {list(shares)} must be one number above 0 for each arm: {', '.join(names)}"
        )


def _gap(units: Units, metric: Metric, arms: tuple[str, str], options: AbOptions) -> Gap:
    (one, one_before), (other, other_before) = (_of_arm(units.table, arm, metric) for arm in arms)
    a, b, left = one, other, 1.0
    if options.cuped and units.has_before and not isnan(one.value + other.value):
        a, b, left = cuped(one, other, one_before, other_before)
    support = len(a.influence_U) + len(b.influence_U)
    difference = b.value - a.value
    error = sqrt(a.error**2 + b.error**2)
    lift, lift_low, lift_high = _lift(a, b)
    reach = always_valid_reach(error, support, options.tuned_for)
    return Gap(
        metric=metric.name,
        meaning=metric.meaning,
        arm=arms[1],
        control=arms[0],
        value=other.value,
        control_value=one.value,
        difference=difference,
        low=difference - _Z * error,
        high=difference + _Z * error,
        lift=lift,
        lift_low=lift_low,
        lift_high=lift_high,
        always_low=difference - reach,
        always_high=difference + reach,
        p=_p_value(difference, error),
        p_holm=float("nan"),
        variance_left=left,
        deviation=_deviation(one, other),
        support=0 if isnan(difference) else support,
    )


def _p_value(difference: float, error: float) -> float:
    if isnan(difference) or not error > 0:
        return float("nan")
    return float(2 * stats.norm.sf(abs(difference) / error))


def _deviation(one: Ratio, other: Ratio) -> float:
    influence = np.concatenate([one.influence_U, other.influence_U])
    return float(np.sqrt((influence**2).mean()))


def _of_arm(table: pl.DataFrame, arm: str, metric: Metric) -> tuple[Ratio, Floats]:
    """The arm's ratio, and what each of its units did before the test, linearised in the same way.

    The rate of before is that of all arms together: by its own, every arm's mean would be 0.
    """
    before_above = pl.col(f"before_{metric.above}")
    before_below = pl.col("one" if metric.below == "one" else f"before_{metric.below}")
    above, below = table.select(before_above.sum().alias("a"), before_below.sum().alias("b")).row(0)
    rate = above / below if below > 0 else 0.0
    mine = table.filter(pl.col("arm") == arm)
    ratio = ratio_of_sums(mine[metric.above].to_numpy(), mine[metric.below].to_numpy())
    before_U: Floats = mine.select(before_above - rate * before_below).to_series().to_numpy()
    return ratio, before_U


def _lift(a: Ratio, b: Ratio) -> tuple[float, float, float]:
    """Relative difference, its interval on the log scale."""
    if not (a.value > 0 and b.value > 0):
        return float("nan"), float("nan"), float("nan")
    ratio = b.value / a.value
    reach = _Z * sqrt((a.error / a.value) ** 2 + (b.error / b.value) ** 2)
    return ratio - 1, ratio * exp(-reach) - 1, ratio * exp(reach) - 1


def _with_holm(gap: Gap, corrected: float) -> Gap:
    return replace(gap, p_holm=corrected)


def _notes(units: Units, sizes: list[ArmSize], p: float, options: AbOptions) -> list[str]:
    notes = []
    if p < MISMATCH:
        notes.append(
            f"The arms' sizes do not fit their planned shares (p = {p:.2g}): units were lost or "
            "gained on the way. Find out how before you read any difference."
        )
    if units.in_two_arms:
        notes.append(f"{units.in_two_arms:,} units saw more than one arm and are left out.")
    if units.without_arm:
        notes.append(f"{units.without_arm:,} units have no arm and are left out.")
    if units.nobodys_rows:
        notes.append(f"{units.nobodys_rows:,} rows name neither user nor visit and are left out.")
    if units.undated_rows:
        notes.append(f"{units.undated_rows:,} rows have no timestamp and are left out.")
    if units.unpriced and "revenue_per_user" in [metric.name for metric in units.metrics()]:
        notes.append(f"{units.unpriced:,} purchases have no price: their revenue counts as 0.")
    if options.cuped and not units.has_before:
        notes.append("Nothing is known of units before the test, so CUPED was not used.")
    if min(size.units for size in sizes) < _FEW_UNITS:
        notes.append(f"An arm has fewer than {_FEW_UNITS} units: read intervals as rough.")
    return notes
