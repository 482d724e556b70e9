"""The slices that a report shows: clicks of the test, cut by every column there is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.evaluation.impressions import Forecast, Outcomes
from shelfwise.evaluation.slices.facts import slice_table
from shelfwise.evaluation.slices.measure import forecast_measures
from shelfwise.evaluation.slices.slices import FEWEST_POSITIVES, Slices, slices_of

_MOST_ROWS = 60_000  # more would narrow no interval that matters


def click_slices(
    prepared: PreparedShop, outcomes: Outcomes, forecast: Forecast, learned: Sequence[Part]
) -> list[Slices]:
    """AUC and PCOC of clicks by slice; whole requests, evenly spread, where there are too many.

    Args:
        prepared: the shop.
        outcomes: what was shown, and what came of it.
        forecast: of the same rows.
        learned: parts that the run has learned from.
    """
    every = max(1, -(-len(outcomes.request_N) // _MOST_ROWS))
    _, place_N = np.unique(outcomes.request_N, return_inverse=True)
    rows = np.flatnonzero(place_N % every == 0)
    if int(outcomes.clicked_N[rows].sum()) < FEWEST_POSITIVES or np.isnan(forecast.click_N).any():
        return []
    shown = pl.DataFrame(
        {
            "request": outcomes.request_N[rows],
            "item": outcomes.item_N[rows],
            "position": outcomes.position_N[rows],
        }
    )
    table = slice_table(prepared, shown, learned)
    keys = (outcomes.owner_N[rows], outcomes.request_N[rows])
    measures = forecast_measures(
        "click", forecast.click_N[rows], outcomes.clicked_N[rows], keys, ("auc", "pcoc")
    )
    return [slices_of(table, measure) for measure in measures]
