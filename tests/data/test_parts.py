"""Every request has one part, by the rule of its split, whatever the order of rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shelfwise.data.config import SplitOptions
from shelfwise.data.held_out import held_out_parts
from shelfwise.data.item_facts import met_in
from shelfwise.data.part_rows import held_out_after, rows_of_parts
from shelfwise.data.parts import Asked, assign_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Moments, split_moments

from .small_log import prepared_shop, random_events

# By their sha256 (see test_held_out.py): foo trains, foobar validates, bar is the test.
NAMES = ["foo", "foobar", "bar"]
TRAIN, VALIDATION, TEST = range(3)
REQUESTS = pl.Schema(
    {
        "request": pl.UInt32,
        "request_id": pl.String,
        "owner": pl.Int64,
        "at": pl.Int64,
        "sequence": pl.Int64,
        "query": pl.Int64,
    }
)
SHOWN = pl.Schema(
    {
        "request": pl.UInt32,
        "item": pl.Int64,
        "position": pl.Int64,
        "clicked_at": pl.Int64,
        "purchased_at": pl.Int64,
    }
)
MATCHED = pl.Schema({"request": pl.UInt32, "item": pl.Int64})


def asked(
    requests: list[dict[str, Any]],
    shown: list[dict[str, Any]] | None = None,
    matched: list[tuple[int, int]] | None = None,
) -> Asked:
    numbered = [{"request": number, "owner": 0} | row for number, row in enumerate(requests)]
    return Asked(
        pl.DataFrame(numbered, REQUESTS),
        pl.DataFrame(shown or [], SHOWN),
        pl.DataFrame(matched or [], MATCHED, orient="row"),
        pl.DataFrame({"item_id": NAMES}),
        pl.DataFrame({"text": NAMES}),
    )


def parts(table: Asked, **options: Any) -> list[str]:
    split = SplitOptions(**options)
    moments = split_moments(0, 999, split)
    return assign_parts(table, moments, split)["part"].to_list()


def test_by_time_each_request_falls_in_the_part_of_its_own_moment() -> None:
    # 1,000 us: the test is the last 150, validation the 100 before them.
    table = asked([{"at": at} for at in (0, 749, 750, 849, 850, 999)])

    assert parts(table) == ["train", "train", "validation", "validation", "test", "test"]


def test_in_an_earlier_window_what_follows_its_test_is_in_no_part() -> None:
    # Two tests of 200 us end the log: the first is 600 to 799, its validation 500 to 599.
    table = asked([{"at": at} for at in (499, 500, 599, 600, 799, 800, 999)])
    windows = {"kind": "rolling", "windows": 2, "test_share": 0.2}

    assert parts(table, **windows, window=1) == [
        "train", "validation", "validation", "test", "test", "later", "later",
    ]  # fmt: skip
    assert parts(table, **windows) == [
        "train", "train", "train", "train", "validation", "test", "test",
    ]  # fmt: skip
    assert parts(table, **windows, window=2) == parts(table, **windows)


def test_leave_last_out_by_hand() -> None:
    # Owner 0 matches at 1, 3 and 5; what matched nothing goes with the match before it.
    # Owner 1 has two matches, too few to hold one out.
    own = [{"at": at} for at in range(7)]
    other = [{"at": 1, "owner": 1}, {"at": 2, "owner": 1}]
    table = asked(own + other, matched=[(1, 0), (1, 1), (3, 0), (5, 0), (7, 0), (8, 1)])

    assert parts(table, kind="leave_last_out") == [
        "train", "train", "train", "validation", "validation", "test", "test", "train", "train",
    ]  # fmt: skip


def test_leave_last_out_breaks_ties_by_sequence_then_by_name() -> None:
    rows = [
        {"at": 5, "request_id": "b"},
        {"at": 5, "sequence": 2},
        {"at": 5, "request_id": "a"},
        {"at": 5, "sequence": 1},
    ]
    table = asked(rows, matched=[(number, 0) for number in range(4)])

    # In order: sequence 1, sequence 2, then those without one by name: a, b.
    assert parts(table, kind="leave_last_out") == ["test", "train", "validation", "train"]


def test_cold_queries_by_hand() -> None:
    table = asked([{"at": 1, "query": query} for query in (TRAIN, VALIDATION, TEST, None, -1)])

    assert parts(table, kind="cold_queries") == ["train", "validation", "test", "train", "train"]


def row(request: int, item: int, position: int, **more: int) -> dict[str, Any]:
    return {"request": request, "item": item, "position": position, **more}


def test_cold_items_by_hand() -> None:
    shown = [
        row(0, TRAIN, 1, clicked_at=3),  # the answer decides, not what stands beside it
        row(0, TEST, 2),
        row(1, TRAIN, 1, clicked_at=3),  # of two answers the later part
        row(1, TEST, 2, clicked_at=3),
        row(2, TEST, 1),  # no answer: the first place
        row(2, TRAIN, 2),
        row(3, TEST, 2),
        row(3, TRAIN, 1),
    ]
    # 4 matches without a list; 5 shows and matches nothing.
    table = asked([{"at": 1}] * 6, shown, matched=[(0, TRAIN), (4, VALIDATION), (4, TRAIN)])

    assert parts(table, kind="cold_items") == [
        "train", "test", "test", "train", "validation", "train",
    ]  # fmt: skip


KINDS = [
    {"kind": "time"},
    {"kind": "rolling", "windows": 2, "window": 1},
    {"kind": "leave_last_out"},
    {"kind": "cold_items"},
    {"kind": "cold_queries"},
]


@settings(max_examples=25, deadline=None)
@given(st.data())
@pytest.mark.parametrize("options", KINDS, ids=lambda options: options["kind"])
def test_the_order_of_rows_decides_nothing(options: dict[str, Any], data: st.DataObject) -> None:
    drawn = data.draw(
        st.lists(
            st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(-1, 2), st.booleans()),
            min_size=1,
            max_size=12,
        )
    )
    rows = [
        {"request_id": f"r{n}", "owner": owner, "at": at * 200, "query": query}
        for n, (owner, at, query, _) in enumerate(drawn)
    ]
    matched = [(n, n % 3) for n, (_, _, _, match) in enumerate(drawn) if match]
    shown = [row(n, (n + place) % 3, place) for n in range(len(rows)) for place in (1, 2)]
    table = asked(rows, shown, matched)
    split = SplitOptions(**options)
    moments = Moments(0, 400, 600, 800)
    shuffled = Asked(
        *(frame.sample(fraction=1, shuffle=True, seed=7) for frame in table[:3]), *table[3:]
    )

    found = assign_parts(table, moments, split)
    again = assign_parts(shuffled, moments, split)

    assert found.drop("part").equals(table.requests)
    assert again.drop("part").equals(shuffled.requests)
    assert found.sort("request").equals(again.sort("request"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parts")


def shop_of(folder: Path, seed: int, impressions: bool, kind: str) -> PreparedShop:
    rows = random_events(seed, impressions=impressions)
    for told in rows:
        told["item_id"] = SPREAD.get(told["item_id"], "")
        told["query"] = SPREAD.get(told.get("query", ""), "")
    return prepared_shop(
        folder / f"{kind}-{seed}-{impressions}",
        rows,
        split={"kind": kind},
        match={"target": "next", "events": ["click", "purchase"]},
    )


# Two items and a query train, the others do not.
SPREAD = {"i0": "foo", "i1": "foobar", "i2": "bar", "i3": "hello", "i4": "abc"}
SPREAD |= {"q0": "foo", "q1": "foobar", "q2": "bar"}
LOGS = given(st.integers(0, 10**6), st.booleans())
FEW = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FEW
@LOGS
def test_one_match_of_each_owner_is_the_test_and_the_one_before_it_validation(
    folder: Path, seed: int, impressions: bool
) -> None:
    shop = shop_of(folder, seed, impressions, "leave_last_out")

    requests = shop.requests.with_row_index("request")
    matched = requests.join(shop.positives.select("request").unique(), on="request")
    for (owner,), own in matched.sort("request").group_by("owner", maintain_order=True):
        parts = own["part"].to_list()
        held = ["validation", "test"] if len(parts) >= 3 else []
        assert parts == ["train"] * (len(parts) - len(held)) + held
        # Nothing of an owner that follows validation or test is learned from.
        everything = requests.filter(owner=owner).sort("at", "request")["part"].to_list()
        assert everything == sorted(everything, key=["train", "validation", "test"].index)


@FEW
@LOGS
def test_cold_items_are_cold(folder: Path, seed: int, impressions: bool) -> None:
    shop = shop_of(folder, seed, impressions, "cold_items")

    part_V = held_out_parts(shop.items["item_id"])
    held = (part_V != "train").arg_true()
    assert len(held) == 3
    for rows in (shop.impressions, shop.positives):
        assert not rows_of_parts(shop, rows, ["train"])["item"].is_in(held).any()
    assert not met_in(shop, ["train"])[held.to_numpy()].any()
    assert held_out_after(shop, ["train"]).nonzero()[0].tolist() == held.to_list()
    # What is left out of training was shown there without an answer.
    inside = shop.requests["part"].gather(shop.impressions["request"]) == "train"
    left_out = shop.impressions.filter(inside & shop.impressions["item"].is_in(held))
    assert left_out["clicked_at"].null_count() == len(left_out)


@FEW
@LOGS
def test_cold_queries_are_cold(folder: Path, seed: int, impressions: bool) -> None:
    shop = shop_of(folder, seed, impressions, "cold_queries")

    part_Q = dict(enumerate(held_out_parts(shop.queries["text"])))
    for query, part in shop.requests.select("query", "part").iter_rows():
        assert part == part_Q.get(query, "train")
