"""Impressions joined to what came of them, against a search through every pair of rows."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.data.attribution import DAY, HOUR, attribute, labels_as_of
from shelfwise.data.config import AttributionOptions

from .small_log import numbered

OPTIONS = AttributionOptions(  # 3 h, 6 h and 4 h
    click_window_hours=3, purchase_window_days=0.25, return_window_days=4 / 24
)


def row(event: str, at: int, item: int = 1, owner: int = 0, **more: Any) -> dict[str, Any]:
    """``at`` in hours."""
    return {"event": event, "at": at * HOUR, "item": item, "owner": owner, **more}


def outcomes(*rows: dict[str, Any]) -> list[tuple[int, float | None, float | None]]:
    """Hours at which each impression was shown, clicked and bought."""
    found = attribute(numbered(rows), OPTIONS)
    hours = [pl.col(name) / HOUR for name in ("at", "clicked_at", "purchased_at")]
    return found.select(hours).rows()


def test_a_named_request_is_believed_whatever_came_between() -> None:
    assert outcomes(
        row("impression", 1, request_id="a"),
        row("impression", 2, request_id="b"),
        row("click", 9, request_id="a"),  # past the click window, later than b
        row("purchase", 15, request_id="a"),  # 6 h after the click: just inside
        row("click", 9, item=2, request_id="a"),  # was not shown there
        row("click", 9, request_id="c"),  # showed nothing
    ) == [(1, 9, 15), (2, None, None)]


def test_the_last_touch_where_the_log_names_none() -> None:
    assert outcomes(
        row("impression", 1),
        row("impression", 2),
        row("impression", 2, item=2),
        row("impression", 2, owner=1),
        row("click", 4),
        row("cart", 5),  # a cart is a click, but the second one
        row("purchase", 6),
    ) == [(1, None, None), (2, 4, 6), (2, None, None), (2, None, None)]


def test_windows_hold_to_their_last_moment() -> None:
    assert outcomes(row("impression", 1), row("click", 4)) == [(1, 4, None)]
    assert outcomes(row("impression", 1), row("click", 5)) == [(1, None, None)]
    clicked = (row("impression", 1), row("click", 2))
    assert outcomes(*clicked, row("purchase", 8)) == [(1, 2, 8)]
    assert outcomes(*clicked, row("purchase", 9)) == [(1, 2, None)]


def test_a_named_purchase_has_its_window_too() -> None:
    named = (row("impression", 1, request_id="a"), row("click", 2, request_id="a"))

    assert outcomes(*named, row("purchase", 9, request_id="a")) == [(1, 2, None)]


def test_a_purchase_goes_to_the_latest_clicked_impression() -> None:
    assert outcomes(
        row("impression", 1), row("click", 2), row("impression", 3), row("purchase", 5)
    ) == [(1, 2, 5), (3, None, None)]


def test_a_log_without_clicks_gives_it_to_the_latest_impression() -> None:
    # The purchase stands in for the click that the log lacks.
    assert outcomes(row("impression", 1), row("impression", 3), row("purchase", 5)) == [
        (1, None, None),
        (3, 5, 5),
    ]


def test_what_is_dated_before_its_impression_belongs_to_none() -> None:
    assert outcomes(
        row("click", 1, request_id="a"),
        row("impression", 2, request_id="a"),
        row("click", 1, item=2),
        row("impression", 2, item=2),
    ) == [(2, None, None), (2, None, None)]


def test_the_same_moment_is_not_before() -> None:
    assert outcomes(row("impression", 2), row("click", 2)) == [(2, 2, None)]


def test_a_purchase_before_its_click_moves_the_click() -> None:
    assert outcomes(
        row("impression", 1, request_id="a"),
        row("purchase", 2, request_id="a"),
        row("click", 3, request_id="a"),
    ) == [(1, 2, 2)]


def test_of_an_item_shown_twice_in_a_request_the_first_is_meant() -> None:
    assert outcomes(
        row("impression", 1, request_id="a", position=1),
        row("impression", 1, request_id="a", position=5),
        row("click", 2, request_id="a"),
    ) == [(1, 2, None), (1, None, None)]


def test_the_other_columns_stay() -> None:
    shown = row("impression", 1, request_id="a", position=4, surface="ads", propensity=0.5)

    assert attribute(numbered([shown]), OPTIONS).rows(named=True) == [
        {
            "request_id": "a", "owner": 0, "item": 1, "at": HOUR, "position": 4, "surface": "ads",
            "propensity": 0.5, "clicked_at": None, "purchased_at": None,
            "returned_at": None,
        }
    ]  # fmt: skip


def test_a_return_takes_back_the_latest_purchase_not_one_to_come() -> None:
    rows = (
        row("impression", 1, request_id="a"),
        row("click", 2, request_id="a"),
        row("return", 3, request_id="a"),  # before it was bought
        row("purchase", 4, request_id="a"),
        row("return", 8),  # 4 h after the purchase: just inside
    )

    assert attribute(numbered(rows), OPTIONS)["returned_at"].to_list() == [8 * HOUR]


def test_a_log_without_impressions() -> None:
    assert outcomes(row("click", 1), row("purchase", 2)) == []


EVENTS = st.lists(
    st.builds(
        row,
        st.sampled_from(
            ["impression", "impression", "click", "cart", "purchase", "return", "view"]
        ),
        st.integers(0, 14),
        item=st.integers(1, 2),
        owner=st.integers(0, 1),
        request_id=st.sampled_from([None, "a", "b"]),
    ),
    max_size=14,
)


def reference(events: pl.DataFrame) -> list[tuple[int, int | None, int | None]]:
    """(shown, clicked, bought) in hours, by looking at every impression for every outcome."""
    rows = [r | {"at": r["at"] // HOUR} for r in events.rows(named=True)]
    shown = [r for r in rows if r["event"] == "impression"]
    clicks = [r for r in rows if r["event"] in ("click", "cart")]
    clicked: list[list[int]] = [[] for _ in shown]
    for click in clicks:
        for place in belongs(click, shown, [s["at"] for s in shown], 3, None):
            clicked[place].append(click["at"])
    first = [min(times, default=None) for times in clicked]
    bought: list[list[int]] = [[] for _ in shown]
    touch = [s["at"] if time is None else time for s, time in zip(shown, first, strict=True)]
    for purchase in (r for r in rows if r["event"] == "purchase"):
        named = purchase["request_id"] is not None
        usable = touch if named or not clicks else first
        for place in belongs(purchase, shown, usable, 6, 6):
            bought[place].append(purchase["at"])
    result = []
    for s, click, times in zip(shown, first, bought, strict=True):
        sale = min(times, default=None)
        result.append(
            (s["at"], min([t for t in (click, sale) if t is not None], default=None), sale)
        )
    return result


def returned(events: pl.DataFrame) -> list[int | None]:
    """When each impression's purchase was taken back, by looking at every pair."""
    rows = [r | {"at": r["at"] // HOUR} for r in events.rows(named=True)]
    shown = [r for r in rows if r["event"] == "impression"]
    bought = [sale for _, _, sale in reference(events)]
    found: list[list[int]] = [[] for _ in shown]
    for back in (r for r in rows if r["event"] == "return"):
        if back["request_id"] is not None:
            same = [
                place
                for place, s in enumerate(shown)
                if (s["request_id"], s["item"]) == (back["request_id"], back["item"])
            ][:1]
            places = [p for p in same if bought[p] is not None and 0 <= back["at"] - bought[p] <= 4]
        else:
            places = belongs(back, shown, bought, 4, None)
        for place in places:
            found[place].append(back["at"])
    return [min(times, default=None) for times in found]


def belongs(
    outcome: dict[str, Any],
    shown: list[dict[str, Any]],
    touch: list[int | None],
    window: int,
    named_window: int | None,
) -> list[int]:
    """The one impression that the outcome belongs to, if any."""
    if outcome["request_id"] is not None:
        same = [
            place
            for place, s in enumerate(shown)
            if (s["request_id"], s["item"]) == (outcome["request_id"], outcome["item"])
        ][:1]
        return [
            place
            for place in same
            if outcome["at"] >= shown[place]["at"]
            and (named_window is None or outcome["at"] - touch[place] <= named_window)
        ]
    near = [
        (touch[place], place)
        for place, s in enumerate(shown)
        if (s["owner"], s["item"]) == (outcome["owner"], outcome["item"])
        and touch[place] is not None
        and 0 <= outcome["at"] - touch[place] <= window
    ]
    return [max(near)[1]] if near else []


@given(EVENTS)
def test_it_agrees_with_a_search_through_all_pairs(rows: list[dict[str, Any]]) -> None:
    events = numbered(rows)

    assert outcomes(*rows) == reference(events)
    hours = attribute(events, OPTIONS).select(pl.col("returned_at") // HOUR)
    assert hours["returned_at"].to_list() == returned(events)


@given(EVENTS, st.integers(0, 20), st.integers(0, 20))
def test_labels_over_time(rows: list[dict[str, Any]], early: int, later: int) -> None:
    early, later = sorted((early, later))
    impressions = attribute(numbered(rows), OPTIONS).with_row_index("impression")

    then = labels_as_of(impressions, early * HOUR, OPTIONS)
    after = labels_as_of(impressions, later * HOUR, OPTIONS)

    # Only what was shown by then, and a bought row is a clicked one.
    assert (then["at"] < early * HOUR).all()
    assert then.filter(pl.col("purchased") & ~pl.col("clicked")).is_empty()
    # What was clicked and known does not change any more.
    both = then.filter("clicked", "known").join(after, on="impression", suffix="_later")
    assert len(both) == then.select(pl.col("clicked") & pl.col("known")).sum().item()
    assert both["purchased"].equals(both["purchased_later"])
    assert both["known_later"].all()


@pytest.mark.parametrize(
    ("moment", "label"),
    [
        # Shown at 1, clicked at 2, bought at 4; the window closes at 2 + 6 = 8.
        (1 * HOUR, []),
        (2 * HOUR, [(False, False, False)]),
        (2 * HOUR + 1, [(True, False, False)]),
        (4 * HOUR + 1, [(True, True, False)]),
        (8 * HOUR, [(True, True, False)]),
        (8 * HOUR + 1, [(True, True, True)]),
    ],
)
def test_a_label_as_of_each_moment(moment: int, label: list[tuple[bool, bool, bool]]) -> None:
    rows = (row("impression", 1), row("click", 2), row("purchase", 4))
    impressions = attribute(numbered(rows), OPTIONS)

    found = labels_as_of(impressions, moment, OPTIONS)

    assert found.select("clicked", "purchased", "known").rows() == label
    assert DAY * OPTIONS.purchase_window_days == 6 * HOUR


@pytest.mark.parametrize(
    ("rows", "settled"),
    [
        # Nobody clicked: 6 h after it was shown, as long as the click window is no longer.
        ([row("impression", 1)], 7),
        ([row("impression", 1), row("click", 3)], 9),
        # A log without clicks: the impression was the touch, bought or not.
        ([row("impression", 1), row("purchase", 4)], 7),
    ],
)
def test_a_row_is_known_once_nothing_can_come(rows: list[dict[str, Any]], settled: int) -> None:
    impressions = attribute(numbered(rows), OPTIONS)

    def known(at: int) -> list[bool]:
        return labels_as_of(impressions, at, OPTIONS)["known"].to_list()

    assert known(settled * HOUR) == [False]
    assert known(settled * HOUR + 1) == [True]


def test_a_click_window_longer_than_the_purchase_window() -> None:
    # Until 1 + 9 a click may come; only from then on is a row known, and so is one clicked at 2.
    options = OPTIONS.model_copy(update={"click_window_hours": 9})
    rows = (row("impression", 1), row("impression", 1, item=2), row("click", 2))
    impressions = attribute(numbered(rows), options)

    assert labels_as_of(impressions, 10 * HOUR, options)["known"].to_list() == [False, False]
    assert labels_as_of(impressions, 10 * HOUR + 1, options)["known"].to_list() == [True, True]


def test_missing_purchases_do_not_depend_on_clicks() -> None:
    # One impression an hour, every other one clicked at once: of the known rows half are clicked.
    rows = [row("impression", hour, request_id=str(hour)) for hour in range(20)]
    rows += [row("click", hour, request_id=str(hour)) for hour in range(0, 20, 2)]
    found = labels_as_of(attribute(numbered(rows), OPTIONS), 20 * HOUR, OPTIONS)

    known = found.filter("known")
    # Shown at 0 ... 13: with the window's 6 h over before 20.
    assert known["at"].to_list() == [hour * HOUR for hour in range(14)]
    assert known["clicked"].mean() == found["clicked"].mean() == 1 / 2
