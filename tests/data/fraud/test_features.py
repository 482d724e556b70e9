from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.data.fraud.small_log import act, crowd, numbered

from shelfwise.data.fraud import features as module
from shelfwise.data.fraud.features import actor_features


def _only(rows: list[dict[str, object]], **more: object) -> dict[str, object]:
    return actor_features(numbered(rows), "owner", **more).row(0, named=True)


def test_counts_and_shares_by_hand() -> None:
    found = _only(
        [
            act("search", 1, 0),
            *(act("impression", 1, 0, item) for item in range(8)),
            act("click", 1, 5, 0),
            act("click", 1, 20, 0),
            act("click", 1, 40, 1),
            act("view", 1, 60, 5),
            act("purchase", 1, 90, 0),
            act("return", 1, 900, 0),
        ],
        category_V=pl.Series([0, 0, 0, 0, 0, 1], dtype=pl.Int64),
    )

    assert (found["rows"], found["impressions"], found["acts"]) == (15, 8, 6)
    assert (found["clicks"], found["taken"], found["purchases"]) == (3, 4, 1)
    assert found["click_through"] == pytest.approx(3 / 8)
    # Four views and clicks on three items, two of them on item 0; three in category 0.
    assert found["distinct_items"] == pytest.approx(3 / 4)
    assert found["top_item"] == pytest.approx(2 / 4)
    assert found["top_category"] == pytest.approx(3 / 4)
    # Gaps 5, 15, 20, 20, 30: mean 18, sum of squared deviations
    # 169 + 9 + 4 + 4 + 144 = 330, standard deviation (330 / 4) ** .5.
    assert found["gaps"] == 5
    assert found["gap_variation"] == pytest.approx((330 / 4) ** 0.5 / 18)
    assert found["equal_gaps"] == pytest.approx(2 / 5)
    assert found["hasty"] == 0


def test_hours_by_hand() -> None:
    # Day 0: 3 acts at 9 h (two of one moment count once: 2), 1 at 10 h; day 1: 1 at 9 h.
    hour = 3_600
    times = [9 * hour, 9 * hour, 9 * hour + 60, 10 * hour, 33 * hour]
    found = _only([act("view", 1, at, 5) for at in times])

    assert (found["active_hours"], found["most_in_hour"], found["hours_in_day"]) == (3, 2, 2)
    assert found["pace"] == pytest.approx((2 + 1 + 1) / 3)
    assert found["by_hour"] == [0] * 9 + [2, 1] + [0] * 13


def test_what_a_log_does_not_hold_is_unknown() -> None:
    found = _only([act("purchase", 1, 0, 5), act("purchase", 1, 0, 6)])

    unknown = ("click_through", "hasty", "gap_variation", "equal_gaps", "top_item", "top_category")
    assert {found[name] for name in unknown} == {None}
    assert (found["clicks"], found["gaps"]) == (0, 0)


def test_a_log_that_knows_order_only_has_no_figure_of_time() -> None:
    found = _only([act("view", 1, at, 5) for at in range(9)], timed=False)

    times = ("pace", "most_in_hour", "hours_in_day", "gap_variation", "equal_gaps", "hasty")
    assert {found[name] for name in times} == {None}
    assert found["top_item"] == 1


def test_an_owner_who_was_only_shown_things_has_a_row() -> None:
    found = _only([act("impression", 1, 0, 5)])

    assert (found["acts"], found["impressions"], found["click_through"]) == (0, 1, 0)


def test_an_address_counts_its_users() -> None:
    rows = [act("view", owner, owner, 5, ip=owner // 3) for owner in range(4)]

    found = actor_features(numbered(rows), "ip")

    assert found.select("actor", "id", "owners").rows() == [("ip", 0, 3), ("ip", 1, 1)]


@pytest.mark.parametrize("actor", ["owner", "session", "ip"])
def test_slices_change_nothing(actor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    events = numbered(row | {"ip": row["owner"] // 4} for row in crowd(12))
    category_V = pl.Series([item // 20 for item in range(200)], dtype=pl.Int64)

    whole = actor_features(events, actor, category_V=category_V)
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", len(events) // 5)
    sliced = actor_features(events.lazy(), actor, category_V=category_V)

    assert_frame_equal(whole, sliced)


@pytest.mark.parametrize("actor", ["owner", "session"])
def test_partitions_by_owner_put_together_are_the_whole(actor: str) -> None:
    events = numbered(crowd(12))

    whole = actor_features(events, actor)
    parts = [actor_features(events.filter(pl.col("owner") % 3 == part), actor) for part in range(3)]

    assert_frame_equal(whole, pl.concat(parts).sort("id"))


def test_an_empty_log_has_no_actors() -> None:
    assert actor_features(numbered([]), "owner").is_empty()
