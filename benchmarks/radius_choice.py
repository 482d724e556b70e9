"""How far an adversary should move rows: attacks on validation say so, before the test is asked.

Learned once for each radius, without a refit; taken is the radius whose training keeps the most
under attack on validation: the highest mean over attacks of the figure's mean from no attack to
the strongest. That rewards a good figure as well as one that stands, so what defends nothing but
a bad ranking is not taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.failing import counted_as_failed
from benchmarks.hardened import Bench, Lesson, reports_of
from shelfwise.evaluation.attacks.attack import AttackReport
from shelfwise.schema.errors import DataError
from shelfwise.schema.progress import Progress

_SEED = 0
_VALIDATED = ("train.refit=false", "attack.part=validation")


class Chosen(NamedTuple):
    """A system's radius, and what every radius that was tried came to."""

    radius: float
    kept: dict[float, float]  # figure under attack, by radius


def radii_chosen(
    bench: Bench,
    ways: Mapping[str, tuple[str, ...]],
    radii: Sequence[float],
    workers: int,
    progress: Progress,
) -> dict[str, Chosen]:
    """The radius of each system that moves rows.

    Args:
        bench: what is learned from.
        ways: settings of each, without a radius.
        radii: to choose from; a single one is taken as it is.
        workers: trainings at a time.
        progress: told of what takes long.

    Raises:
        DataError: a system could be trained with none of them.
    """
    if len(radii) == 1:
        return {system: Chosen(radii[0], {}) for system in ways}
    lessons = {
        (system, radius): Lesson(system, _SEED, (*settings, radius_set(radius), *_VALIDATED))
        for system, settings in ways.items()
        for radius in radii
    }
    kept: dict[tuple[str, float], float] = {}
    failed: dict[str, str] = {}
    with reports_of(bench, list(lessons.values()), workers, progress) as report_of:
        for which, lesson in lessons.items():
            with counted_as_failed(lambda system, why: failed.update({system: why}), lesson.system):
                kept[which] = figure_kept(report_of(lesson))
    found = {}
    for system in ways:
        by_radius = {radius: kept[system, radius] for radius in radii if (system, radius) in kept}
        if not by_radius:
            raise DataError(f"{system} failed with every radius: {failed[system]}")
        found[system] = Chosen(max(by_radius, key=by_radius.__getitem__), by_radius)
    return found


def radius_set(radius: float) -> str:
    """The setting of a radius."""
    return f"train.adversary.radius={radius}"


def figure_kept(report: AttackReport) -> float:
    """The mean over attacks of a figure's mean under attack, each on its first metric."""
    first = {curve.attack: curve for curve in reversed(report.curves)}
    # Of a figure of 0, nothing is kept; how robust it is cannot be said.
    kept = [one.robustness * one.clean if one.clean > 0 else 0.0 for one in first.values()]
    return float(np.mean(kept))
