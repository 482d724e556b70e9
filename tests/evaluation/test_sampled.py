from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shelfwise.data.prepared import PreparedShop, open_prepared_shop
from shelfwise.data.targets import MatchTargets, match_targets
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.match import SampledView, View, rank_all, views
from shelfwise.evaluation.sampled import sampled_candidates
from shelfwise.schema.progress import Silent

from .baselines.small import TARGETS, ints

OPTIONS = EvaluateOptions(sampled_negatives=20)


def test_ranks_among_candidates_by_hand() -> None:
    # Target 0: item 1 scores 5, others 7 and 5 (and an empty place): between places 2 and 3.
    # Target 2: item 0 scores 4, others 1 and 2 and 3: first. Target 1 asks for nothing.
    scores = np.array([[9, 5, 7, 5], [0, 0, 0, 0], [4, 1, 2, 3]], np.float32)
    view = SampledView("sampled", ints(0, 2), ints(1, 0), np.array([[2, 3, -1], [1, 2, 3]]))

    ranked = rank_all({"one": lambda _targets, rows: scores[rows]}, TARGETS, [view], 4, Silent())[
        "one", "sampled"
    ]

    assert ranked.ranks.first_P.tolist() == [2, 1]
    assert ranked.ranks.last_P.tolist() == [3, 1]
    assert ranked.hit_rate(2).tolist() == pytest.approx([1 / 2, np.nan, 1], nan_ok=True)


@pytest.fixture
def shop(prepared_sample: PreparedShop, tmp_path: Path) -> PreparedShop:
    """The sample shop in a folder of its own, which keeps what is written beside it."""
    folder = tmp_path / "prepared"
    folder.mkdir()
    for file in prepared_sample.folder.iterdir():
        if file.is_file():
            (folder / file.name).hardlink_to(file)
    return replace(prepared_sample, folder=folder)


def asked(shop: PreparedShop) -> tuple[MatchTargets, View]:
    targets = match_targets(shop, "test")
    return targets, views(shop, targets, np.ones(len(shop.items), bool))[0]


def test_candidates_are_drawn_once_and_kept(shop: PreparedShop) -> None:
    targets, head = asked(shop)

    first = sampled_candidates(shop, targets, head, OPTIONS)
    (file,) = shop.folder.glob(".candidates-*.parquet")
    written = file.stat().st_mtime_ns
    second = sampled_candidates(shop, targets, head, OPTIONS)
    other = sampled_candidates(shop, targets, head, OPTIONS.model_copy(update={"seed": 1}))

    assert file.stat().st_mtime_ns == written
    assert np.array_equal(first.view.other_item_PC, second.view.other_item_PC)
    assert not np.array_equal(first.view.other_item_PC, other.view.other_item_PC)
    assert len(list(shop.folder.glob(".candidates-*"))) == 2
    assert "for comparison with papers" in first.note
    open_prepared_shop(shop.folder)  # the seal passes them over


def test_candidates_are_never_what_the_shopper_took(shop: PreparedShop) -> None:
    targets, head = asked(shop)

    view = sampled_candidates(shop, targets, head, OPTIONS).view

    assert view.right_target_P.tolist() == sorted(set(head.right_target_P.tolist()))
    right = set(zip(head.right_target_P.tolist(), head.right_item_P.tolist(), strict=True))
    assert set(zip(view.right_target_P.tolist(), view.right_item_P.tolist(), strict=True)) <= right
    owner_of_right = targets.owner_T[targets.right_target_P]
    for target, others in zip(view.right_target_P, view.other_item_PC, strict=True):
        seen = targets.seen_item_S[targets.seen_target_S == target]
        taken = targets.right_item_P[owner_of_right == targets.owner_T[target]]
        assert len(set(others.tolist())) == 20
        assert not set(others.tolist()) & {*seen.tolist(), *taken.tolist()}


def test_a_damaged_file_is_drawn_anew(shop: PreparedShop) -> None:
    targets, head = asked(shop)
    first = sampled_candidates(shop, targets, head, OPTIONS)
    (file,) = shop.folder.glob(".candidates-*.parquet")
    file.write_bytes(file.read_bytes()[:-50])

    again = sampled_candidates(shop, targets, head, OPTIONS)

    assert np.array_equal(first.view.other_item_PC, again.view.other_item_PC)
    # Another test's candidates are not taken for this one's.
    pl.read_parquet(file).with_columns(pl.col("owner") + 1).write_parquet(file)
    once_more = sampled_candidates(shop, targets, head, OPTIONS)
    assert np.array_equal(first.view.other_item_PC, once_more.view.other_item_PC)


def test_a_small_catalogue_gives_all_it_has(shop: PreparedShop) -> None:
    # Four items: owner 0 took 0 and 1 and takes 2, so 3 is left; owner 2 takes 1: three are left.
    small = replace(shop, items=shop.items.head(4))
    head = View("main", TARGETS.right_target_P, TARGETS.right_item_P, ints(), ints())

    view = sampled_candidates(small, TARGETS, head, OPTIONS).view

    found = [sorted(set(row.tolist()) - {-1}) for row in view.other_item_PC]
    assert found == [[3], [0], [0, 2, 3]]
