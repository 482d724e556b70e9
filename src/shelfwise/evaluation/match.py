"""Rankings of the whole catalogue, ours and the baselines', on the same test requests.

Shape suffixes in this file: T = targets, V = items, P = (target, right item) pairs, B = targets of
a block, C = candidates drawn, K = places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.top_lists import top_items
from shelfwise.metrics.average_precision_at_k import average_precision_at_k
from shelfwise.metrics.hit_rate import hit_rate_at_k
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
class SampledView:
    """One right item of each target, ranked among a few drawn ones alone."""

    name: str
    right_target_P: NDArray[np.int64]  # rising
    right_item_P: NDArray[np.int64]
    other_item_PC: NDArray[np.int64]  # -1 where fewer could be drawn


def _no_lists() -> NDArray[np.int32]:
    return np.empty((0, 0), np.int32)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Where a system put the right answers of a view."""

    ranks: TiedRanks
    target_P: NDArray[np.int64]
    item_P: NDArray[np.int64]
    right_T: NDArray[np.int64]  # right answers of each target
    top_TK: NDArray[np.int32] = field(default_factory=_no_lists)  # first places, where asked for

    def ndcg(self, k: int) -> NDArray[np.float64]:
        """``[T]`` nan where the view leaves a target without answers."""
        return ndcg_at_k(self.ranks, self.target_P, self.right_T, k)

    def recall(self, k: int) -> NDArray[np.float64]:
        """``[T]``"""
        return recall_at_k(self.ranks, self.target_P, self.right_T, k)

    def average_precision(self, k: int) -> NDArray[np.float64]:
        """``[T]``"""
        return average_precision_at_k(self.ranks, self.target_P, self.right_T, k)

    def hit_rate(self, k: int) -> NDArray[np.float64]:
        """``[T]``"""
        return hit_rate_at_k(self.ranks, self.target_P, self.right_T, k)

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
    looked_at: Sequence[View | SampledView],
    items: int,
    progress: Progress,
    top: int = 0,
) -> dict[tuple[str, str], Ranked]:
    """Rank every view for every system, a block of targets at a time, each scored once.

    Returns ranks by ``(system, view)``; those of the first view hold ``top`` first places too.
    """
    parts: dict[tuple[str, str], list[_Block]] = {}
    rows = max(1, min(_MOST_ROWS, _CELLS // max(items, 1)))
    blocks = [np.arange(at, min(at + rows, len(targets))) for at in range(0, len(targets), rows)]
    with progress.step("Ranking the catalogue", total=len(blocks) * len(systems)) as step:
        for block in blocks:
            for name, score in systems.items():
                score_BV = score(targets, block)
                for view in looked_at:
                    shown = top if view is looked_at[0] else 0
                    found = _ranked_block(score_BV, view, block, shown)
                    parts.setdefault((name, view.name), []).append(found)
                step.advance()
    by_name = {view.name: view for view in looked_at}
    return {key: _joined(found, by_name[key[1]], len(targets)) for key, found in parts.items()}


class _Block(NamedTuple):
    ranks: TiedRanks
    pair_P: NDArray[np.int64]  # places of the view's pairs
    top_BK: NDArray[np.int32]


def _ranked_block(
    score_BV: NDArray[np.float32], view: View | SampledView, block: NDArray[np.int64], top: int
) -> _Block:
    pair = np.flatnonzero((view.right_target_P >= block[0]) & (view.right_target_P <= block[-1]))
    target_P, item_P = view.right_target_P[pair] - block[0], view.right_item_P[pair]
    if isinstance(view, SampledView):
        ranks = _ranks_among(score_BV, target_P, item_P, view.other_item_PC[pair])
        return _Block(ranks, pair, _no_lists())
    gone = np.flatnonzero(
        (view.excluded_target_X >= block[0]) & (view.excluded_target_X <= block[-1])
    )
    excluded = (view.excluded_target_X[gone] - block[0], view.excluded_item_X[gone])
    ranks = ranks_of_relevant(score_BV, target_P, item_P, *excluded)
    return _Block(ranks, pair, top_items(score_BV, top, *excluded) if top else _no_lists())


def _ranks_among(
    score_BV: NDArray[np.float32],
    target_P: NDArray[np.int64],
    item_P: NDArray[np.int64],
    other_item_PC: NDArray[np.int64],
) -> TiedRanks:
    """Ranks of the right items among their own candidates."""
    right_P1 = score_BV[target_P, item_P][:, None]
    other_PC = score_BV[target_P[:, None], other_item_PC]
    drawn_PC = other_item_PC >= 0
    above_P = ((other_PC > right_P1) & drawn_PC).sum(axis=1)
    tied_P = ((other_PC == right_P1) & drawn_PC).sum(axis=1)
    return TiedRanks(first_P=above_P + 1, last_P=above_P + tied_P + 1)


def _joined(found: Sequence[_Block], view: View | SampledView, targets: int) -> Ranked:
    pair = np.concatenate([block.pair_P for block in found])
    ranks = TiedRanks(
        np.concatenate([block.ranks.first_P for block in found]),
        np.concatenate([block.ranks.last_P for block in found]),
    )
    target_P = view.right_target_P[pair]
    return Ranked(
        ranks,
        target_P,
        view.right_item_P[pair],
        np.bincount(target_P, minlength=targets),
        np.concatenate([block.top_BK for block in found]),
    )
