"""The pictures of a report, as plain SVG.

All are drawn 360 wide, about the width of a phone, so that their words are never scaled down;
a wide page sets several side by side. Colours are classes, given by the page's style sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite, isnan, sqrt
from typing import NamedTuple

from markupsafe import Markup

from shelfwise.evaluation.report import OURS, Difference, Reliability, Row
from shelfwise.evaluation.report_words import (
    Outcome,
    amount,
    decimals,
    figure,
    interval,
    outcome,
    support_words,
)
from shelfwise.evaluation.svg import Scale, drawing, element, line, text, tick_labels, ticks

_WIDTH = 360.0
_LONGEST_NAME = 26  # letters of a system's name that fit beside its figures
_CELLS = 24  # of the strip under a calibration plot


class Plot(NamedTuple):
    """A picture under a title, as every page sets it."""

    title: str
    svg: Markup
    about: str = ""


def forest_plot(rows: Sequence[Row]) -> Markup:
    """A dot and its interval for each system, on one axis."""
    title = f"{rows[0].metric} of every system"
    known = [row for row in rows if isfinite(row.value)]
    ends = [end for row in known for end in (row.value, row.low, row.high) if isfinite(end)]
    marks = ticks(min(ends), max(ends))
    x = Scale(marks[0], marks[-1], 16.0, 344.0)
    bottom = 8.0 + 40.0 * len(rows)
    places = decimals([(row.low, row.high) for row in known])
    said = "; ".join(f"{r.system} {_figures(r, places)}" for r in rows)
    inside = [
        *column_grid(x, marks, 6.0, bottom),
        *(_forest_line(row, x, 8.0 + 40.0 * at, places) for at, row in enumerate(rows)),
    ]
    return drawing(title, f"{said}.", (_WIDTH, bottom + 24.0), inside)


def _forest_line(row: Row, x: Scale, top: float, places: int) -> Markup:
    y = top + 26.0
    name = row.system if len(row.system) <= _LONGEST_NAME else row.system[: _LONGEST_NAME - 1] + "…"
    drawn = [
        text(name, 20.0, top + 13.0, "name"),
        text(_figures(row, places), 340.0, top + 13.0, "figures", "end"),
    ]
    if isfinite(row.low) and isfinite(row.high):
        drawn.append(line((x(row.low), y), (x(row.high), y), "interval"))
    if isfinite(row.value):
        drawn.append(element("circle", cx=x(row.value), cy=y, r=5, class_="dot"))
    tip = f"{row.system}: {_figures(row, places)}, {support_words(row)}"
    return element(
        "g", element("title", tip), *drawn, class_="ours" if row.system == OURS else "other"
    )


def _figures(row: Row, places: int) -> str:
    return f"{figure(row.value, places)} {interval(row.low, row.high, places)}".rstrip()


def calibration_plot(curve: Reliability) -> Markup:
    """Observed against predicted rates; below, where along the axis the rows lie."""
    marks = ticks(0.0, max([*curve.predicted, *curve.observed]) or 1.0)
    x, y = Scale(0.0, marks[-1], 52.0, 344.0), Scale(0.0, marks[-1], 300.0, 8.0)
    bins = list(zip(curve.predicted, curve.observed, curve.count, strict=True))
    most = max(curve.count)
    dots = [
        element(
            "circle",
            element("title", f"predicted {p:.3g}, observed {o:.3g}, {count:,} rows"),
            cx=x(p),
            cy=y(o),
            r=max(2.0, 7.0 * sqrt(count / most)),  # area, not radius, stands for the rows
            class_="bin",
        )
        for p, o, count in bins
    ]
    inside = [
        *column_grid(x, marks, 8.0, 340.0),
        *row_grid(y, marks, 52.0, 344.0),
        line((x(0.0), y(0.0)), (x(marks[-1]), y(marks[-1])), "diagonal"),
        *_strip(curve, x),
        *dots,
        text("predicted", 198.0, 374.0, "axis-name", "middle"),
        element(
            "text",
            "observed",
            class_="axis-name",
            text_anchor="middle",
            transform="translate(14 154) rotate(-90)",
        ),
    ]
    said = "; ".join(f"{p:.3g} predicted, {o:.3g} observed ({count:,})" for p, o, count in bins)
    return drawing(f"Calibration: {curve.task}", f"{said}.", (_WIDTH, 380.0), inside)


def _strip(curve: Reliability, x: Scale) -> list[Markup]:
    # The bins are of equal mass: only cells of equal width show where the rows lie.
    mass = [0] * _CELLS
    for predicted, count in zip(curve.predicted, curve.count, strict=True):
        mass[min(_CELLS - 1, int(predicted / x.high * _CELLS))] += count
    width = (x.end - x.start) / _CELLS
    height = Scale(0.0, max(mass), 0.0, 28.0)
    return [
        element(
            "rect",
            x=x.start + cell * width + 0.5,
            y=340.0 - height(count),
            width=width - 1.0,
            height=height(count),
            class_="mass",
        )
        for cell, count in enumerate(mass)
        if count
    ]


class Series(NamedTuple):
    """One figure over the steps of training; what cannot be computed is left out."""

    name: str
    steps: list[int]
    values: list[float]


def learning_plot(series: Series, best_step: int | None = None) -> Markup:
    """A line over training steps, with the best step marked where there is one."""
    marks, steps = ticks(min(series.values), max(series.values), 3), ticks(0, max(series.steps), 3)
    x, y = Scale(0.0, steps[-1], 52.0, 332.0), Scale(marks[0], marks[-1], 124.0, 14.0)
    points = [(x(step), y(value)) for step, value in zip(series.steps, series.values, strict=True)]
    inside = [*column_grid(x, steps, 14.0, 124.0), *row_grid(y, marks, 52.0, 332.0)]
    inside += [line(start, end, "curve") for start, end in pairwise(points)]
    inside += [element("circle", cx=px, cy=py, r=2.0, class_="point") for px, py in points]
    said = f"from {amount(series.values[0])} to {amount(series.values[-1])}"
    if best_step in series.steps:
        at = series.steps.index(best_step)
        said += f"; {amount(series.values[at])} at the best step, {best_step:,}"
        inside += _best_mark(points[at], f"{series.values[at]:.3f}")
    return drawing(f"{series.name} over steps", f"{said}.", (_WIDTH, 146.0), inside)


def _best_mark(point: tuple[float, float], words: str) -> list[Markup]:
    px, py = point
    return [
        line((px, 14.0), (px, 124.0), "best-step"),
        element("circle", cx=px, cy=py, r=5, class_="dot"),
        text(words, px, 10.0, "best-figure", "middle"),  # above the plot, clear of the curve
    ]


def difference_strip(difference: Difference, limit: float, said: Outcome | None = None) -> Markup:
    """The interval of a difference beside a line at 0, as wide as ``limit`` to either side.

    ``said`` colours it where more than the interval decides; None: as the interval says.
    Hidden from screen readers: it stands beside the sentence that says the same.
    """
    if isnan(difference.low) or limit == 0:
        return Markup()
    x = Scale(-limit, limit, 6.0, 134.0)
    return element(
        "svg",
        line((x(0.0), 1.0), (x(0.0), 23.0), "zero"),
        line((x(difference.low), 12.0), (x(difference.high), 12.0), "interval"),
        element("circle", cx=x(difference.value), cy=12, r=4.5, class_="dot"),
        viewBox="0 0 140 24",
        width=140,
        height=24,
        class_=f"strip {said or outcome(difference)}",
        aria_hidden="true",
    )


def column_grid(
    x: Scale, marks: list[float], top: float, bottom: float, labels: Sequence[str] = ()
) -> list[Markup]:
    """Upright lines at the marks, each named below; the names are the marks unless given."""
    drawn = []
    for mark, label in zip(marks, labels or tick_labels(marks), strict=True):
        drawn.append(line((x(mark), top), (x(mark), bottom), "grid-line"))
        drawn.append(text(label, x(mark), bottom + 16.0, "tick", "middle"))
    return drawn


def row_grid(
    y: Scale, marks: list[float], left: float, right: float, labels: Sequence[str] = ()
) -> list[Markup]:
    """Level lines at the marks, each named on the left; the names are the marks unless given."""
    drawn = []
    for mark, label in zip(marks, labels or tick_labels(marks), strict=True):
        drawn.append(line((left, y(mark)), (right, y(mark)), "grid-line"))
        drawn.append(text(label, left - 7.0, y(mark) + 4.0, "tick", "end"))
    return drawn
