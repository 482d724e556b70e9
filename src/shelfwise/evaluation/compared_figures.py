"""Figures of systems that answered the same rows: values, how far seeds move them, differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import nan
from typing import NamedTuple

import numpy as np

from shelfwise.evaluation.compare_report import Comparison, SeedSpread
from shelfwise.evaluation.paired import Draws, difference_of, seed_values, value_of
from shelfwise.evaluation.paired_metrics import Metric, RowMetric
from shelfwise.evaluation.report import Row
from shelfwise.metrics.holm import holm_adjusted


class Contender(NamedTuple):
    """A system by its name, with the seeds it was trained with."""

    name: str
    seeds: Sequence[int]


def row_of(one: Contender, metric: Metric, draws: Draws) -> Row:
    """The figure with its interval."""
    place, found = metric.place, value_of(metric, draws)
    return Row(
        system=one.name,
        view=place.view,
        task=place.task,
        metric=place.metric,
        value=found.value,
        low=found.low,
        high=found.high,
        support=found.support,
        seeds=len(one.seeds),
    )


def spread_of(one: Contender, metric: Metric) -> Iterator[SeedSpread]:
    """How far seeds move the figure; nothing where there is one seed."""
    values = seed_values(metric)
    if len(values) < 2:
        return
    place = metric.place
    yield SeedSpread(
        system=one.name,
        task=place.task,
        view=place.view,
        metric=place.metric,
        values=dict(zip(map(str, one.seeds), values, strict=True)),
        deviation=float(np.std(values, ddof=1)),
    )


def comparison_of(
    a: Contender, b: Contender, metrics: tuple[Metric, Metric], draws: Draws
) -> Comparison:
    """``a`` less ``b``, paired; its p is still to be corrected, see `corrected`."""
    gap, test = difference_of(*metrics, draws)
    place = metrics[0].place
    return Comparison(
        a=a.name,
        b=b.name,
        task=place.task,
        view=place.view,
        metric=place.metric,
        unit=place.unit,
        by_distance=isinstance(metrics[0], RowMetric) and metrics[0].loss is not None,
        value=gap.value,
        low=gap.low,
        high=gap.high,
        p=test.p_value,
        p_holm=nan,
        draws=test.draws,
        exact=test.exact,
        support=test.support,
        seeds=(len(a.seeds), len(b.seeds)),
    )


def shared(a: Sequence[Metric], b: Sequence[Metric]) -> list[tuple[Metric, Metric]]:
    """Figures that both have: a run that has not learned a task has none of it."""
    theirs = {metric.place: metric for metric in b}
    return [(metric, theirs[metric.place]) for metric in a if metric.place in theirs]


def corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same with p corrected for all of them (Holm)."""
    adjusted = holm_adjusted(np.array([one.p for one in comparisons]))
    return [replace(one, p_holm=float(p)) for one, p in zip(comparisons, adjusted, strict=True)]
