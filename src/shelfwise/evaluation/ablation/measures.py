"""What an ablation looks at: the main figure of each task, and the same for head and tail items.

Shape suffixes in this file: S = seeds, P = (target, right item) pairs, T = targets, V = items,
N = impressions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.part_rows import LEARNED, taken_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.match import Ranked
from shelfwise.evaluation.paired_metrics import (
    MeanMetric,
    Metric,
    Place,
    RowMetric,
    means_by_unit,
    metrics_of,
)
from shelfwise.evaluation.slices.facts import head_items
from shelfwise.evaluation.stored_answers import ShopAnswers

_MAIN = ("ndcg", "recall", "auc", "gauc", "cvr_auc", "ctcvr_auc")  # up to an "@"
GROUPS = ("head items", "tail items")


def measures_of(
    seeds: Sequence[ShopAnswers], head_V: NDArray[np.bool_], item_ids: pl.Series, k: int
) -> list[Metric]:
    """The figures of one variant, its answers with each seed given; the headline's first.

    Args:
        seeds: answers to the same rows.
        head_V: which items are head.
        item_ids: of the catalogue, in the order of ``head_V``.
        k: places of a ranking that count.
    """
    found = [m for m in metrics_of(seeds, k) if m.place.metric.partition("@")[0] in _MAIN]
    clicks = next((m for m in found if m.place.task == "click" and isinstance(m, RowMetric)), None)
    if clicks is not None:
        shown = seeds[0].impressions["item_id"]
        is_head_N = shown.is_in(item_ids.filter(pl.Series(head_V)).implode()).to_numpy()
        found += _clicks_by_group(clicks, is_head_N)
    return [*found, *_recall_by_group(seeds, head_V, k)]


def head_of(prepared: PreparedShop) -> NDArray[np.bool_]:
    """``[V]`` the most taken items that make up half of what was taken before the test."""
    taken = taken_of_parts(prepared, LEARNED)["item"].to_numpy()
    return head_items(np.bincount(taken, minlength=len(prepared.items)))


def _recall_by_group(
    seeds: Sequence[ShopAnswers], head_V: NDArray[np.bool_], k: int
) -> Iterator[MeanMetric]:
    """Of the right items of either kind, the share among the first k, in the headline's view."""
    first = seeds[0]
    if not first.views:
        return
    owner_T = first.targets["owner"].rank("dense").cast(pl.Int64).to_numpy() - 1
    ranked = [one.ranked(first.views[0]) for one in seeds]
    for name, in_group_V in zip(GROUPS, (head_V, ~head_V), strict=True):
        in_group_P = in_group_V[ranked[0].item_P]
        if not in_group_P.any():
            continue
        value_SU = np.stack(
            [means_by_unit(_recall(one, in_group_P, len(owner_T), k), owner_T) for one in ranked]
        )
        place = Place("match", name, f"recall@{k}", "users")
        yield MeanMetric(place, value_SU, np.ones(value_SU.shape[1]))


def _recall(
    ranked: Ranked, in_group_P: NDArray[np.bool_], targets: int, k: int
) -> NDArray[np.float64]:
    """``[T]`` nan where no right item is of the group; ties count by expectation."""
    first_P, last_P = ranked.ranks
    hit_P = (np.minimum(last_P, k) - first_P + 1).clip(0) / (last_P - first_P + 1)
    target_P = ranked.target_P[in_group_P]
    right_T = np.bincount(target_P, minlength=targets)
    hits_T = np.bincount(target_P, hit_P[in_group_P], minlength=targets)
    found: NDArray[np.float64] = np.divide(
        hits_T, right_T, out=np.full(targets, np.nan), where=right_T > 0
    )
    return found


def _clicks_by_group(clicks: RowMetric, is_head_N: NDArray[np.bool_]) -> Iterator[RowMetric]:
    for name, kept_N in zip(GROUPS, (is_head_N, ~is_head_N), strict=True):
        label_N = clicks.label_N[kept_N]
        if not label_N.any() or label_N.all():
            continue
        yield replace(
            clicks,
            place=replace(clicks.place, view=name),
            p_SN=clicks.p_SN[:, kept_N],
            label_N=label_N,
            unit_N=clicks.unit_N[kept_N],
        )
