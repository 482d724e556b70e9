from __future__ import annotations

from dataclasses import replace
from math import log2
from typing import Any

import numpy as np
import pytest

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation import match
from shelfwise.evaluation.match import rank_all, views
from shelfwise.schema.progress import Silent

from .baselines.small import ITEMS, TARGETS, ints

WARM = np.array([True, True, True, False])


def shop_with(prepared: PreparedShop, seen: str, target: str = "period") -> PreparedShop:
    """Any prepared shop with a catalogue of four items and these rules."""
    rules = prepared.options.match.model_copy(update={"seen": seen, "target": target})
    options = prepared.options.model_copy(update={"match": rules})
    return replace(prepared, options=options, items=prepared.items.head(ITEMS))


def pairs(view: match.View) -> list[tuple[int, int]]:
    return list(zip(view.right_target_P.tolist(), view.right_item_P.tolist(), strict=True))


def gone(view: match.View) -> list[tuple[int, int]]:
    return list(zip(view.excluded_target_X.tolist(), view.excluded_item_X.tolist(), strict=True))


def with_repeat() -> MatchTargets:
    """As TARGETS, and owner 0 takes item 0 again."""
    return replace(TARGETS, right_target_P=ints(0, 0, 1, 2), right_item_P=ints(0, 2, 3, 1))


def test_views_of_new_items_by_hand(prepared_sample: PreparedShop) -> None:
    found = views(shop_with(prepared_sample, "remove"), with_repeat(), WARM)

    new, everything, cold = found
    assert [view.name for view in found] == ["new", "all", "cold"]
    assert pairs(new) == [(0, 2), (1, 3), (2, 1)]
    assert gone(new) == [(0, 0), (0, 1), (1, 1), (1, 2)]
    assert pairs(everything) == [(0, 0), (0, 2), (1, 3), (2, 1)]
    assert gone(everything) == []
    # Item 3 was never taken before the test.
    assert pairs(cold) == [(1, 3)]
    assert gone(cold) == []


@pytest.mark.parametrize(
    ("seen", "target", "names"),
    [
        ("remove", "next", ["new", "all", "cold"]),
        ("keep", "period", ["main", "new", "cold"]),
        ("keep", "next", ["main", "cold"]),
    ],
)
def test_the_headline_follows_the_shops_rule(
    prepared_sample: PreparedShop, seen: str, target: str, names: list[str]
) -> None:
    shop = shop_with(prepared_sample, seen, target)

    assert [view.name for view in views(shop, with_repeat(), WARM)] == names
    # Where every item was met before, nothing is cold.
    warm = [view.name for view in views(shop, with_repeat(), np.ones(ITEMS, bool))]
    assert warm == names[:-1]


SCORES = {
    # By hand; target 0 likes item 0 best, then 1, 2, 3; target 2 cannot tell.
    "one": np.array([[4, 3, 2, 1], [4, 3, 2, 1], [0, 0, 0, 0]], np.float32),
    "other": np.array([[1, 2, 3, 4], [1, 2, 3, 4], [0, 9, 0, 0]], np.float32),
}


def system(name: str) -> match.Score:
    return lambda _targets, rows: SCORES[name][rows]


@pytest.mark.parametrize("cells", [10**6, ITEMS, 2 * ITEMS])
def test_ranks_by_hand_whatever_the_block(
    prepared_sample: PreparedShop, monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    monkeypatch.setattr(match, "_CELLS", cells)
    targets = with_repeat()
    looked_at = views(shop_with(prepared_sample, "remove"), targets, WARM)

    found = rank_all({name: system(name) for name in SCORES}, targets, looked_at, ITEMS, Silent())

    assert set(found) == {(s, v) for s in SCORES for v in ("new", "all", "cold")}
    everything = found["one", "all"]
    by_pair: dict[Any, Any] = {
        (int(t), int(i)): (int(first), int(last))
        for t, i, first, last in zip(
            everything.target_P,
            everything.item_P,
            everything.ranks.first_P,
            everything.ranks.last_P,
            strict=True,
        )
    }
    # Target 2's four items tie, so its answer may stand anywhere.
    assert by_pair == {(0, 0): (1, 1), (0, 2): (3, 3), (1, 3): (4, 4), (2, 1): (1, 4)}
    assert everything.right_T.tolist() == [2, 1, 1]

    # Among new items target 0 ranks 2, 3 and target 1 ranks 0, 3.
    new = found["one", "new"]
    gain = {place: 1 / log2(place + 1) for place in (1, 2, 3, 4)}
    tied = sum(gain.values()) / 4
    assert new.ndcg(10).tolist() == pytest.approx([1, gain[2], tied])
    assert found["other", "new"].ndcg(10).tolist() == pytest.approx([gain[2], 1, 1])
    assert new.recall(1).tolist() == pytest.approx([1, 0, 0.25])
    assert new.reciprocal_rank(ITEMS)[:2].tolist() == pytest.approx([1, 1 / 2])
    assert np.isnan(found["one", "cold"].ndcg(10)).tolist() == [True, False, True]
