"""Pictures of many trainings: a figure over folds, and a figure against the amount of data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite, log10
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from shelfwise.evaluation.plots import column_grid, row_grid
from shelfwise.evaluation.power_law import Point
from shelfwise.evaluation.report import OURS
from shelfwise.evaluation.report_words import figure, interval
from shelfwise.evaluation.svg import Scale, drawing, element, line, text, ticks

if TYPE_CHECKING:  # these modules train, and training imports torch
    from shelfwise.evaluation.cross_validation import Spread
    from shelfwise.evaluation.learning_curve import Curve

_WIDTH = 360.0
_LONGEST_NAME = 24  # letters of a system's name that fit beside its figures


def folds_plot(spreads: Sequence[Spread]) -> Markup:
    """A line for each system: a small dot a fold, a large one their mean, with its interval."""
    known = [spread for spread in spreads if isfinite(spread.mean)]
    ends = [
        end
        for spread in known
        for end in (*spread.value_F, spread.low, spread.high)
        if isfinite(end)
    ]
    marks = ticks(min(ends), max(ends))
    x = Scale(marks[0], marks[-1], 16.0, 344.0)
    bottom = 8.0 + 40.0 * len(known)
    inside = column_grid(x, marks, 6.0, bottom)
    inside += [_fold_line(spread, x, 8.0 + 40.0 * at) for at, spread in enumerate(known)]
    said = "; ".join(f"{s.system} {_mean(s)}" for s in known)
    title = f"{known[0].metric} over {len(known[0].value_F)} folds"
    return drawing(title, f"{said}.", (_WIDTH, bottom + 24.0), inside)


def _fold_line(spread: Spread, x: Scale, top: float) -> Markup:
    y, name = top + 26.0, spread.system
    if len(name) > _LONGEST_NAME:
        name = f"{name[: _LONGEST_NAME - 1]}…"
    drawn = [
        text(name, 20.0, top + 13.0, "name"),
        text(_mean(spread), 340.0, top + 13.0, "figures", "end"),
    ]
    if isfinite(spread.low):
        drawn.append(line((x(spread.low), y), (x(spread.high), y), "interval"))
    drawn += [
        element("circle", cx=x(value), cy=y, r=3, class_="fold")
        for value in spread.value_F
        if isfinite(value)
    ]
    drawn.append(element("circle", cx=x(spread.mean), cy=y, r=5, class_="dot"))
    folds = ", ".join(figure(value, 4) for value in spread.value_F)
    tip = element("title", f"{spread.system}: {_mean(spread)}; folds {folds}")
    return element("g", tip, *drawn, class_="ours" if spread.system == OURS else "other")


def _mean(spread: Spread) -> str:
    return f"{figure(spread.mean)} {interval(spread.low, spread.high)}".rstrip()


def data_plot(curve: Curve) -> Markup:
    """Points with intervals on a logarithmic axis of training requests; the law as a dashed line.

    The hollow dot is what the law expects of twice the data, with its interval.
    """
    points = [point for point in curve.points if isfinite(point.value)]
    most = max(point.requests for point in points)
    guess = _guess(curve, 2 * most)
    sizes = [point.requests for point in points] + ([2 * most] if guess else [])
    shown = [*points, *([guess] if guess else [])]
    ends = [end for p in shown for end in (p.value, p.low, p.high) if isfinite(end)]
    marks = ticks(min(ends), max(ends), 3)
    reach = log10(max(sizes) / min(sizes)) * 0.06 or 0.1
    x = Scale(log10(min(sizes)) - reach, log10(max(sizes)) + reach, 52.0, 344.0)
    y = Scale(marks[0], marks[-1], 150.0, 10.0)
    named = sorted(set(sizes))
    inside = column_grid(
        x, [log10(size) for size in named], 10.0, 150.0, [_short_count(size) for size in named]
    )
    inside += row_grid(y, marks, 52.0, 344.0)
    inside += _law(curve, sizes, x, y)
    inside += [_dot(point, x, y, "dot") for point in points]
    if guess:
        inside.append(_dot(guess, x, y, "guess"))
    inside.append(text("training requests", 198.0, 186.0, "axis-name", "middle"))
    said = "; ".join(f"{p.requests:,}: {figure(p.value)}" for p in points)
    return drawing(
        f"{curve.metric} against training requests",
        f"{said}. {curve.sentence}",
        (_WIDTH, 192.0),
        inside,
    )


def _guess(curve: Curve, size: int) -> Point | None:
    """What the law expects at ``size``."""
    if curve.law is None or not isfinite(curve.doubled.gain):
        return None
    value = curve.law.at(size)
    before = value - curve.doubled.gain
    return Point(size, -1, value, before + curve.doubled.low, before + curve.doubled.high)


def _law(curve: Curve, sizes: Sequence[int], x: Scale, y: Scale) -> list[Markup]:
    if curve.law is None:
        return []
    steps = np.geomspace(min(sizes), max(sizes), 24)
    places = [(x(log10(size)), y(curve.law.at(size))) for size in steps.tolist()]
    return [line(start, end, "law") for start, end in pairwise(places)]


def _dot(point: Point, x: Scale, y: Scale, class_: str) -> Markup:
    across = x(log10(point.requests))
    drawn = [element("title", f"{point.requests:,} requests: {figure(point.value)}")]
    if isfinite(point.low) and isfinite(point.high):
        drawn.append(line((across, y(point.low)), (across, y(point.high)), "interval"))
    drawn.append(element("circle", cx=across, cy=y(point.value), r=5, class_=class_))
    return element("g", *drawn, class_="ours")


def _short_count(count: int) -> str:
    """``950``, ``1.2k``, ``34k``: short enough to stand beside its neighbour."""
    if count < 1_000:
        return str(count)
    return f"{count / 1_000:.1f}k" if count < 10_000 else f"{count / 1_000:,.0f}k"
