"""Rankings of the whole catalogue, ours and the baselines', on the same test requests.

Shape suffixes in this file: T = targets, V = items, P = (target, right item) pairs, B = targets of
a block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets
from shelfwise.metrics.ndcg import ndcg_at_k
from shelfwise.metrics.ranks import TiedRanks, ranks_of_relevant
from shelfwise.metrics.recall import recall_at_k
from shelfwise.metrics.reciprocal_rank import reciprocal_rank_at_k
from shelfwise.schema.progress import Progress

Score = Callable[[MatchTargets, NDArray[np.int64]], NDArray[np.float32]]
_CELLS = 4_000_000  # scores in memory at a time
_MOST_ROWS = 1_024  # targets at a time: their histories are in memory as well


@dataclass(frozen=True, slots=True)
class View:
    """A way to look at the same targets: which answers count, and which items are ranked."""

    name: str
    right_target_P: NDArray[np.int64]
    right_item_P: NDArray[np.int64]
    excluded_target_X: NDArray[np.int64]
    excluded_item_X: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Where a system put the right answers of a view."""

    ranks: TiedRanks
    target_P: NDArray[np.int64]
    item_P: NDArray[np.int64]
    right_T: NDArray[np.int64]  # right answers of each target

    def ndcg(self, k: int) -> NDArray[np.float64]:
        """``[T]`` nan where the view leaves a target without answers."""
        return ndcg_at_k(self.ranks, self.target_P, self.right_T, k)

    def recall(self, k: int) -> NDArray[np.float64]:
        """``[T]``"""
        return recall_at_k(self.ranks, self.target_P, self.right_T, k)

    def reciprocal_rank(self, items: int) -> NDArray[np.float64]:
        """``[T]`` over the whole catalogue."""
        return reciprocal_rank_at_k(self.ranks, self.target_P, self.right_T, items)


def views(prepared: PreparedShop, targets: MatchTargets, warm_V: NDArray[np.bool_]) -> list[View]:
    """The headline view first: ``new`` where seen items are removed, else ``main``.

    ``warm_V`` says which items were taken before the test; the view ``cold`` asks for the others.
    """
    items = len(prepared.items)
    right = targets.right_target_P * items + targets.right_item_P
    seen = targets.seen_target_S * items + targets.seen_item_S
    none = np.empty(0, np.int64)
    everything = View("all", targets.right_target_P, targets.right_item_P, none, none)
    is_new_P = ~np.isin(right, seen)
    new = View(
        "new",
        targets.right_target_P[is_new_P],
        targets.right_item_P[is_new_P],
        targets.seen_target_S,
        targets.seen_item_S,
    )
    is_cold_P = ~warm_V[targets.right_item_P]
    cold = View(
        "cold", targets.right_target_P[is_cold_P], targets.right_item_P[is_cold_P], none, none
    )
    if prepared.options.match.seen == "remove":
        found = [new, everything]
    else:
        main = replace(everything, name="main")
        found = [main] if prepared.options.match.target == "next" else [main, new]
    return [*found, cold] if len(cold.right_item_P) else found


def rank_all(
    systems: Mapping[str, Score],
    targets: MatchTargets,
    looked_at: list[View],
    items: int,
    progress: Progress,
) -> dict[tuple[str, str], Ranked]:
    """Rank every view for every system, a block of targets at a time.

    Returns ranks by ``(system, view)``.
    """
    parts: dict[tuple[str, str], list[tuple[TiedRanks, NDArray[np.int64]]]] = {}
    rows = max(1, min(_MOST_ROWS, _CELLS // max(items, 1)))
    blocks = [np.arange(at, min(at + rows, len(targets))) for at in range(0, len(targets), rows)]
    with progress.step("Ranking the catalogue", total=len(blocks) * len(systems)) as step:
        for block in blocks:
            for name, score in systems.items():
                score_BV = score(targets, block)
                for view in looked_at:
                    parts.setdefault((name, view.name), []).append(_block(score_BV, view, block))
                step.advance()
    by_name = {view.name: view for view in looked_at}
    return {key: _joined(found, by_name[key[1]], len(targets)) for key, found in parts.items()}


def _block(
    score_BV: NDArray[np.float32], view: View, block: NDArray[np.int64]
) -> tuple[TiedRanks, NDArray[np.int64]]:
    pair = np.flatnonzero((view.right_target_P >= block[0]) & (view.right_target_P <= block[-1]))
    gone = np.flatnonzero(
        (view.excluded_target_X >= block[0]) & (view.excluded_target_X <= block[-1])
    )
    ranks = ranks_of_relevant(
        score_BV,
        view.right_target_P[pair] - block[0],
        view.right_item_P[pair],
        view.excluded_target_X[gone] - block[0],
        view.excluded_item_X[gone],
    )
    return ranks, pair


def _joined(found: list[tuple[TiedRanks, NDArray[np.int64]]], view: View, targets: int) -> Ranked:
    pair = np.concatenate([place for _, place in found])
    ranks = TiedRanks(
        np.concatenate([ranks.first_P for ranks, _ in found]),
        np.concatenate([ranks.last_P for ranks, _ in found]),
    )
    target_P = view.right_target_P[pair]
    return Ranked(
        ranks, target_P, view.right_item_P[pair], np.bincount(target_P, minlength=targets)
    )
