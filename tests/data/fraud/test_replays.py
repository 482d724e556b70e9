from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from shelfwise.data.fraud.replays import PAGES, pages_of, replays

SECOND, DAY = 1_000_000, 86_400_000_000


def _pages(owners: int, seed: int, tick: int) -> list[tuple[int, int]]:
    """Some visits of some pages each, in two months, by a clock that ticks."""
    rng = np.random.default_rng(seed)
    rows = []
    for owner in range(owners):
        for _ in range(int(rng.integers(1, 9))):
            at = int(rng.integers(0, 60 * DAY))
            for _ in range(int(rng.integers(1, 6))):
                rows.append((owner, at // tick * tick))
                at += int(rng.integers(60 * SECOND, 200 * SECOND))
    return rows


def _moments(rows: list[tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=PAGES, orient="row").unique()


def _copies(rows: list[tuple[int, int]], of: int, later: int) -> list[tuple[int, int]]:
    """What the first owners did, by others, some time later."""
    return [(10_000 + owner, at + later) for owner, at in rows if owner < of]


@pytest.mark.parametrize("owners", [50, 200, 600])
@pytest.mark.parametrize("tick", [1_000, SECOND, 60 * SECOND, DAY])
def test_people_are_not_taken_for_copies_whatever_the_clock(tick: int, owners: int) -> None:
    named = [len(replays(_moments(_pages(owners, seed, tick)))) for seed in range(4)]

    assert sum(named) <= 2  # a pair in four shops


def test_people_of_two_clocks_are_not_taken_for_copies() -> None:
    imported, live = _pages(300, 0, DAY), _pages(300, 1, 1_000)

    named = replays(_moments(imported + [(1_000 + owner, at) for owner, at in live]))

    assert named.is_empty()


def test_a_recording_that_many_replay_is_a_habit() -> None:
    rows = [row for row in _pages(600, 0, 1_000) if row[0] != 1]
    recording = _pages(1, 5, 1_000)

    def named(copies: int) -> set[int]:
        played = [
            (10_000 + copy, at + 977_003 * copy) for copy in range(copies) for _, at in recording
        ]
        return set(replays(_moments(rows + played))["id"].to_list()) - set(range(600))

    assert named(6) == set(range(10_000, 10_006))
    assert named(20) == set()


@pytest.mark.parametrize(("tick", "least"), [(1_000, 0.9), (SECOND, 0.6)])
def test_both_are_named_where_one_repeats_the_other(tick: int, least: float) -> None:
    rows = _pages(600, 0, tick)
    later = 2 * DAY - 1_800 * SECOND

    found = replays(_moments(rows + _copies(rows, 30, later)))

    both = {*range(30), *range(10_000, 10_030)}
    named = set(found["id"].to_list())
    assert len(named & both) >= least * len(both)
    assert len(named - both) <= 0.05 * len(both)
    told = dict(found.iter_rows())
    assert "47.5 hours later" in next(told[one] for one in told if one >= 10_000)
    assert "47.5 hours earlier" in next(told[one] for one in told if one < 10_000)


def test_a_copy_tells_nothing_by_a_clock_of_days() -> None:
    rows = _pages(600, 0, DAY)

    assert replays(_moments(rows + _copies(rows, 30, DAY))).is_empty()


def test_pages_are_told_by_lists_and_searches_where_there_are_any() -> None:
    rows = [
        ("search", 1, 10), ("impression", 1, 10), ("impression", 1, 10), ("click", 1, 13),
        ("view", 2, 20), ("purchase", 2, 25), ("return", 2, 99),
    ]  # fmt: skip
    events = pl.DataFrame(rows, schema=["event", "owner", "at"], orient="row")

    assert pages_of(events).sort("at").rows() == [(1, 10), (2, 20), (2, 25)]


def test_nobody_repeats_anybody_in_an_empty_log() -> None:
    assert replays(pl.DataFrame(schema=PAGES)).columns == ["id", "replay_text"]
