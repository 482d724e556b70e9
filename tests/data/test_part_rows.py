"""What is asked for by part is, where time parts the split, what was asked for by time."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shelfwise.data.batches import Examples, examples_between, examples_of
from shelfwise.data.item_facts import item_facts, met_before, met_in
from shelfwise.data.part_rows import (
    LEARNED,
    TRAINED,
    numbers_of_believed,
    rows_of_parts,
    taken_of_parts,
)
from shelfwise.data.period_examples import period_examples
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import PARTS, Part
from shelfwise.data.targets import match_targets
from shelfwise.data.trend import trend_at, trend_of
from shelfwise.retrieval.taken import taken_in

from .small_log import event, prepared_shop, random_events

NEXT = {"target": "next", "events": ["click", "purchase"]}


def same(one: Examples, other: Examples) -> bool:
    pairs = zip(asdict(one).values(), asdict(other).values(), strict=True)
    return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in pairs)


@pytest.fixture(scope="module", params=["sample", 1, 2])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    if request.param == "sample":
        sample: PreparedShop = request.getfixturevalue("prepared_sample")
        return sample
    rows = random_events(request.param, impressions=True)
    return prepared_shop(tmp_path_factory.mktemp("time"), rows)


@pytest.mark.parametrize("parts", [["train"], ["validation"], ["test"], ["train", "validation"]])
def test_by_time_a_part_is_its_stretch_of_time(shop: PreparedShop, parts: list[Part]) -> None:
    start, end = shop.moments.start_of(parts[0]), shop.moments.end_of(parts[-1])

    assert same(examples_of(shop, parts), examples_between(shop, start, end))


@pytest.mark.parametrize("parts", [TRAINED, LEARNED])
def test_by_time_what_was_met_and_taken_lies_before_the_end(
    shop: PreparedShop, parts: tuple[Part, ...]
) -> None:
    end = shop.moments.known_until(parts)

    before = shop.positives.filter(pl.col("at") < end)
    assert taken_of_parts(shop, parts).equals(before)
    assert np.array_equal(met_in(shop, parts), met_before(shop, end))
    assert item_facts(shop, parts).end == end
    # No step that can be asked for before the end knows of anything else.
    steps = np.arange(int(trend_of(shop).step_of(np.array([end]))[0]) + 1)
    of_parts, of_log = trend_of(shop, parts), trend_of(shop)
    assert np.array_equal(of_parts.figures(steps), of_log.figures(steps))
    assert np.array_equal(trend_at(shop, end, parts), trend_at(shop, end))


def by_request(folder: Path, kind: str) -> PreparedShop:
    """Owner u1 takes i0, i1, i2 and i3 in turn, u2 takes i0 and i4; all in one week."""
    rows = [
        *(event("click", "u1", hour, f"i{n}") for n, hour in enumerate((10, 30, 50, 70))),
        event("view", "u1", 60, "i5"),
        event("view", "u1", 80, "i6"),
        event("click", "u2", 20, "i0"),
        event("click", "u2", 150, "i4"),
    ]
    return prepared_shop(folder, rows, split={"kind": kind}, match=NEXT)


def names(shop: PreparedShop, numbers: pl.Series | np.ndarray) -> list[str]:
    return [shop.items["item_id"][int(number)] for number in numbers]


def test_leave_last_out_cuts_each_owner_at_a_place_of_its_own(tmp_path: Path) -> None:
    shop = by_request(tmp_path, "leave_last_out")

    def taken(parts: tuple[Part, ...]) -> list[str]:
        return sorted(names(shop, taken_of_parts(shop, parts)["item"]))

    # u2 has too few to hold any out, so its i4 trains although it is the latest of all.
    assert taken(("train",)) == ["i0", "i0", "i1", "i4"]
    assert taken(("validation",)) == ["i2"]
    assert taken(("test",)) == ["i3"]
    targets = match_targets(shop, "test")
    assert names(shop, targets.right_item_P) == ["i3"]
    assert names(shop, targets.seen_item_S) == ["i0", "i1", "i2", "i5"]
    assert names(shop, match_targets(shop, "validation").right_item_P) == ["i2"]


def test_leave_last_out_meets_what_training_looks_at_alone(tmp_path: Path) -> None:
    shop = by_request(tmp_path, "leave_last_out")

    # The view of i5 lies between the last two matches, that of i6 after both.
    assert names(shop, np.flatnonzero(met_in(shop, TRAINED))) == ["i0", "i1", "i4"]
    assert names(shop, np.flatnonzero(met_in(shop, LEARNED))) == ["i0", "i1", "i2", "i4"]
    assert names(shop, np.flatnonzero(met_in(shop, PARTS))) == ["i0", "i1", "i2", "i3", "i4", "i5"]


def test_leave_last_out_counts_no_match_of_the_test(tmp_path: Path) -> None:
    shop = by_request(tmp_path, "leave_last_out")

    # Day 6 begins at hour 154 (the log at hour 10): all but u2's own last day is counted.
    counted = np.expm1(trend_at(shop, shop.moments.end, LEARNED)[:, 0]).round().astype(int)
    assert dict(zip(shop.items["item_id"], counted.tolist(), strict=True)) == {
        "i0": 2, "i1": 1, "i2": 1, "i3": 0, "i4": 0, "i5": 0, "i6": 0,
    }  # fmt: skip


def test_in_an_earlier_window_nothing_later_is_counted(tmp_path: Path) -> None:
    rows = random_events(4, impressions=True)
    window = {"kind": "rolling", "windows": 2, "window": 1, "test_share": 0.25}
    shop = prepared_shop(tmp_path, rows, split=window)

    end = shop.moments.end
    assert "later" in shop.requests["part"].to_list()
    assert examples_of(shop, PARTS).at_R.max() < end
    assert examples_of(shop, ["test"]).at_R.min() >= shop.moments.test
    assert taken_of_parts(shop, PARTS)["at"].max() < end  # type: ignore[operator]  # numbers
    trend = trend_of(shop)
    assert trend.taken_TV[-1].sum() <= len(shop.positives.filter(pl.col("at") < end))
    assert len(match_targets(shop, "test"))


def test_rows_keep_their_order(shop: PreparedShop) -> None:
    kept = rows_of_parts(shop, shop.impressions, PARTS)

    assert kept.equals(shop.impressions)


def test_what_is_counted_for_others_holds_no_suspected_fraud(tmp_path: Path) -> None:
    rows = [event("purchase", user, hour, item) for user, hour, item in (
        ("u1", 0, "i0"), ("u1", 30, "i1"), ("u2", 31, "i1"), ("u2", 60, "i2"), ("u1", 99, "i0"),
    )]  # fmt: skip
    shop = prepared_shop(tmp_path, rows)
    second = shop.requests["owner"].gather(shop.positives["request"].cast(pl.Int64)) == 1
    weight = shop.positives["weight"].zip_with(~second, pl.Series([0.0], dtype=pl.Float32))
    doubted = replace(shop, positives=shop.positives.with_columns(weight))

    known = taken_in(doubted, LEARNED, doubted=False)

    assert set(known.owner_E.tolist()) == {0}
    assert len(taken_in(doubted, LEARNED).owner_E) == len(taken_in(shop, LEARNED).owner_E)
    assert known.matrix().sum() == (taken_in(shop, LEARNED).owner_E == 0).sum()


def flagged(shop: PreparedShop) -> tuple[PreparedShop, PreparedShop]:
    """The shop with every third request's actor suspected, and with those requests' rows gone."""
    doubted_R = pl.int_range(len(shop.requests), eager=True) % 3 == 0
    reasons = pl.select(pl.when(doubted_R).then(pl.lit("a bot"))).to_series().alias("fraud")

    def kept(rows: pl.DataFrame) -> pl.Series:
        return ~doubted_R.gather(rows["request"])

    tables = {"impressions": shop.impressions, "positives": shop.positives}
    weighed = {
        name: rows.with_columns(pl.col("weight") * kept(rows)) for name, rows in tables.items()
    }
    gone = {name: rows.filter(kept(rows)) for name, rows in tables.items()}
    return replace(shop, requests=shop.requests.with_columns(reasons), **weighed), replace(
        shop, **gone
    )


@pytest.mark.parametrize("part", PARTS)
def test_what_is_doubted_can_be_left_out(shop: PreparedShop, part: Part) -> None:
    doubtful, without = flagged(shop)

    found = examples_of(doubtful, [part], doubted=False)
    everything = examples_of(without, [part])

    kept = np.flatnonzero(everything.request_R % 3 != 0)
    assert 0 < len(kept) < len(everything)
    assert found.request_R.tolist() == everything.request_R[kept].tolist()
    for name in ("shown_item_N", "clicked_N", "match_item_M", "weight_N", "next_kind_R"):
        expected = getattr(everything, name)  # requests that are gone had neither list nor match
        expected = expected[kept] if name == "next_kind_R" else expected
        assert getattr(found, name).tolist() == expected.tolist()
    asked, asked_without = (
        match_targets(doubtful, part, doubted=False),
        match_targets(without, part),
    )
    everybody = match_targets(doubtful, part)
    assert part == "train" or len(everybody.right_item_P) > len(asked.right_item_P)
    for one, other in zip(asdict(asked).values(), asdict(asked_without).values(), strict=True):
        assert one.tolist() == other.tolist()
    assert same(examples_of(doubtful, [part]), examples_of(doubtful, [part], doubted=True))


def test_whole_periods_are_asked_of_nobody_doubted(shop: PreparedShop) -> None:
    doubtful, without = flagged(shop)
    length = (shop.moments.validation - shop.moments.first) // 4

    found, expected = (period_examples(one, ["train"], length) for one in (doubtful, without))

    assert found
    assert len(found) == len(expected)
    assert all(same(one, other) for one, other in zip(found, expected, strict=True))


def test_those_who_are_doubted_take_no_number(shop: PreparedShop) -> None:
    everybody = numbers_of_believed(shop)
    owner_R = shop.requests["owner"].to_numpy()
    assert everybody.tolist() == list(range(len(shop.owners)))

    # The second owner is doubted in everything, the first in one request alone.
    doubted_R = (owner_R == 1) | (np.arange(len(owner_R)) == np.flatnonzero(owner_R == 0)[0])
    reasons = pl.Series("fraud", ["a bot" if doubted else None for doubted in doubted_R])
    found = numbers_of_believed(replace(shop, requests=shop.requests.with_columns(reasons)))

    kept = [owner for owner in range(len(shop.owners)) if owner != 1]
    assert found[kept].tolist() == list(range(len(kept)))
