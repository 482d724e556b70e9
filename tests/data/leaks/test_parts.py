"""Rows that two parts share, and parts that are not what their split says."""

from __future__ import annotations

import polars as pl
import pytest

from shelfwise.data.leakage import refuse_leaks

from .planted import HOUR, IMPRESSIONS, POSITIVES, REQUESTS, made, planted, refusal

REQUEST_A = "number 0 at 1970-01-01 03:00, request_id a"
REQUEST_B = "number 1 at 1970-01-01 03:00, request_id b"


def test_a_request_in_two_parts() -> None:
    both = planted(REQUESTS, 2, request_id="b")

    assert refusal(made(requests=both)) == [
        f"  a request straddles the split: requests 1, first: {REQUEST_B}"
    ]


def test_a_part_that_is_not_the_requests_own_time() -> None:
    assert refusal(made(requests=planted(REQUESTS, 1, part="validation"))) == [
        f"  a request lies in another part than its own time: requests 1, first: {REQUEST_B}"
    ]


# As if owner 1's match at hour 4 had been copied to a request of training.
TWICE = pl.concat(
    [POSITIVES, POSITIVES.filter(request=2).with_columns(request=pl.lit(1, pl.UInt32))]
)
NAMELESS = REQUESTS.with_columns(
    request_id=pl.lit(None, pl.String), sequence=pl.lit(None, pl.Int64)
)


def test_a_match_in_two_parts() -> None:
    assert refusal(made(split="leave_last_out", requests=NAMELESS, positives=TWICE)) == [
        "  the same match stands in two parts: rows 1, first: owner 1, item 2, kind click, "
        "at 1970-01-01 04:00, parts test and train"
    ]


def test_what_training_does_not_know_yet_is_not_in_it() -> None:
    # By time training ends before hour 4: the late outcome of its request is not learned from.
    refuse_leaks(made(requests=NAMELESS, positives=TWICE))


@pytest.mark.parametrize("names", [("b", None), ("b", "c")])
@pytest.mark.parametrize("sequence", [None, 5])
def test_matches_that_the_log_tells_apart_are_two(
    names: tuple[str, str | None], sequence: int | None
) -> None:
    requests = planted(planted(NAMELESS, 1, request_id=names[0]), 2, request_id=names[1])
    requests = planted(requests, 2, sequence=sequence)

    refuse_leaks(made(split="leave_last_out", requests=requests, positives=TWICE))


def test_leave_last_out_that_trains_on_what_comes_after() -> None:
    mixed = REQUESTS.with_columns(part=pl.Series(["train", "validation", "train"]))

    assert refusal(made(split="leave_last_out", requests=mixed)) == [
        "  training goes on after what it holds out of an owner: requests 1, "
        "first: number 2 at 1970-01-01 04:00"
    ]


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("positives", planted(POSITIVES, 0, item=2)),
        ("impressions", planted(IMPRESSIONS, 0, item=2)),  # clicked
    ],
)
def test_a_held_out_item_with_an_answer_in_training(table: str, rows: pl.DataFrame) -> None:
    # Item 2 is the test's; its second impression was clicked too, and is made unanswered.
    sound = {"impressions": planted(IMPRESSIONS, 1, clicked_at=None, purchased_at=None)}
    refuse_leaks(made(split="cold_items", **sound))
    planted_there = sound | {table: rows} if table == "positives" else {table: rows}

    assert refusal(made(split="cold_items", **planted_there))[-1] == (
        f"  a held-out item is answered in an earlier part: requests 1, first: {REQUEST_A}"
    )


def test_a_held_out_query_in_training() -> None:
    refuse_leaks(made(split="cold_queries"))

    assert refusal(made(split="cold_queries", requests=planted(REQUESTS, 1, query=1))) == [
        f"  a held-out query is asked in an earlier part: requests 1, first: {REQUEST_B}"
    ]


def test_a_match_of_an_earlier_window_is_known_until_its_end() -> None:
    late = planted(REQUESTS, 2, part="later", at=9 * HOUR)

    refuse_leaks(made(requests=late, positives=planted(POSITIVES, 1, at=9 * HOUR)))
