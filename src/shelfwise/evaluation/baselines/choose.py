"""The simple rankers that every run is shown beside, with their settings chosen on validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.attribution import DAY
from shelfwise.data.history import KINDS
from shelfwise.data.part_rows import TRAINED, taken_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.data.targets import match_targets
from shelfwise.evaluation.baselines.item_knn import CHOICES, Choice, ItemKnn
from shelfwise.evaluation.baselines.markov import Markov
from shelfwise.evaluation.baselines.own_counts import OwnCounts
from shelfwise.evaluation.baselines.popularity import Popularity
from shelfwise.evaluation.baselines.role import Baseline, Taken
from shelfwise.evaluation.match import rank_all, views
from shelfwise.metrics.value import mean_value
from shelfwise.schema.progress import Silent

_JUDGED = 1_000  # validation requests that settings are chosen by
_K = 10


def baselines(prepared: PreparedShop, taken: Taken, recent_days: int) -> list[Baseline]:
    """Each sees all behaviour before the test; settings were chosen before the test as well.

    Args:
        prepared: histories to look up, and validation to choose by.
        taken: what is learned from.
        recent_days: also counted alone; a log that knows an order and no times has no such days.
    """
    kinds = match_kind_numbers(prepared)
    found: list[Baseline] = [Popularity.of(taken, "popularity", since=0)]
    if prepared.manifest.facts.get("clock") != "order":
        recent = prepared.moments.test - recent_days * DAY
        found.append(Popularity.of(taken, f"popularity (last {recent_days} days)", since=recent))
    found += [
        ItemKnn.of(prepared.history, kinds, taken, _best_knn(prepared, kinds)),
        Markov.of(prepared.history, taken),
    ]
    if prepared.options.match.target == "period":
        found.append(OwnCounts.of(prepared.history, kinds, taken))
    return found


def _best_knn(prepared: PreparedShop, kinds: NDArray[np.uint8]) -> Choice:
    """The setting with the highest NDCG@10 on validation, learned from training alone."""
    targets = match_targets(prepared, "validation")
    if len(targets) == 0:
        return CHOICES[0]
    rows = np.unique(np.linspace(0, len(targets) - 1, _JUDGED).astype(np.int64))
    some = targets.chosen(rows)
    taken = taken_in(prepared, TRAINED)
    seen_V = np.bincount(taken.item_E, minlength=taken.items) > 0
    head = views(prepared, some, seen_V)[:1]
    systems = {
        str(place): ItemKnn.of(prepared.history, kinds, taken, choice).scores
        for place, choice in enumerate(CHOICES)
    }
    ranked = rank_all(systems, some, head, taken.items, Silent())
    scores = [
        mean_value(ranked[str(place), head[0].name].ndcg(_K)).value for place in range(len(CHOICES))
    ]
    return CHOICES[int(np.argmax(scores))]  # the first where validation cannot say


def match_kind_numbers(prepared: PreparedShop) -> NDArray[np.uint8]:
    """Numbers of the behaviours that count as a match."""
    names = prepared.manifest.facts["match_kinds"]
    return np.array([place for place, kind in enumerate(KINDS) if kind in names], np.uint8)


def taken_in(prepared: PreparedShop, parts: Sequence[Part]) -> Taken:
    """Behaviour of ``parts`` that counts as a match, sorted by owner and time."""
    requests = prepared.requests.with_row_index("request").select("request", "owner")
    rows = (
        taken_of_parts(prepared, parts)
        .with_row_index("place")
        .join(requests.with_columns(pl.col("request").cast(pl.Int64)), on="request")
        .sort("owner", "at", "place")
    )
    return Taken(
        rows["owner"].to_numpy().astype(np.int64),
        rows["item"].to_numpy().astype(np.int64),
        rows["at"].to_numpy(),
        len(prepared.owners),
        len(prepared.items),
    )
