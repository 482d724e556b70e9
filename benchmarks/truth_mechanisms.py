"""Position bias, delay of purchases, and the fraud filter, against the sample shop's truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from shelfwise.data.attribution import DAY
from shelfwise.data.part_rows import TRAINED, rows_of_parts
from shelfwise.data.position_bias import PositionCurve, position_curves
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.purchase_delay import purchase_delay
from shelfwise.data.sample_shop.purchase_delay import share_within

RANDOMISED_CLICKS = 800  # at a place, from which its curve is aimed at


def position_figures(
    prepared: PreparedShop, truth: pl.DataFrame
) -> tuple[list[dict[str, Any]], dict[str, float | None]]:
    """Measured and true examination, relative to the first place, at every place and surface.

    The first place is 1 by definition, so it is not among those that the figures speak of.

    Args:
        prepared: the shop.
        truth: row by row as its impressions.
    """
    surface = prepared.requests["surface"].cast(pl.String).gather(prepared.impressions["request"])
    seen = truth.with_columns(surface, prepared.impressions["position"]).filter(~pl.col("bot"))
    rows = []
    for curve in position_curves(prepared):
        rows += _curve_rows(curve, seen.filter(pl.col("surface") == curve.surface))
    off = [
        abs(row["value"] / row["true"] - 1)
        for row in rows
        if row["support"] >= RANDOMISED_CLICKS and row["view"] != "place 1"
    ]
    return rows, {
        "position_furthest_from_truth": max(off) if off else None,
        "position_places_with_enough_clicks": float(len(off)),
    }


def _curve_rows(curve: PositionCurve, seen: pl.DataFrame) -> list[dict[str, Any]]:
    examined = dict(seen.group_by("position").agg(pl.col("examination").mean()).iter_rows())
    columns = (
        *(curve.position_K, curve.relative_K, curve.low_K, curve.high_K, curve.randomised_K),
    )
    return [
        {"system": "shelfwise", "view": f"place {place}", "task": f"position on {curve.surface}"}
        | {"metric": "examination", "value": value, "low": low, "high": high, "seeds": 1}
        | {"support": int(clicks), "true": examined[place] / examined[1]}
        for place, value, low, high, clicks in zip(*columns, strict=True)
    ]


def delay_figures(prepared: PreparedShop) -> dict[str, float | None]:
    """The delay of purchases learned from training alone, at whole days, against the true law."""
    until = prepared.moments.known_until(TRAINED)
    bought = rows_of_parts(prepared, prepared.impressions, TRAINED).filter(
        pl.col("purchased_at") < until
    )
    since = (bought["purchased_at"] - bought["at"]).to_numpy()
    delay = purchase_delay(since, (until - bought["at"]).to_numpy())
    window = prepared.options.attribution.purchase_window_days
    days = np.arange(1, int(window) + 1)
    true = np.array([share_within(day) / share_within(window) for day in days])
    found = delay.share((days * DAY).astype(np.int64))
    seen = np.array([(since <= day * DAY).mean() for day in days])
    return {
        "delay_furthest_from_truth": float(np.abs(found - true).max()),
        "delay_of_seen_purchases_furthest": float(np.abs(seen - true).max()),
    }


def fraud_figures(prepared: PreparedShop, truth: pl.DataFrame) -> dict[str, float | None]:
    """Precision and recall of the filter over impressions; nothing where there are no bots."""
    bot_N = truth["bot"].to_numpy()
    if not bot_N.any():
        return {}
    reason = prepared.requests["fraud"].gather(prepared.impressions["request"])
    flagged_N = reason.is_not_null().to_numpy()
    both = float((bot_N & flagged_N).sum())
    return {
        "fraud_precision": both / float(flagged_N.sum()) if flagged_N.any() else None,
        "fraud_recall": both / float(bot_N.sum()),
    }
