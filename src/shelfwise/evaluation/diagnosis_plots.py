"""The pictures of a diagnosis: how training went, and slices beside their whole."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

from markupsafe import Markup

from shelfwise.evaluation.plots import Series, column_grid, row_grid
from shelfwise.evaluation.report_words import amount, decimals, figure, interval
from shelfwise.evaluation.slices.slices import Slice, Slices
from shelfwise.evaluation.svg import Scale, drawing, element, line, text, ticks

_WIDTH = 360.0
_LONGEST_NAME = 30  # letters that fit beside a slice's figures


def course_plot(learned: Series, held_out: Series, best_step: int | None) -> Markup:
    """One figure over the steps, of learned requests and of held-out ones."""
    values = [*learned.values, *held_out.values]
    marks = ticks(min(values), max(values), 3)
    steps = ticks(0, max([*learned.steps, *held_out.steps]), 3)
    x, y = Scale(0.0, steps[-1], 52.0, 332.0), Scale(marks[0], marks[-1], 164.0, 26.0)
    inside = [*column_grid(x, steps, 26.0, 164.0), *row_grid(y, marks, 52.0, 332.0)]
    if best_step is not None:
        inside.append(line((x(best_step), 26.0), (x(best_step), 164.0), "best-step"))
        inside.append(text("best step", x(best_step), 20.0, "tick", "middle"))
    for series, name in ((learned, "learned"), (held_out, "held-out")):
        points = [(x(s), y(v)) for s, v in zip(series.steps, series.values, strict=True)]
        inside += [line(start, end, f"course {name}") for start, end in pairwise(points)]
        inside += [element("circle", cx=px, cy=py, r=2.5, class_=f"at {name}") for px, py in points]
    said = "; ".join(
        f"{series.name}: from {amount(series.values[0])} to {amount(series.values[-1])}"
        for series in (learned, held_out)
        if series.values
    )
    return drawing(f"{held_out.name} over steps", f"{said}.", (_WIDTH, 186.0), inside)


def slice_forest(whole: Slices, slices: Sequence[Slice]) -> Markup:
    """A dot and its interval for each slice; the line is the whole."""
    ends = [e for one in slices for e in (one.value, one.low, one.high) if isfinite(e)]
    marks = ticks(min([*ends, whole.value]), max([*ends, whole.value]))
    x = Scale(marks[0], marks[-1], 16.0, 344.0)
    bottom = 8.0 + 38.0 * len(slices)
    places = min(3, decimals([(one.low, one.high) for one in slices]))
    inside = [
        *column_grid(x, marks, 6.0, bottom),
        line((x(whole.value), 6.0), (x(whole.value), bottom), "best-step"),
        *(_slice_line(one, x, 8.0 + 38.0 * at, places, whole) for at, one in enumerate(slices)),
    ]
    said = "; ".join(f"{one.name} {_figures(one, places)}" for one in slices)
    title = f"{whole.metric} by slice, {figure(whole.value, places)} in all"
    return drawing(title, f"{said}.", (_WIDTH, bottom + 24.0), inside)


def _slice_line(one: Slice, x: Scale, top: float, places: int, whole: Slices) -> Markup:
    y = top + 25.0
    value = one.where[-1][1]
    name = value if len(value) <= _LONGEST_NAME else value[: _LONGEST_NAME - 1] + "…"
    drawn = [
        text(name, 20.0, top + 13.0, "name"),
        text(_figures(one, places), 340.0, top + 13.0, "figures", "end"),
    ]
    if isfinite(one.low) and isfinite(one.high):
        drawn.append(line((x(one.low), y), (x(one.high), y), "interval"))
    drawn.append(element("circle", cx=x(one.value), cy=y, r=4.5, class_="dot"))
    tip = f"{one.name}: {_figures(one, places)}, {one.rows:,} rows, {one.users:,} users"
    return element("g", element("title", tip), *drawn, class_=_side(one, whole))


def _side(one: Slice, whole: Slices) -> str:
    """Whether the slice differs from all other rows beyond its interval."""
    if not isfinite(one.gap_low) or one.gap_low <= 0 <= one.gap_high:
        return "other"
    if whole.metric == "pcoc":
        return "apart"
    worse = (one.gap < 0) != (whole.metric == "log_loss")
    return "worse" if worse else "ours"


def _figures(one: Slice, places: int) -> str:
    return f"{figure(one.value, places)} {interval(one.low, one.high, places)}".rstrip()
