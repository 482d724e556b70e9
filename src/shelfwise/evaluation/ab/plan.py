"""How many units a test needs, what it can detect, and how long it runs.

n of both arms = (z(1 - alpha/2) + z(power))^2 * (variance_a / share_a + variance_b / share_b)
                 / difference^2
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, isfinite, sqrt

from scipy import stats

from shelfwise.evaluation.ab.sequential import always_valid_reach
from shelfwise.schema.errors import ConfigError

_MOST_UNITS = 2**40


@dataclass(frozen=True, slots=True)
class Design:
    """What a test is asked to tell, and with what certainty."""

    power: float = 0.8  # probability that a true difference of this size is found
    level: float = 0.95
    share: float = 0.5  # of the units that see the new arm
    variance_left: float = 1.0  # after CUPED: 1 - correlation^2
    peeking: bool = False  # stopped by an interval that is valid at every look

    def __post_init__(self) -> None:
        for name in ("power", "level", "share"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"{name} lies between 0 and 1, got {getattr(self, name)}")
        if not 0 < self.variance_left <= 1:
            raise ConfigError(f"variance_left is in (0, 1], got {self.variance_left}")


@dataclass(frozen=True, slots=True)
class Plan:
    """A test of a size."""

    base: float
    difference: float  # absolute
    lift: float  # relative to the base
    units: int  # of both arms together
    days: float  # nan where the traffic is not said

    @property
    def sentence(self) -> str:
        """In words."""
        time = f", {self.days:,.0f} days of this traffic" if isfinite(self.days) else ""
        return (
            f"To tell {self.base:.4g} from {self.base + self.difference:.4g} ({self.lift:+.1%}) "
            f"takes {self.units:,} units in both arms together{time}."
        )


def proportion_variance(base: float, difference: float) -> tuple[float, float]:
    """Variance of a unit's 0 or 1 in the control and in the new arm."""
    other = base + difference
    if not (0 < base < 1 and 0 < other < 1):
        raise ConfigError(
            f"shares lie between 0 and 1, got {base} and {other}; "
            "for a measure of another kind, say its deviation"
        )
    return base * (1 - base), other * (1 - other)


def plan_for_lift(
    base: float, lift: float, deviation: float | None, per_day: float | None, design: Design
) -> Plan:
    """Units needed to find a relative ``lift`` of ``base``.

    Args:
        base: mean of the measure today.
        lift: relative, .05 for 5 % more.
        deviation: a unit's standard deviation (of a ratio metric: of its linearised value, which
            `shelfwise ab analyse` prints); None for a share of units, whose mean says it.
        per_day: new units a day, of both arms.
        design: certainty wanted.
    """
    if lift == 0 or base == 0:
        raise ConfigError("a lift of 0, or a base of 0, cannot be told from chance at any size")
    difference = base * lift
    units = _units(difference, deviation, base, design)
    days = ceil(units / per_day) if per_day else float("nan")
    return Plan(base, difference, lift, units, days)


def plan_for_units(
    base: float, units: int, deviation: float | None, per_day: float | None, design: Design
) -> Plan:
    """The smallest increase that a test of ``units`` finds with the design's power."""
    most = (1 - base) * (1 - 1e-9) if deviation is None else abs(base) * 1e6 + 1e6
    difference = _bisected(lambda gap: _units(gap, deviation, base, design) <= units, most)
    days = ceil(units / per_day) if per_day else float("nan")
    return Plan(base, difference, difference / base, units, days)


def _units(difference: float, deviation: float | None, base: float, design: Design) -> int:
    old, new = (
        (deviation**2, deviation**2)
        if deviation is not None
        else proportion_variance(base, difference)
    )
    spread = design.variance_left * (old / (1 - design.share) + new / design.share)
    of_power = float(stats.norm.ppf(design.power))
    reach = float(stats.norm.ppf((1 + design.level) / 2)) + of_power
    units = max(2, ceil(reach**2 * spread / difference**2))
    if not design.peeking:
        return units
    # The sequence is tuned for the size it ends at; its width falls with n, so halving finds it.
    low, high = units, 2 * units
    while not _found(high, spread, difference, design) and high < _MOST_UNITS:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _found(middle, spread, difference, design) else (middle, high)
    return high


def _found(units: int, spread: float, difference: float, design: Design) -> bool:
    error = sqrt(spread / units)
    reach = always_valid_reach(error, units, units, design.level)
    return abs(difference) >= reach + float(stats.norm.ppf(design.power)) * error


def _bisected(enough: Callable[[float], bool], most: float) -> float:
    """The smallest value for which ``enough`` holds, between 0 and ``most``."""
    low, high = 0.0, most
    if not enough(high):
        raise ConfigError("no difference that is possible can be found with so few units")
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (low, middle) if middle > 0 and enough(middle) else (middle, high)
    return high
