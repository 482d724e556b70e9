"""What the first places hold beside right answers: breadth, hits, sameness, and known mistakes.

Shape suffixes in this file: T = targets, K = places, V = items, U = owners, E = events, H = text
width, S = (target, item taken before) pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.impressions import row
from shelfwise.evaluation.per_owner import per_owner
from shelfwise.evaluation.report import Row
from shelfwise.evaluation.verdicts import Verdicts
from shelfwise.metrics.bootstrap import Interval, bootstrap_interval, bootstrap_sums
from shelfwise.metrics.coverage import coverage_interval
from shelfwise.metrics.diversity import diversity
from shelfwise.metrics.exposure_gini import exposure_gini_interval
from shelfwise.metrics.lists import mean_of_lists
from shelfwise.metrics.novelty import novelty
from shelfwise.metrics.value import ratio
from shelfwise.metrics.wrong_rate import WrongPlaces, wrong_places
from shelfwise.retrieval.taken import Taken

TASK = "lists"


@dataclass(frozen=True, slots=True)
class Shelf:
    """What every system's lists are held against."""

    owners_V: NDArray[np.int64]  # who took each item before the test
    owners: int  # who took anything
    past_T: NDArray[np.float64]  # mean popularity of what each target's owner took before
    vector_VH: NDArray[np.floating[Any]]
    verdicts: Verdicts

    @classmethod
    def of(
        cls,
        taken: Taken,
        targets: MatchTargets,
        vector_VH: NDArray[np.floating[Any]],
        verdicts: Verdicts,
    ) -> Shelf:
        """Popularity is the number of owners who took an item before the test."""
        pair_E = np.unique(taken.owner_E * taken.items + taken.item_E)
        owners_V = np.bincount(pair_E % taken.items, minlength=taken.items).astype(np.int64)
        count_T = np.bincount(targets.seen_target_S, minlength=len(targets))
        total_T = np.bincount(
            targets.seen_target_S, owners_V[targets.seen_item_S], minlength=len(targets)
        )
        past_T = ratio(total_T, count_T)
        return cls(owners_V, len(np.unique(taken.owner_E)), past_T, vector_VH, verdicts)


def list_rows(
    system: str,
    top_TK: NDArray[np.int32],
    shelf: Shelf,
    targets: MatchTargets,
    options: EvaluateOptions,
) -> list[Row]:
    """Every figure of a system's first places, owners being what is drawn again."""
    items = len(shelf.owners_V)

    def mean(value_T: NDArray[np.float64]) -> Interval:
        value_U = per_owner(value_T, targets)
        return bootstrap_interval(value_U, draws=options.draws, seed=options.seed)

    figures = {
        "coverage": coverage_interval(top_TK, targets.owner_T, items),
        "gini": exposure_gini_interval(top_TK, targets.owner_T, items),
        "novelty": mean(novelty(top_TK, shelf.owners_V, shelf.owners)),
        "diversity": mean(diversity(top_TK, shelf.vector_VH)),
        "popularity_lift": _lift(mean_of_lists(shelf.owners_V, top_TK), shelf, targets, options),
    }
    told = shelf.verdicts
    places = wrong_places(top_TK, told.target_J, told.item_J, told.wrong_J)
    figures |= _wrong(places, targets, options)
    view = f"first {options.k}"
    return [
        row(system, TASK, f"{name}@{options.k}", found, view) for name, found in figures.items()
    ]


def _lift(
    shown_T: NDArray[np.float64], shelf: Shelf, targets: MatchTargets, options: EvaluateOptions
) -> Interval:
    both_T = ~np.isnan(shown_T) & ~np.isnan(shelf.past_T)
    shown_U, past_U = (
        per_owner(np.where(both_T, value_T, np.nan), targets) for value_T in (shown_T, shelf.past_T)
    )
    known_U = ~np.isnan(shown_U)
    sum_US = np.stack([shown_U[known_U], past_U[known_U]], axis=1)
    return _ratio_interval(sum_US, np.arange(len(sum_US)), options)


def _wrong(
    places: WrongPlaces, targets: MatchTargets, options: EvaluateOptions
) -> dict[str, Interval]:
    found = {}
    for name, whole_T, value in (
        ("wrong_rate", places.places_T, places.of_all()),
        ("wrong_rate_judged", places.judged_T, places.of_judged()),
    ):
        sum_TS = np.stack([places.wrong_T, whole_T], axis=1)
        drawn = _ratio_interval(sum_TS, targets.owner_T, options)
        known = drawn if value.support else Interval(np.nan, np.nan, np.nan, 0)
        found[name] = Interval(value.value, known.low, known.high, value.support)
    return found


def _ratio_interval(
    sum_NS: NDArray[Any], owner_N: NDArray[np.int64], options: EvaluateOptions
) -> Interval:
    """First column's sum over the second's."""
    return bootstrap_sums(
        lambda sum_DS: ratio(sum_DS[:, 0], sum_DS[:, 1]),
        sum_NS,
        owner_N,
        draws=options.draws,
        seed=options.seed,
    )
