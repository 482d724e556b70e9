"""Kinds, funnels, concentration, visits and delays of small logs, worked out by hand."""

from __future__ import annotations

from math import isnan

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.data.report.concentration import concentration, gini, top_share
from shelfwise.data.report.delays import delays
from shelfwise.data.report.funnel import funnel, surface_funnels
from shelfwise.data.report.kinds import kind_counts
from shelfwise.data.report.spread import histogram, spread
from shelfwise.data.report.visits import visits

from .events import did, thin


def test_a_session_with_one_user_is_that_users_throughout() -> None:
    found = thin(
        [
            did("view", "u1", 0, "a", session_id="s1"),
            did("view", None, 1, "a", session_id="s1"),
            did("view", None, 2, "a", session_id="s2"),
            did("view", "u1", 3, "a", session_id="s3"),
            did("view", "u2", 4, "a", session_id="s3"),
            did("view", None, 5, "a", session_id="s3"),
        ]
    )

    owners = found.collect().sort("at")["owner"].to_list()

    # u1, u1, the session s2, u1, u2, and s3, whose two users leave it to itself.
    assert owners[0] == owners[1] == owners[3]
    assert len(set(owners)) == 4


def test_kinds_by_hand() -> None:
    log = [
        did("search", "u1"),
        did("impression", "u1", item="a", surface="search"),
        did("impression", "u1", item="b", surface="search"),
        did("impression", "u2", item="a", surface="ads"),
        did("click", "u2", item="a"),
    ]

    search, impression, click = kind_counts(thin(log))

    assert (search.kind, search.rows, search.owners, search.items) == ("search", 1, 1, 0)
    assert (impression.rows, impression.owners, impression.items) == (3, 2, 2)
    assert impression.by_surface == {"search": 2, "ads": 1}
    assert click.by_surface == {"": 1}
    assert search.rows + impression.rows + click.rows == len(log)


def test_the_funnel_counts_pairs_and_skips_steps_that_are_not_logged() -> None:
    # Pairs: (u1, a) shown, clicked twice and bought; (u1, b) shown; (u2, a) shown and clicked;
    # (u2, c) bought and never shown.
    steps = funnel(
        thin(
            [
                did("impression", "u1", item="a"),
                did("impression", "u1", item="b"),
                did("impression", "u2", item="a"),
                did("click", "u1", item="a"),
                did("click", "u1", item="a"),
                did("click", "u2", item="a"),
                did("purchase", "u1", item="a"),
                did("purchase", "u2", item="c"),
                did("search", "u2"),
                did("view", "u2", item="a"),  # where there are clicks, views are no step
            ]
        )
    )

    assert [(step.kind, step.pairs, step.before) for step in steps] == [
        ("impression", 3, ""),
        ("click", 2, "impression"),
        ("purchase", 2, "click"),
    ]
    assert steps[0].went_on is None
    click, purchase = steps[1].went_on, steps[2].went_on
    assert click is not None
    assert purchase is not None
    assert (click.hits, click.of, steps[1].without_before) == (2, 3, 0)
    assert (purchase.hits, purchase.of, steps[2].without_before) == (1, 2, 1)


def test_each_surface_has_its_own_funnel() -> None:
    requests = pl.DataFrame({"surface": ["search", None]}).lazy()
    shown = pl.DataFrame(
        {
            "request": [0, 0, 0, 1],
            "clicked_at": [5, 6, None, None],
            "purchased_at": [9, None, None, None],
            "returned_at": [11, None, None, None],
        },
        schema_overrides={"request": pl.UInt32},
    ).lazy()

    search, unsaid = surface_funnels(shown, requests)

    assert (search.surface, search.shown) == ("search", 3)
    assert (search.clicked.hits, search.clicked.of) == (2, 3)
    assert (search.purchased.hits, search.purchased.of) == (1, 2)
    assert search.returned is not None
    assert (search.returned.hits, search.returned.of) == (1, 1)
    assert (unsaid.surface, unsaid.shown, unsaid.clicked.hits) == ("", 1, 0)
    assert isnan(unsaid.purchased.value)
    for unreturned in (shown.drop("returned_at"), shown.with_columns(returned_at=None)):
        assert all(one.returned is None for one in surface_funnels(unreturned, requests))


def test_concentration_by_hand() -> None:
    # Events but impressions: a has 1, b has 3. Sorted 1, 3; Gini 2(1*1 + 2*3)/(2*4) - 3/2 = 1/4.
    log = [did("impression", "u1", item="c")] * 5
    log += [did("view", "u1", item="a")] + [did("view", "u2", item="b")] * 3

    found = concentration(thin(log), "item_id", "items")

    assert (found.count, found.rows, found.events) == (2, 4, "everything but impressions")
    assert found.gini == pytest.approx(1 / 4)
    assert found.top == {"1 %": 0.75, "10 %": 0.75, "20 %": 0.75}
    assert (found.once, found.median) == (0.5, 2)
    assert found.curve == ((0.0, 0.0), (0.5, 0.25), (1.0, 1.0))


def test_where_only_impressions_are_logged_they_are_counted() -> None:
    found = concentration(thin([did("impression", "u1", item="a")] * 2), "item_id", "items")

    assert (found.rows, found.events) == (2, "impressions")


def test_the_top_fifth_of_ten_is_two() -> None:
    # 10 + 9 of 1 + ... + 10 = 55; of the top 1 %, one at least.
    rows = np.arange(1, 11)

    assert top_share(rows, 0.2) == pytest.approx(19 / 55)
    assert top_share(rows, 0.01) == pytest.approx(10 / 55)
    assert isnan(top_share(np.array([], np.int64), 0.2))


@given(st.lists(st.integers(1, 100), min_size=1, max_size=30))
def test_gini_is_the_mean_difference_over_twice_the_mean(rows: list[int]) -> None:
    array = np.array(rows)
    difference = np.abs(array[:, None] - array[None, :]).mean()

    assert gini(array) == pytest.approx(difference / (2 * array.mean()), abs=1e-9)


def test_visits_by_hand() -> None:
    # u1: 0:00, 0:20 and, after a pause of 40 minutes, 1:00. u2: 0:00.
    found = visits(
        thin(
            [
                did("view", "u1", 0, "a"),
                did("view", "u1", 1, "a"),
                did("click", "u1", 1 / 3, "a"),
                did("view", "u2", 0, "a"),
                did("impression", "u2", 9, "a"),
            ]
        ),
        gap_minutes=30,
    )

    assert found is not None
    assert (found.events.count, found.events.mean) == (3, pytest.approx(4 / 3))
    assert (found.minutes.count, found.minutes.most) == (1, pytest.approx(20))
    assert (found.per_owner.count, found.per_owner.most) == (2, 2)
    assert (found.history.count, found.history.mean, found.history.most) == (2, 2, 3)
    assert {name: n for name, n in found.history_lengths.items() if n} == {"1": 1, "3 to 4": 1}


def test_visits_need_acts_and_times() -> None:
    assert visits(thin([did("impression", "u1", 0, "a"), did("view", "u1", None, "a")]), 30) is None


def test_delays_by_hand() -> None:
    # The window is one day. u1 buys a 2 h after the later click, and b 30 h after its click; u2
    # buys a without a click of his own. The log ends at hour 40: clicks after hour 16 are open.
    found = delays(
        thin(
            [
                did("click", "u1", 0, "a"),
                did("click", "u1", 1, "a"),
                did("purchase", "u1", 3, "a"),
                did("click", "u1", 4, "b"),
                did("purchase", "u1", 34, "b"),
                did("purchase", "u2", 40, "a"),
                did("click", "u2", 39, "b"),
            ]
        ),
        window_days=1,
    )

    assert found is not None
    assert (found.touch, found.purchases, found.touches) == ("click", 3, 4)
    assert (found.touched.hits, found.touched.of) == (2, 3)
    assert (found.hours.mean, found.hours.most) == (16, 30)
    assert (found.within_window.hits, found.within_window.of) == (1, 2)
    assert dict(found.curve)[6.0] == 0.5
    assert dict(found.curve)[72.0] == 1
    assert (found.still_open.hits, found.still_open.of) == (1, 4)


def test_a_log_without_clicks_measures_from_what_was_shown_and_one_without_touch_not_at_all() -> (
    None
):
    shown = delays(thin([did("impression", "u", 0, "a"), did("purchase", "u", 1, "a")]), 1)

    assert shown is not None
    assert shown.touch == "impression"
    assert delays(thin([did("purchase", "u", 1, "a")]), 1) is None
    assert delays(thin([did("click", "u", 1, "a")]), 1) is None
    assert delays(thin([did("click", "u", None, "a"), did("purchase", "u", None, "a")]), 1) is None


def test_a_spread_by_hand() -> None:
    # 0, 1, ..., 10: the tenth lies at 1, nine tenths at 9, 99 of 100 at 9.9.
    found = spread(np.arange(11))

    assert (found.count, found.mean, found.p10, found.median, found.p90, found.most) == (
        11, 5, pytest.approx(1), 5, pytest.approx(9), 10,
    )  # fmt: skip
    assert found.p99 == pytest.approx(9.9)
    assert isnan(spread(np.array([])).mean)
    assert histogram(np.array([1, 2, 4, 99]), (1.0, 2.0, 5.0)) == (1, 2, 1)
