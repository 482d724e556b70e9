"""The one order of rows, and which of them only repeat another."""

from __future__ import annotations

from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.data.config import CleanOptions
from shelfwise.data.event_rows import KIND
from shelfwise.data.order import distinct, packed_keys

SECOND = 1_000_000
ROWS = pl.Schema(
    {
        "event": KIND,
        "owner": pl.Int64,
        "item": pl.Int64,
        "query": pl.Int64,
        "at": pl.Int64,
        "sequence": pl.Int64,
        "request_id": pl.String,
        "position": pl.Int64,
        "event_id": pl.String,
        "price": pl.Float64,
        "file": pl.UInt32,
        "row": pl.Int64,
    }
)


def rows_of(*rows: dict[str, Any]) -> pl.DataFrame:
    told = [
        {"event": "view", "owner": 0, "item": 1, "at": 0, "file": 0, "row": place, **row}
        for place, row in enumerate(rows, start=1)
    ]
    return pl.DataFrame(told, schema=ROWS)


def kept(*rows: dict[str, Any], seconds: float = 1.0) -> tuple[list[int], dict[str, int]]:
    """Rows that stay, in order, and how many fell away for what."""
    found = distinct(rows_of(*rows), CleanOptions(double_click_seconds=seconds))
    return found.rows["row"].to_list(), dict(found.duplicates.select("why", "len").iter_rows())


def test_owners_then_times_then_sequence_then_the_way_to_a_purchase() -> None:
    assert kept(
        {"event": "purchase", "at": 5},
        {"event": "click", "at": 5},
        {"event": "search", "at": 5, "item": None, "query": 0},
        {"event": "impression", "at": 5},
        {"at": 5, "sequence": 9},
        {"at": 4},
        {"owner": -1, "at": 9},
    ) == ([7, 6, 5, 3, 4, 2, 1], {})


def test_what_says_the_same_is_kept_once_wherever_it_stood() -> None:
    bought = {"event": "purchase", "price": 2.0}
    assert kept(bought, bought | {"price": 3.0}, bought | {"file": 1}) == ([1, 2], {"exact": 1})


def test_an_event_id_counts_once_for_its_owner() -> None:
    assert kept(
        {"event_id": "a"},
        {"event_id": "a", "at": 9 * SECOND},  # sent again, its clock a little later
        {"event_id": "a", "owner": 1},  # somebody else's
        {"event_id": "b", "event": "purchase"},
        {"event_id": "c", "event": "purchase"},  # the same bought twice at once
    ) == ([1, 4, 5, 3], {"event_id": 1})


def test_a_click_made_twice_by_one_movement_of_the_hand() -> None:
    click = {"event": "click"}
    assert kept(
        click | {"at": 0},
        click | {"at": SECOND - 1},  # a slip
        click | {"at": 2 * SECOND - 2},  # and another, one after the other
        click | {"at": 3 * SECOND - 2},  # a second later: meant
        click | {"at": 0, "item": 2},
        click | {"at": 0, "request_id": "r"},
        {"event": "purchase", "at": 0},
        {"event": "purchase", "at": 1},  # a basket may hold a thing twice
    ) == ([6, 1, 5, 7, 8, 4], {"slip": 2})
    assert kept(click | {"at": 0}, click | {"at": 1}, seconds=0) == ([1, 2], {})


def test_rows_that_the_log_orders_are_all_meant() -> None:
    told = [{"event": "click", "sequence": place} for place in (1, 2)]
    assert kept(*told) == ([1, 2], {})


SOME = st.lists(
    st.fixed_dictionaries(
        {
            "event": st.sampled_from(["view", "click", "impression", "purchase"]),
            "owner": st.integers(0, 1),
            "item": st.sampled_from([None, 1, 2]),
            "at": st.sampled_from([0, SECOND // 2, 3 * SECOND]),
            "sequence": st.sampled_from([None, None, 1]),
            "request_id": st.sampled_from([None, "a", "b"]),
            "event_id": st.sampled_from([None, "x", "y"]),
            "price": st.sampled_from([None, 1.0, 2.0]),
        }
    ),
    max_size=12,
)


@given(SOME, st.randoms(use_true_random=False))
def test_the_order_is_of_what_rows_say_alone(rows: list[dict[str, Any]], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)

    one, other = (
        distinct(rows_of(*some), CleanOptions()).rows.drop("row") for some in (rows, shuffled)
    )

    assert one.equals(other)
    for column in ("owner", "at"):
        assert one.sort("owner", "at", maintain_order=True)[column].equals(one[column])


@given(SOME)
def test_every_row_is_kept_or_counted(rows: list[dict[str, Any]]) -> None:
    found = distinct(rows_of(*rows), CleanOptions())

    assert len(rows) == found.rows.height + found.duplicates["len"].sum()
    said = found.rows.drop("file", "row")
    assert said.is_unique().all()


NUMBERS = st.lists(
    st.fixed_dictionaries(
        {
            "a": st.sampled_from([None, -(2**40), 0, 2**40]),
            "b": st.integers(-5, 5) | st.none(),
            "c": st.sampled_from([None, 1, 2**50, -(2**63), 2**63 - 1]),
        }
    ),
    min_size=1,
    max_size=20,
)


@given(NUMBERS)
def test_packed_keys_sort_as_their_columns_do(rows: list[dict[str, int | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.Int64, "c": pl.Int64})
    keys = packed_keys(frame, ("a", "b", "c"))

    by_keys = frame[keys.select(pl.arg_sort_by(keys.columns)).to_series()]

    assert by_keys.equals(frame.sort("a", "b", "c", nulls_last=True))
