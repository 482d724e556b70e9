"""A few test rankings with titles, so that a person can judge them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.match import Score, View
from shelfwise.evaluation.report import Example, Shown
from shelfwise.retrieval.fusion import best_first

_PLACES = 10
_PAST = 8


def example_rankings(
    prepared: PreparedShop, targets: MatchTargets, view: View, score: Score, count: int
) -> list[Example]:
    """The first places of targets spread evenly over the test, not the prettiest ones."""
    asked = np.unique(view.right_target_P)
    if min(count, len(asked)) == 0:
        return []
    chosen = np.unique(asked[np.linspace(0, len(asked) - 1, count).astype(np.int64)])
    score_TV = score(targets, chosen)
    return [
        _example(prepared, targets, view, int(target), score_TV[place])
        for place, target in enumerate(chosen)
    ]


def _example(
    prepared: PreparedShop,
    targets: MatchTargets,
    view: View,
    target: int,
    score_V: NDArray[np.float32],
) -> Example:
    right = set(view.right_item_P[view.right_target_P == target].tolist())
    gone = view.excluded_item_X[view.excluded_target_X == target]
    score_V = score_V.copy()
    score_V[gone] = -np.inf
    query = int(targets.query_T[target])
    return Example(
        history=_past(prepared, targets, target),
        query=prepared.queries["text"][query] if query >= 0 else "",
        top=[
            Shown(
                prepared.items["item_id"][item],
                title_of(prepared, item),
                float(score_V[item]),
                item in right,
            )
            for item in best_first(score_V, _PLACES).tolist()
            if np.isfinite(score_V[item])
        ],
        right_total=len(right),
    )


def _past(prepared: PreparedShop, targets: MatchTargets, target: int) -> list[str]:
    """Titles and queries of the latest different things, newest first."""
    history = prepared.history
    start = history.offset_U1[targets.owner_T[target]]
    words: dict[str, None] = {}
    for place in range(int(targets.end_T[target]) - 1, int(start) - 1, -1):
        item, query = int(history.item_E[place]), int(history.query_E[place])
        told = title_of(prepared, item) if item >= 0 else f"“{prepared.queries['text'][query]}”"
        words.setdefault(told)
        if len(words) == _PAST:
            break
    return list(words)


def title_of(prepared: PreparedShop, item: int) -> str:
    """An item's title, or its id where the shop gave none."""
    return str(prepared.items["title"][item] or prepared.items["item_id"][item])
