"""The picture of an ablation: every variant's difference to the full model, at one figure."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from markupsafe import Markup

from shelfwise.evaluation.compare_report import Comparison
from shelfwise.evaluation.plots import column_grid
from shelfwise.evaluation.report_words import decimals, figure, interval
from shelfwise.evaluation.svg import Scale, drawing, element, line, text, ticks

_WIDTH = 360.0
_LINE = 40.0


def variants_plot(comparisons: Sequence[Comparison]) -> Markup:
    """Differences of one figure, in its own units, on one axis with a line at 0."""
    ends = [end for one in comparisons for end in (one.low, one.value, one.high) if isfinite(end)]
    marks = ticks(min([0.0, *ends]), max([0.0, *ends]))
    x = Scale(marks[0], marks[-1], 16.0, 344.0)
    bottom = 8.0 + _LINE * len(comparisons)
    places = decimals([(one.low, one.high) for one in comparisons])
    first = comparisons[0]
    inside = [
        *column_grid(x, marks, 6.0, bottom),
        line((x(0.0), 6.0), (x(0.0), bottom), "zero"),
        *(_line(one, x, 8.0 + _LINE * at, places) for at, one in enumerate(comparisons)),
        text(f"{first.metric}, less {first.b}", _WIDTH / 2, bottom + 34.0, "axis-name", "middle"),
    ]
    said = " ".join(one.sentence for one in comparisons)
    return drawing(f"{first.metric} of every variant", said, (_WIDTH, bottom + 42.0), inside)


def _line(one: Comparison, x: Scale, top: float, places: int) -> Markup:
    y = top + 26.0
    told = f"{figure(one.value, places, signed=True)} {interval(one.low, one.high, places)}"
    drawn = [
        text(one.a, 20.0, top + 13.0, "name"),
        text(told.rstrip(), 340.0, top + 13.0, "figures", "end"),
    ]
    if isfinite(one.low) and isfinite(one.high):
        drawn.append(line((x(one.low), y), (x(one.high), y), "interval"))
    if isfinite(one.value):
        drawn.append(element("circle", cx=x(one.value), cy=y, r=5, class_="dot"))
    return element("g", element("title", one.sentence), *drawn, class_=one.outcome)
