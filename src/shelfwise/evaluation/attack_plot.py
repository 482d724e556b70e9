"""A figure against the strength of an attack, as plain SVG."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

from markupsafe import Markup

from shelfwise.evaluation.attacks.curve import Curve
from shelfwise.evaluation.plots import column_grid, row_grid
from shelfwise.evaluation.report_words import figure
from shelfwise.evaluation.svg import Scale, drawing, element, line, text, ticks

_WIDTH = 360.0
_TOP, _BOTTOM = 14.0, 164.0


def attack_plot(curve: Curve) -> Markup:
    """Points with their intervals; the dashed line is the figure without the attack."""
    ends = [0.0, curve.clean, curve.clean_high]
    ends += [end for point in curve.points for end in (point.value, point.high)]
    most = max(point.strength for point in curve.points)
    across, up = ticks(0.0, most, 4), ticks(0.0, max(e for e in ends if isfinite(e)) or 1.0, 4)
    x, y = Scale(0.0, across[-1], 52.0, 338.0), Scale(0.0, up[-1], _BOTTOM, _TOP)
    known = [(0.0, curve.clean, curve.clean_low, curve.clean_high)]
    known += [(p.strength, p.value, p.low, p.high) for p in curve.points]
    known = [one for one in known if isfinite(one[1])]
    inside = [*column_grid(x, across, _TOP, _BOTTOM), *row_grid(y, up, 52.0, 338.0)]
    inside.append(line((52.0, y(curve.clean)), (338.0, y(curve.clean)), "best-step"))
    inside += _intervals(known, x, y)
    spots = [(x(strength), y(value)) for strength, value, _, _ in known]
    inside += [line(start, end, "curve") for start, end in pairwise(spots)]
    inside += [
        element(
            "circle",
            element("title", f"{strength:g}: {figure(value)}"),
            cx=x(strength),
            cy=y(value),
            r=4.0,
            class_="dot",
        )
        for strength, value, _, _ in known
    ]
    inside.append(text(curve.unit, 195.0, _BOTTOM + 34.0, "axis-name", "middle"))
    said = "; ".join(f"{strength:g}: {figure(value)}" for strength, value, _, _ in known)
    title = f"{curve.metric} under {curve.attack}"
    return drawing(title, f"{said}.", (_WIDTH, _BOTTOM + 40.0), inside)


def _intervals(
    known: Sequence[tuple[float, float, float, float]], x: Scale, y: Scale
) -> list[Markup]:
    return [
        line((x(strength), y(low)), (x(strength), y(high)), "interval")
        for strength, _, low, high in known
        if isfinite(low) and isfinite(high)
    ]
