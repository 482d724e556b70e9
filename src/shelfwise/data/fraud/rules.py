"""The rules: each says how much one side of an actor's behaviour speaks for a machine, and why.

Evidence runs from 0 (as anybody) to 1 (no person does that) along a ramp; what a rule is worth is
its weight. A weight above ``flag_from`` can flag alone; a lighter one needs company:

    score = 1 - product over rules of (1 - weight * evidence)

and half of that for an actor who buys as often as others do: purchases cost money, and large
honest gateways and heavy shoppers make them. Two signs are not forgiven, and speak against
actors of few acts too, for they rest on what many did: to repeat another's visits, and to be one
of a hired crowd.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from shelfwise.data.fraud.options import ActorKind, FraudOptions
from shelfwise.data.fraud.population import NIGHT_HOURS, Population

_FEWEST_GAPS = 20
_FEWEST_TAKEN = 15
_FEWEST_PURCHASES = 3
_FEWEST_IN_CROWD = 6  # users; a large household
_CONFIDENCE = 2.0  # standard errors that a rate must keep from chance


class Rule(NamedTuple):
    """One reason to take an actor for a machine."""

    name: str
    weight: float
    evidence: pl.Expr  # 0 to 1; null where the log cannot tell
    text: pl.Expr  # the reason as people read it
    forgiven: bool = True  # by half, where the actor buys as others do


def rules_for(actor: ActorKind, people: Population, options: FraudOptions) -> Iterator[Rule]:
    """The rules that can be asked of this kind of actor."""
    yield _steady_gaps(people)
    yield _no_dwell(people)
    yield _clicks_everything(people)
    yield _same_item(people)
    if actor == "ip":
        # Honest users of one address, a carrier's gateway say, are fast together: half a reason.
        yield _too_fast(people, options, weight=0.4)
        yield _crowd(people, options)
    else:  # Together they look at everything, round the clock, and buy from somewhere else.
        yield _too_fast(people, options, weight=0.95)
        yield _buys_nothing(people)
        yield _looks_at_everything(people)
        yield _never_sleeps(people, options)
        yield _at_night(people)


def company_rules() -> tuple[Rule, ...]:
    """What speaks against somebody beside others; columns ``crowd, crowd_text, replay_text``."""
    return (
        Rule(
            "repeats another",
            0.9,
            pl.col("replay_text").is_not_null().cast(pl.Float64),
            pl.col("replay_text"),
            forgiven=False,
        ),
        Rule("hired crowd", 0.98, pl.col("crowd"), pl.col("crowd_text"), forgiven=False),
    )


def buys_as_usual(people: Population) -> pl.Expr:
    """Whether an actor's views and clicks end in purchases at the usual rate or above."""
    usual = pl.col("taken") * people.purchases_per_taken
    some = pl.col("purchases") >= _FEWEST_PURCHASES
    # In a log of purchases alone, buying is no sign of anything.
    return (pl.col("taken") > 0) & some & (pl.col("purchases") >= usual)


def _too_fast(people: Population, options: FraudOptions, weight: float) -> Rule:
    limit = options.rate_spreads
    odd = pl.max_horizontal(
        people.spreads_above("most_in_hour"),
        # One hurried visit has a pace too; it takes several to know somebody's.
        pl.when(pl.col("active_hours") >= 3).then(people.spreads_above("pace")),
    )
    return Rule(
        "too fast",
        weight,
        pl.when(pl.col("most_in_hour") > options.acts_in_hour).then(
            _ramp(odd, 0.75 * limit, 1.25 * limit)
        ),
        pl.format(
            "up to {} acts an hour (usual: {})", "most_in_hour", _usual(people, "most_in_hour")
        ),
    )


def _steady_gaps(people: Population) -> Rule:
    # On a clock that makes everybody's gaps alike the medians say so and nobody stands out.
    even = -people.above("gap_variation")
    usual = people.median["gap_variation"]
    floor = pl.lit(usual, pl.Float64)
    odd = pl.max_horizontal(
        _ramp(even, 0.6 * floor, 0.9 * floor) if usual else pl.lit(0.0),
        _ramp(people.above("equal_gaps"), pl.lit(0.25), pl.lit(0.5)),
    )
    return Rule(
        "steady gaps",
        0.95,
        pl.when(pl.col("gaps") >= _FEWEST_GAPS).then(odd),
        pl.format(
            "{}% of the gaps are equal; they spread by {}% of their mean (usual: {}%)",
            _percent("equal_gaps"),
            _percent("gap_variation"),
            _usual(people, "gap_variation", 100),
        ),
    )


def _no_dwell(people: Population) -> Rule:
    odd = _ramp(people.above("hasty"), 0.3, 0.7)
    return Rule(
        "no dwell",
        0.9,
        pl.when(pl.col("taken") >= _FEWEST_TAKEN).then(odd),
        pl.format(
            "{}% of clicks within a second, before or after (usual: {}%)",
            _percent("hasty"),
            _usual(people, "hasty", 100),
        ),
    )


def _never_sleeps(people: Population, options: FraudOptions) -> Rule:
    awake = options.hours_awake
    longest = max(awake, people.median["hours_in_day"] or 0)
    return Rule(
        "round the clock",
        0.9,
        _ramp(pl.col("hours_in_day"), longest, longest + 4),
        pl.format("active in {} different hours of one day", "hours_in_day"),
    )


def _clicks_everything(people: Population) -> Rule:
    # The rate that is left after chance is given its due; impressions are the trials.
    rate, shown = pl.col("click_through").clip(0, 1), pl.col("impressions")
    least = (rate - _CONFIDENCE * (rate * (1 - rate) / shown).sqrt()).clip(lower_bound=0)
    odd = people.spreads_above("click_through", least)
    return Rule(
        "clicks everything",
        0.6,
        pl.when(pl.col("clicks") >= _FEWEST_TAKEN).then(_ramp(odd, 2, 5)),
        pl.format(
            "{}% of what was shown is clicked (usual: {}%)",
            _percent("click_through"),
            _usual(people, "click_through", 100),
        ),
    )


def _buys_nothing(people: Population) -> Rule:
    expected = pl.col("taken") * people.purchases_per_taken
    short = ((expected + 1) / (pl.col("purchases") + 1)).log()
    return Rule(
        "buys nothing",
        0.45,
        # From three times fewer purchases than expected to ten times; log 3 and log 10.
        _ramp(short, 1.1, 2.3),
        pl.format(
            "{} purchases from {} views and clicks (usual: {})",
            "purchases",
            "taken",
            expected.round(1),
        ),
    )


def _looks_at_everything(people: Population) -> Rule:
    odd = -people.spreads_above("top_category")
    return Rule(
        "looks at everything",
        0.35,
        pl.when(pl.col("taken") >= _FEWEST_TAKEN).then(_ramp(odd, 1, 3)),
        pl.format(
            "at most {}% of the clicks in one category (usual: {}%)",
            _percent("top_category"),
            _usual(people, "top_category", 100),
        ),
    )


def _same_item(people: Population) -> Rule:
    odd = _ramp(people.above("top_item"), 0.3, 0.6)
    return Rule(
        "same item again",
        0.45,
        pl.when(pl.col("taken") >= _FEWEST_TAKEN).then(odd),
        pl.format(
            "{}% of the clicks on one item (usual: {}%)",
            _percent("top_item"),
            _usual(people, "top_item", 100),
        ),
    )


def _at_night(people: Population) -> Rule:
    odd = _ramp(people.spreads_above("night"), 4, 8)
    return Rule(
        "at night",
        0.3,
        pl.when(pl.col("active_hours") >= _FEWEST_TAKEN).then(odd),
        pl.format(
            f"{{}}% of active hours in the shop's {NIGHT_HOURS} quietest (usual: {{}}%)",
            _percent("night"),
            _usual(people, "night", 100),
        ),
    )


def _crowd(people: Population, options: FraudOptions) -> Rule:
    limit = options.rate_spreads
    return Rule(
        "crowded address",
        0.35,
        pl.when(pl.col("owners") >= _FEWEST_IN_CROWD).then(
            _ramp(people.spreads_above("owners"), 0.75 * limit, 1.25 * limit)
        ),
        pl.format("{} users at one address (usual: {})", "owners", _usual(people, "owners")),
    )


def _ramp(value: pl.Expr, low: pl.Expr | float, high: pl.Expr | float) -> pl.Expr:
    """0 up to ``low``, 1 from ``high`` on, straight between."""
    return ((value - low) / (high - low)).clip(0, 1)


def _percent(figure: str) -> pl.Expr:
    return (100 * pl.col(figure)).round(0).cast(pl.Int64, strict=False).fill_null(0)


def _usual(people: Population, figure: str, times: int = 1) -> pl.Expr:
    median = people.median[figure]
    return pl.lit("unknown" if median is None else f"{times * median:.3g}")
