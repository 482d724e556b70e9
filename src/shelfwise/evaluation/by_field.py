"""Calibration within every value of a column, such as the surface an item was shown on.

Shape suffixes in this file: N = impressions, F = values of the column, S = sums, D = draws, U =
owners.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.batches import Examples
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.impressions import Forecast, Outcomes, row
from shelfwise.evaluation.report import Row
from shelfwise.metrics.bootstrap import bootstrap_sums
from shelfwise.metrics.value import ratio
from shelfwise.schema.event import Surface


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the impressions, its values as numbers into ``names``."""

    name: str
    names: tuple[str, ...]
    value_N: NDArray[np.int64]


def surface_field(examples: Examples) -> Field:
    """Where each impression was shown."""
    surface_N = np.repeat(examples.surface_R, np.diff(examples.shown_offset_R1))
    return Field("surface", tuple(str(surface) for surface in Surface), surface_N)


def calibration_rows(
    field: Field, outcomes: Outcomes, forecast: Forecast, options: EvaluateOptions
) -> list[Row]:
    """PCOC at each value, and the field's errors over all; none where all rows share one value.

    As `metrics.field_calibration`, with intervals over owners. Clicks of all impressions,
    conversions of clicked ones whose window is closed.
    """
    bought_N = outcomes.clicked_N & outcomes.known_N
    rows = []
    for task, p_N, label_N, kept_N in (
        ("click", forecast.click_N, outcomes.clicked_N, np.ones(len(bought_N), bool)),
        ("conversion", forecast.convert_N, outcomes.purchased_N, bought_N),
    ):
        present_F, place_N = np.unique(field.value_N[kept_N], return_inverse=True)
        if len(present_F) < 2 or np.isnan(p_N[kept_N]).any():
            continue
        owners, owner_N = np.unique(outcomes.owner_N[kept_N], return_inverse=True)
        cell_N, shape = owner_N * len(present_F) + place_N, (len(owners), len(present_F))
        sum_US = np.concatenate(
            [
                np.bincount(cell_N, column, minlength=shape[0] * shape[1]).reshape(shape)
                for column in (np.ones(len(cell_N)), p_N[kept_N], label_N[kept_N])
            ],
            axis=1,
        )
        for name, metric in _metrics(field, present_F).items():
            drawn = bootstrap_sums(
                metric,
                sum_US,
                np.arange(len(owners)),
                rows_N=sum_US[:, : len(present_F)].sum(axis=1),
                draws=options.draws,
                seed=options.seed,
            )
            rows.append(row(forecast.system, task, name, drawn, f"by {field.name}"))
    return rows


Metric = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def _metrics(field: Field, present_F: NDArray[np.int64]) -> dict[str, Metric]:
    """Figures from ``[D, 3F]`` sums: rows, predictions and labels of each value."""

    def pcoc_at(place: int) -> Metric:
        return lambda sums: ratio(sums[:, len(present_F) + place], sums[:, place - len(present_F)])

    each = {f"pcoc@{field.names[value]}": pcoc_at(place) for place, value in enumerate(present_F)}
    return {f"field_ece@{field.name}": _error, f"field_rce@{field.name}": _relative_error} | each


def _error(sum_DS: NDArray[np.float64]) -> NDArray[np.float64]:
    rows_DF, predicted_DF, observed_DF = np.split(sum_DS, 3, axis=1)
    return ratio(np.abs(predicted_DF - observed_DF).sum(axis=1), rows_DF.sum(axis=1))


def _relative_error(sum_DS: NDArray[np.float64]) -> NDArray[np.float64]:
    rows_DF, predicted_DF, observed_DF = np.split(sum_DS, 3, axis=1)
    off_DF = np.abs(ratio(predicted_DF, observed_DF) - 1)
    kept_DF = np.where(observed_DF > 0, rows_DF, 0)
    return ratio((np.nan_to_num(off_DF) * kept_DF).sum(axis=1), kept_DF.sum(axis=1))
