from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from shelfwise.training.adaptation.hard_negatives import HardNegatives
from shelfwise.training.adaptation.pairs import Rights, Takes, TextPairs

NOBODY = np.array([-1])


def on_a_line(count: int) -> Tensor:
    """Unit vectors on a quarter circle: the nearer two numbers, the nearer their vectors."""
    angle = torch.linspace(0, torch.pi / 2, count)
    return torch.stack([angle.cos(), angle.sin()], dim=1)


def rights_of(texts: int, pairs: list[tuple[int, int]], taken: dict[int, list[int]]) -> Rights:
    left, right = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    owner_N = np.array([owner for owner, items in taken.items() for _ in items], np.int64)
    item_N = np.array([item for items in taken.values() for item in items], np.int64)
    of = Takes(owner_N, item_N, item_N * 0, item_N * 0 - 1, item_N < 0)
    return Rights({"together": TextPairs(left, right, left * 0)}, of, np.arange(texts))


def test_near_items_by_hand() -> None:
    # Twelve items in a row. Of item 0, 1 is a pair and owner 5 took 3 and 4: left are 2, 5, 6, ...
    rights = rights_of(12, [(0, 1)], {5: [0, 3, 4]})
    pair = TextPairs(np.array([0]), np.array([1]), np.array([5]))
    vectors_TH = on_a_line(12)

    def drawn(passed: int, count: int, items: int = 12) -> list[int]:
        hard = HardNegatives(rights, np.arange(items), passed)
        found_BK = hard.draw(pair, vectors_TH, count, np.random.default_rng(0))
        return sorted(found_BK[0].tolist())

    # All that is left but the two nearest, 2 and 5.
    assert drawn(passed=2, count=6) == [6, 7, 8, 9, 10, 11]
    assert drawn(passed=0, count=8) == [2, 5, 6, 7, 8, 9, 10, 11]
    # Of eight items, 2, 5, 6 and 7 are left: two after those passed over, then none.
    assert drawn(passed=2, count=3, items=8) == [-1, 6, 7]
    assert drawn(passed=4, count=2, items=8) == [-1, -1]


def test_a_taken_item_is_never_drawn_and_none_twice() -> None:
    rng = np.random.default_rng(0)
    taken = {owner: rng.choice(60, size=12, replace=False).tolist() for owner in range(20)}
    pairs = [(items[0], items[1]) for items in taken.values()]
    rights = rights_of(60, pairs, taken)
    left, right = (np.array(column) for column in zip(*pairs, strict=True))
    batch = TextPairs(left, right, np.arange(20))
    vectors = torch.nn.functional.normalize(torch.from_numpy(rng.normal(size=(60, 8))), dim=-1)
    candidates = np.arange(0, 60, 2)

    hard = HardNegatives(rights, candidates, 3)
    found_BK = hard.draw(batch, vectors, 5, np.random.default_rng(1))

    for owner, row in enumerate(found_BK.tolist()):
        drawn = [item for item in row if item >= 0]
        assert len(set(drawn)) == len(drawn) == 5
        assert not set(drawn) & {left[owner], right[owner], *taken[owner]}
        assert set(drawn) <= set(candidates.tolist())


def test_draws_follow_from_their_seed() -> None:
    rights = rights_of(40, [(0, 1)], {})
    hard = HardNegatives(rights, np.arange(40), 5)
    pair = TextPairs(np.array([0]), np.array([1]), NOBODY)

    def drawn(seed: int) -> list[int]:
        rng = np.random.default_rng(seed)
        found: list[int] = hard.draw(pair, on_a_line(40), 3, rng)[0].tolist()
        return found

    assert drawn(0) == drawn(0)
    assert len({tuple(drawn(seed)) for seed in range(8)}) > 1
    # 2 to 6 are passed over, and one is drawn from the 20 after them.
    assert {item for seed in range(60) for item in drawn(seed)} == set(range(7, 27))
