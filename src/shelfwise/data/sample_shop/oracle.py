"""What somebody who knew the truth would score on the log's test part.

Judged are the impressions of the last fifth of the log's time:

* click: P(click) against the clicks of the log, all impressions;
* conversion: P(purchase within the window of shop.toml | click) against such purchases, clicked
  impressions whose window had closed when the log was cut;
* click and purchase: the product of both, all impressions whose window would have closed.

No model does better, but for luck. What is above 0 in the calibration error, or off 1 in predicted
over observed, is chance.

Shape suffixes in this file: N = impressions.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.sample_shop.catalogue import Flags, Floats
from shelfwise.data.sample_shop.config import TEST_SHARE, SampleOptions
from shelfwise.data.sample_shop.purchase_delay import share_within
from shelfwise.data.sample_shop.requests import DAY_MS
from shelfwise.data.sample_shop.tables import KINDS
from shelfwise.schema.event import EventKind

Figures = dict[str, float | int | None]

_BINS = 20
_SLOWEST_CLICK_MS = 600_000


def oracle_metrics(ordered: pl.DataFrame, options: SampleOptions) -> dict[str, Any]:
    """Every figure, for all impressions and for those of shoppers alone, ready for JSON."""
    window = options.purchase_window_days
    first = round((1 - TEST_SHARE) * options.days * DAY_MS)
    shown = _outcomes(ordered.filter(pl.col("at") >= first), window * DAY_MS)
    last = (options.days - window) * DAY_MS - _SLOWEST_CLICK_MS
    shown = shown.with_columns(
        (pl.col("at") < last).alias("settled"),
        (pl.col("p_convert") * share_within(window)).alias("p_convert"),
    )
    people = {"all": shown}
    if shown["bot"].any():
        people["shoppers"] = shown.filter(~pl.col("bot"))
    return {
        "synthetic": True,
        "judged_from": (options.start + timedelta(milliseconds=first)).isoformat(),
        "judged_to": (options.start + timedelta(days=options.days)).isoformat(),
        "purchase_window_days": window,
        "share_of_purchases_within_window": share_within(window),
        "impressions_of": {name: _tasks(rows) for name, rows in people.items()},
    }


def _outcomes(log: pl.DataFrame, window_ms: int) -> pl.DataFrame:
    """Impressions with what came of them: ``clicked``, and ``bought`` within the window."""

    def of_kind(kind: EventKind) -> pl.DataFrame:
        return log.filter(pl.col("kind") == KINDS.index(kind))

    place = ["request_id", "item_id"]
    clicks = of_kind(EventKind.CLICK).select(*place, pl.col("at").alias("clicked_at"))
    purchases = of_kind(EventKind.PURCHASE).select(*place, pl.col("at").alias("bought_at"))
    waited = pl.col("bought_at") - pl.col("clicked_at")
    return (
        of_kind(EventKind.IMPRESSION)
        .select(*place, "at", "bot", "relevance", "p_click", "p_convert")
        .join(clicks, on=place, how="left", maintain_order="left")
        .join(purchases, on=place, how="left", maintain_order="left")
        .with_columns(
            pl.col("clicked_at").is_not_null().alias("clicked"),
            (waited <= window_ms).fill_null(value=False).alias("bought"),
        )
    )


def _tasks(shown: pl.DataFrame) -> dict[str, Figures]:
    settled = shown.filter(pl.col("settled"))
    clicked = settled.filter(pl.col("clicked"))
    both = (settled["p_click"] * settled["p_convert"]).to_numpy()
    return {
        "click": {
            **probability_figures(shown["p_click"].to_numpy(), shown["clicked"].to_numpy()),
            **list_figures(shown),
        },
        "conversion": probability_figures(
            clicked["p_convert"].to_numpy(), clicked["bought"].to_numpy()
        ),
        "click and purchase": probability_figures(both, settled["bought"].to_numpy()),
    }


def probability_figures(p_N: Floats, happened_N: Flags) -> Figures:
    """AUC, log loss, calibration error, predicted over observed; None where it does not exist."""
    rows, positives = len(p_N), int(happened_N.sum())
    if not rows:
        return {"rows": 0, "positives": 0}
    return {
        "rows": rows,
        "positives": positives,
        "base_rate": positives / rows,
        "auc": _auc(p_N, happened_N) if 0 < positives < rows else None,
        "log_loss": float(-np.log(np.where(happened_N, p_N, 1 - p_N).clip(1e-12)).mean()),
        "pcoc": float(p_N.sum() / positives) if positives else None,
        "ece": _calibration_error(p_N, happened_N),
    }


def list_figures(shown: pl.DataFrame) -> Figures:
    """Figures of the order within requests.

    ``gauc``: AUC of P(click) within each request that has clicks and others, weighted by its rows.
    ``ndcg@10``: of the order by relevance (that is, without the place), clicks gain 1; the mean
    over requests with a click.
    """
    within = pl.col("request_id")
    lists = shown.select(
        "request_id",
        "clicked",
        pl.col("p_click").rank("average").over(within).alias("rank"),
        pl.col("relevance").rank("ordinal", descending=True).over(within).alias("place"),
    )
    positives, rows = pl.col("clicked").sum(), pl.len()
    gain = (pl.col("clicked") / (1 + pl.col("place")).log(2)).filter(pl.col("place") <= 10).sum()
    # In order, for a sum's last digits depend on it.
    per_list = lists.group_by("request_id", maintain_order=True).agg(
        positives.alias("positives"),
        rows.alias("rows"),
        pl.col("rank").filter(pl.col("clicked")).sum().alias("ranks"),
        gain.alias("gain"),
    )
    mixed = per_list.filter(pl.col("positives").is_between(1, pl.col("rows") - 1)).select(
        "rows",
        (
            (pl.col("ranks") - pl.col("positives") * (pl.col("positives") + 1) / 2)
            / (pl.col("positives") * (pl.col("rows") - pl.col("positives")))
        ).alias("auc"),
    )
    best = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, 12)))])
    clicked = per_list.filter(pl.col("positives") > 0)
    ideal = best[np.minimum(clicked["positives"].to_numpy(), 10)]
    return {
        "gauc": _average(mixed["auc"].to_numpy(), mixed["rows"].to_numpy()),
        "gauc_requests": len(mixed),
        "ndcg@10": _average(clicked["gain"].to_numpy() / ideal, np.ones(len(clicked))),
        "ndcg@10_requests": len(clicked),
    }


def _average(value: Floats, weight: NDArray[Any]) -> float | None:
    return float(np.average(value, weights=weight)) if len(value) else None


def _auc(p_N: Floats, happened_N: Flags) -> float:
    """Share of pairs in the right order, ties one half, by mean ranks (Mann and Whitney)."""
    _, of_row, count = np.unique(p_N, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2
    positives = int(happened_N.sum())
    won = rank[of_row[happened_N]].sum() - positives * (positives + 1) / 2
    return float(won / (positives * (len(p_N) - positives)))


def _calibration_error(p_N: Floats, happened_N: Flags) -> float:
    """Mean of |mean prediction - observed rate| over twenty bins of as many rows each."""
    order = np.argsort(p_N, kind="stable")
    parts = zip(
        np.array_split(p_N[order], _BINS), np.array_split(happened_N[order], _BINS), strict=True
    )
    gaps = [len(p) * abs(p.mean() - happened.mean()) for p, happened in parts if len(p)]
    return float(sum(gaps) / len(p_N))
