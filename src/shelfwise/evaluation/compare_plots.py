"""The picture of a comparison: every figure of two systems on one axis."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from markupsafe import Markup

from shelfwise.evaluation.compare_report import Comparison
from shelfwise.evaluation.plots import column_grid
from shelfwise.evaluation.report_words import MAIN_VIEW, decimals, figure, interval
from shelfwise.evaluation.svg import Scale, drawing, element, line, text, ticks

_WIDTH = 360.0
_LINE = 40.0
_FARTHEST = 12.0  # half widths; beyond, a longer axis would squeeze everything else


def difference_forest(comparisons: Sequence[Comparison]) -> Markup:
    """Differences of two systems, to the right where the first is better.

    Figures have scales of their own; here each is measured in half widths of its own interval, so
    that all share an axis and whatever stands clear of 0 excludes it. What lies more than 12 of
    them away is drawn there; the numbers beside it are the true ones.
    """
    known = [one for one in comparisons if isfinite(one.low) and one.half_width > 0]
    ends = [0.0, *(end for one in known for end in _scaled(one))]
    marks = ticks(min(ends), max(ends))
    x = Scale(marks[0], marks[-1], 16.0, 344.0)
    bottom = 8.0 + _LINE * len(comparisons)
    inside = [
        *column_grid(x, marks, 6.0, bottom),
        line((x(0.0), 6.0), (x(0.0), bottom), "zero"),
        *(_line(one, x, 8.0 + _LINE * at) for at, one in enumerate(comparisons)),
        text(
            "half widths of the interval; right of 0 the first is better",
            _WIDTH / 2,
            bottom + 34.0,
            "axis-name",
            "middle",
        ),
    ]
    title = f"{comparisons[0].a} against {comparisons[0].b}"
    said = " ".join(one.sentence for one in comparisons)
    return drawing(title, said, (_WIDTH, bottom + 42.0), inside)


def _scaled(one: Comparison) -> tuple[float, float, float]:
    """Low, value and high in half widths; far out, the whole interval is moved in."""
    value, low, high = (end / one.half_width for end in one.for_a)
    shift = max(-_FARTHEST, min(_FARTHEST, value)) - value
    return low + shift, value + shift, high + shift


def _line(one: Comparison, x: Scale, top: float) -> Markup:
    y = top + 26.0
    places = decimals([(one.low, one.high)], most=5)
    name = one.metric if one.view == MAIN_VIEW else f"{one.metric}, {one.view}"
    told = f"{figure(one.value, places, signed=True)} {interval(one.low, one.high, places)}"
    drawn = [
        text(name, 20.0, top + 13.0, "name"),
        text(told.rstrip(), 340.0, top + 13.0, "figures", "end"),
    ]
    if isfinite(one.low) and one.half_width > 0:
        low, value, high = _scaled(one)
        drawn += [
            line((x(low), y), (x(high), y), "interval"),
            element("circle", cx=x(value), cy=y, r=5, class_="dot"),
        ]
    return element("g", element("title", one.sentence), *drawn, class_=one.outcome)
