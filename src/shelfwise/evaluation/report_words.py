"""Figures as a reader wants them: decimals that the interval justifies, verdicts in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, isnan, log10
from typing import Literal, NamedTuple

from shelfwise.evaluation.report import Difference, Row

MAIN_VIEW = "main"  # needs no naming
DASH = "-"  # what cannot be computed

TASK_TITLES = {
    "match": "Match: what the shopper takes next",
    "click": "Click: what is clicked once it is shown",
    "conversion": "Conversion: which click ends in a purchase",
    "click and purchase": "Click and purchase: which item shown is clicked and bought",
    "search": "Search: how well items answer judged queries",
    "click or not": "Click or not: called above the threshold that validation chose",
    "lists": "Lists: what the first places hold beside right answers",
    "classification": "Classification: which class a text belongs to",
}

Better = Literal["higher", "lower", "near 1"]


class MetricWords(NamedTuple):
    meaning: str
    better: Better


# Looked up by the metric's name up to an "@".
_METRICS = {
    "ndcg": MetricWords("right items, counted more the nearer the top they stand", "higher"),
    "recall": MetricWords("share of the right items that are found", "higher"),
    "precision": MetricWords("share of what is named that is right", "higher"),
    "hr": MetricWords("share with at least one right item", "higher"),
    "mrr": MetricWords("one over the place of the first right item", "higher"),
    "map": MetricWords("precision down to each right item, on average over right items", "higher"),
    "coverage": MetricWords("share of the catalogue that anybody is shown", "higher"),
    "gini": MetricWords("how unequally places go to items; 0 is equal", "lower"),
    "novelty": MetricWords("bits of surprise of the items shown, by who took them", "higher"),
    "diversity": MetricWords("one less the mean cosine of a list's items", "higher"),
    "popularity_lift": MetricWords(
        "popularity of what is shown over that of the shopper's own past", "near 1"
    ),
    "wrong_rate": MetricWords("share of all places known to be wrong", "lower"),
    "wrong_rate_judged": MetricWords("share of the places with a verdict that are wrong", "lower"),
    "auc": MetricWords("chance that a positive row outranks a negative one", "higher"),
    "cvr_auc": MetricWords("AUC of purchases among the clicked", "higher"),
    "ctcvr_auc": MetricWords("AUC of purchases among all that was shown", "higher"),
    "gauc": MetricWords("AUC within each request", "higher"),
    "pr_auc": MetricWords("precision down to each positive row, on average", "higher"),
    "ne": MetricWords("log loss over that of predicting the mean rate", "lower"),
    "brier": MetricWords("mean squared distance of prediction and outcome", "lower"),
    "log_loss": MetricWords("surprise at what happened", "lower"),
    "ece": MetricWords("mean distance between predicted and observed rates", "lower"),
    "pcoc": MetricWords("predicted over observed", "near 1"),
    "field_ece": MetricWords("distance of predicted and observed at each value", "lower"),
    "field_rce": MetricWords("mean of |predicted over observed - 1| at each value", "lower"),
    "pairwise_accuracy": MetricWords("chance that the better judged scores higher", "higher"),
    "spearman": MetricWords("correlation of ranks", "higher"),
    "kappa": MetricWords("agreement of grades beyond chance, squared", "higher"),
    "rmse": MetricWords("root mean squared error", "lower"),
    "accuracy": MetricWords("share of rows that are right", "higher"),
    "f1": MetricWords("harmonic mean of precision and recall", "higher"),
}

# What support counts is what the bootstrap draws again: users, except for these tasks, metrics
# and views.
_UNITS = {
    "classification": "rows",
    "search": "queries",
    "cold": "items",
    "coverage": "lists",
    "gini": "lists",
    "wrong_rate": "verdicts",
    "wrong_rate_judged": "verdicts",
}
_ONE = {"queries": "query"}


def metric_words(metric: str) -> MetricWords | None:
    return _METRICS.get(metric.partition("@")[0])


def support_words(row: Row) -> str:
    """``1,449 users``."""
    metric = row.metric.partition("@")[0]
    named = (_UNITS[name] for name in (metric, row.task, row.view) if name in _UNITS)
    unit = next(named, "users")
    return f"{row.support:,} {_ONE.get(unit, unit.removesuffix('s')) if row.support == 1 else unit}"


def decimals(intervals: Sequence[tuple[float, float]], most: int = 4) -> int:
    """So many that every interval's width shows two digits, within 3 and ``most``."""
    widths = [high - low for low, high in intervals if high > low]
    return max([3, *(min(most, 1 - floor(log10(width))) for width in widths if isfinite(width))])


def figure(value: float, places: int = 3, *, signed: bool = False) -> str:
    """A number to ``places`` decimals; a dash where it cannot be computed."""
    if isnan(value):
        return DASH
    return f"{value + 0.0:{'+' if signed else ''},.{places}f}"


def interval(low: float, high: float, places: int = 3) -> str:
    """``[0.024, 0.038]``, or nothing where there is none."""
    if isnan(low) or isnan(high):
        return ""
    return f"[{figure(low, places)}, {figure(high, places)}]"


def amount(value: float) -> str:
    """Any other number: whole ones in full, the rest to four digits."""
    if isnan(value):
        return DASH
    whole = isfinite(value) and value == int(value)
    return f"{value:,.0f}" if whole or abs(value) >= 10_000 else f"{value:,.4g}"


def duration(seconds: float) -> str:
    """``42 s``, ``2 min 31 s``, ``1 h 5 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3_600} h {whole % 3_600 // 60} min"


Outcome = Literal["better", "worse", "open", "unknown"]


def outcome(difference: Difference) -> Outcome:
    """`Difference.verdict` as one word about ``a``."""
    if isnan(difference.low):
        return "unknown"
    if difference.low > 0:
        return "better"
    return "worse" if difference.high < 0 else "open"


def sentence(difference: Difference, support: str = "") -> str:
    """``shelfwise is better than popularity at ndcg@10: +0.031 [0.024, 0.038], 1,449 users``."""
    a, b = difference.a, difference.b
    view = "" if difference.view == MAIN_VIEW else f" ({difference.view})"
    where = f"{difference.metric}{view}"
    result = outcome(difference)
    if result == "unknown":
        return f"Whether {a} is better than {b} at {where} cannot be told."
    said = {
        "better": f"{a} is better than {b} at {where}",
        "worse": f"{a} is worse than {b} at {where}",
        "open": f"No difference can be told between {a} and {b} at {where}",
    }[result]
    places = decimals([(difference.low, difference.high)], most=6)
    numbers = (
        f"{figure(difference.value, places, signed=True)} "
        f"{interval(difference.low, difference.high, places)}"
    )
    return f"{said}: {numbers}" + (f", {support}" if support else "")
