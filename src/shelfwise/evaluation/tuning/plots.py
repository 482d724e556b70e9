"""The pictures of a search: its course, one option against the objective, two objectives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from shelfwise.evaluation.plots import column_grid, row_grid
from shelfwise.evaluation.report_words import figure
from shelfwise.evaluation.svg import Scale, drawing, element, line, text, ticks
from shelfwise.tuning.records import Trial

_WIDTH = 360.0
_TOP, _BOTTOM, _LEFT, _RIGHT = 14.0, 164.0, 52.0, 338.0


@dataclass(frozen=True, slots=True)
class _Spot:
    x: float
    y: float
    words: str
    marked: bool


def history_plot(trials: Sequence[Trial], objective: str, rising: bool, chosen: int) -> Markup:
    """Each trial's value in the order of the trials, and the best so far as a line."""
    done = [trial for trial in trials if trial.state == "done"]
    spots = [_spot(trial, trial.number, trial.values[0], chosen) for trial in done]
    best: list[tuple[float, float]] = []
    for trial in done:
        value = trial.values[0]
        if best:
            value = max(value, best[-1][1]) if rising else min(value, best[-1][1])
            best.append((trial.number, best[-1][1]))  # a step, not a slope
        best.append((trial.number, value))
    names = ("trial", objective)
    across = [float(mark) for mark in ticks(0.0, max(1.0, *(s.x for s in spots)), 4)]
    return _scatter(f"{objective} by trial", names, spots, across, None, best)


def option_plot(
    axis: Mapping[str, Any], trials: Sequence[Trial], objective: str, chosen: int
) -> Markup:
    """The objective against one option, of the trials that had it."""
    name = axis["name"]
    done = [trial for trial in trials if trial.state == "done" and name in trial.params]
    values = axis.get("values")
    if values is not None:
        places = {repr(value): float(at) for at, value in enumerate(values)}
        spots = [
            _spot(trial, places[repr(trial.params[name])], trial.values[0], chosen)
            for trial in done
            if repr(trial.params[name]) in places
        ]
        marks = [float(at) for at in range(len(values))]
        return _scatter(name, (name, objective), spots, marks, [str(value) for value in values])
    at = [(trial, float(trial.params[name])) for trial in done]
    if not axis["log"]:
        spots = [_spot(trial, value, trial.values[0], chosen) for trial, value in at]
        return _scatter(name, (name, objective), spots, ticks(axis["low"], axis["high"], 4))
    spots = [_spot(trial, math.log10(value), trial.values[0], chosen) for trial, value in at]
    ends = math.log10(axis["low"]), math.log10(axis["high"])
    marks = [ends[0] + (ends[1] - ends[0]) * part / 3 for part in range(4)]
    return _scatter(name, (name, objective), spots, marks, [f"{10**mark:.2g}" for mark in marks])


def front_plot(trials: Sequence[Trial], objectives: Sequence[str], front: set[int]) -> Markup:
    """Two objectives against each other; those that none beats are marked."""
    done = [trial for trial in trials if trial.state == "done"]
    spots = [
        _Spot(trial.values[1], trial.values[0], _words(trial), trial.number in front)
        for trial in done
    ]
    across = ticks(min(spot.x for spot in spots), max(spot.x for spot in spots), 4)
    title = f"{objectives[0]} against {objectives[1]}"
    return _scatter(title, (objectives[1], objectives[0]), spots, across)


def _spot(trial: Trial, x: float, y: float, chosen: int) -> _Spot:
    return _Spot(x, y, _words(trial), trial.number == chosen)


def _words(trial: Trial) -> str:
    return f"trial {trial.number}: {', '.join(figure(value, 4) for value in trial.values)}"


def _scatter(
    title: str,
    names: tuple[str, str],
    spots: Sequence[_Spot],
    across: list[float],
    labels: Sequence[str] | None = None,
    steps: Sequence[tuple[float, float]] = (),
) -> Markup:
    up = ticks(min(spot.y for spot in spots), max(spot.y for spot in spots), 4)
    x, y = Scale(across[0], across[-1], _LEFT, _RIGHT), Scale(up[0], up[-1], _BOTTOM, _TOP)
    inside = [*column_grid(x, across, _TOP, _BOTTOM, labels or ()), *row_grid(y, up, _LEFT, _RIGHT)]
    inside += [line((x(a[0]), y(a[1])), (x(b[0]), y(b[1])), "curve") for a, b in pairwise(steps)]
    # The marked ones last, so that no other covers them.
    for spot in sorted(spots, key=lambda spot: spot.marked):
        dot = element(
            "circle",
            element("title", spot.words),
            cx=x(spot.x),
            cy=y(spot.y),
            r=5.5 if spot.marked else 3.5,
            class_="dot",
        )
        inside.append(element("g", dot, class_="ours" if spot.marked else "other"))
    middle = (_LEFT + _RIGHT) / 2
    inside.append(text(names[0], middle, _BOTTOM + 34.0, "axis-name", "middle"))
    said = "; ".join(spot.words for spot in spots)
    return drawing(title, f"{names[1]} upwards. {said}.", (_WIDTH, _BOTTOM + 40.0), inside)
