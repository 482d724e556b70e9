from __future__ import annotations

from dataclasses import replace
from math import log, log1p
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shelfwise.data.attribution import DAY
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.trend import FIGURES, Trend, trend_at, trend_of

from .small_log import event, prepared_shop, random_events

NO_IMPRESSIONS = (None, None, None)


def table(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_counts_by_hand() -> None:
    # One item, taken on days 0, 1 (twice) and 40; nothing between. Before day t: 0, 1, 3, 3, ...
    days = np.array([0, 1, 1, 40])
    taken = table(*[[float((days < day).sum())] for day in range(60)])
    trend = Trend(0, DAY, taken, *NO_IMPRESSIONS, taken)

    found = trend.figures(np.array([0, 1, 8, 32, 41]))[:, 0]

    # Ever; in the 30 days before; in the 7 days before.
    ever, month, week = [0, 1, 3, 3, 4], [0, 1, 3, 0, 1], [0, 1, 2, 0, 1]
    assert found[:, 0].tolist() == pytest.approx([log1p(n) for n in ever])
    assert found[:, 1].tolist() == pytest.approx([log1p(n) for n in month])
    assert found[:, 2].tolist() == pytest.approx([log1p(n) for n in week])
    assert (found[:, 3:5] == 0).all()
    # Every take is a first one here.
    assert np.array_equal(found[:, 5:], found[:, 1:3])


def test_first_takers_are_counted_apart(tmp_path: Path) -> None:
    # u1 takes i0 on days 0, 1 and 2, u2 on day 2; i1 is taken by u1 on day 4, the log's last.
    rows = [event("purchase", "u1", hour, "i0") for hour in (0, 30, 60)]
    rows += [event("purchase", "u2", 62, "i0"), event("purchase", "u1", 99, "i1")]
    shop = prepared_shop(tmp_path, rows)

    found = trend_of(shop).figures(np.array([1, 3]))[:, 0]

    # Before day 1 one take, by one; before day 3 four takes, the first of two shoppers.
    assert found[:, 2].tolist() == pytest.approx([log1p(1), log1p(4)])
    assert found[:, 5].tolist() == pytest.approx([log1p(1), log1p(2)])
    assert found[:, 6].tolist() == pytest.approx([log1p(1), log1p(2)])


def test_rates_by_hand() -> None:
    # Shown 100 and 300 times, clicked 30 and 10, bought 6 and 0.
    trend = Trend(
        0, DAY, table([0, 0]), table([100, 300]), table([30, 10]), table([6, 0]), table([0, 0])
    )  # fmt: skip

    found = trend.figures(np.array([0]))[0]

    # Mean click rate (40 + 1) / (400 + 20), worth 50 impressions; of purchases
    # (6 + 1) / (40 + 20), worth 20 clicks.
    mean, bought = 41 / 420, 7 / 60
    click = [(30 + 50 * mean) / 150 / mean, (10 + 50 * mean) / 350 / mean]
    convert = [(6 + 20 * bought) / 50 / bought, (0 + 20 * bought) / 30 / bought]
    assert found[:, 3].tolist() == pytest.approx([log(rate) for rate in click], rel=1e-5)
    assert found[:, 4].tolist() == pytest.approx([log(rate) for rate in convert], rel=1e-5)
    assert found.shape == (2, FIGURES)


def test_steps_are_days_from_the_first_event_and_never_leave_the_table() -> None:
    trend = Trend(1000, DAY, table([0], [1], [2]), *NO_IMPRESSIONS, table([0], [1], [2]))

    found = trend.step_of(np.array([0, 1000, 1000 + DAY - 1, 1000 + DAY, 1000 + 90 * DAY]))

    assert found.tolist() == [0, 0, 0, 1, 2]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    return prepared_shop(
        tmp_path_factory.mktemp("trend"), random_events(4, impressions=True), attribution={}
    )


def test_a_step_knows_only_what_came_before_it(shop: PreparedShop) -> None:
    """Every table against a count of the rows themselves."""
    trend = trend_of(shop)
    assert trend.shown_TV is not None
    assert trend.clicked_TV is not None
    assert trend.bought_TV is not None
    sources = [
        (trend.taken_TV, shop.positives, "at"),
        (trend.shown_TV, shop.impressions, "at"),
        (trend.clicked_TV, shop.impressions, "clicked_at"),
        (trend.bought_TV, shop.impressions, "purchased_at"),
    ]
    steps = len(trend.taken_TV)
    assert trend.first == shop.moments.first
    # The last step knows the whole log.
    assert trend.first + (steps - 1) * trend.step >= shop.moments.end
    for counts, rows, column in sources:
        assert counts[-1].sum() == rows[column].count() > 0
        for step in range(steps):
            begins = trend.first + step * trend.step
            for item in range(len(shop.items)):
                before = rows.filter((pl.col("item") == item) & (pl.col(column) < begins))
                assert counts[step, item] == len(before)


def test_the_first_day_knows_nothing(shop: PreparedShop) -> None:
    trend = trend_of(shop)
    first = trend.figures(trend.step_of(np.array([shop.moments.first])))

    assert first.shape == (1, len(shop.items), FIGURES)
    assert (first == 0).all()


def test_a_moment_is_told_the_state_of_its_own_day(shop: PreparedShop) -> None:
    trend = trend_of(shop)
    moment = shop.moments.first + 2 * DAY + DAY // 2

    assert np.array_equal(trend_at(shop, moment), trend.figures(np.array([2]))[0])


def test_a_log_without_impressions_has_no_rates(tmp_path: Path) -> None:
    rows = [event("purchase", "u1", hour, "i0") for hour in (0, 30, 70)]
    shop = prepared_shop(tmp_path, [*rows, event("purchase", "u1", 99, "i1")])

    found = trend_at(shop, shop.moments.end)

    # Purchases of hours 0, 30, 70 and 99 lie in days 0, 1, 2 and 4; the end in day 4 knows three.
    assert found[:, 0].tolist() == pytest.approx([log1p(3), 0])
    assert (found[:, 3:5] == 0).all()


def test_long_logs_of_large_catalogues_get_longer_steps(
    shop: PreparedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 99 hours are 4 days, with two more 6; 6 days x 5 items over 10 cells: steps of 3 days.
    monkeypatch.setattr("shelfwise.data.trend._MOST_CELLS", 10)

    trend = trend_of(shop)

    assert trend.step == 3 * DAY
    assert len(trend.taken_TV) == 3
    begins = shop.moments.first + 3 * DAY
    assert trend.taken_TV[1].sum() == len(shop.positives.filter(pl.col("at") < begins))


def test_rows_of_suspected_fraud_are_not_counted(tmp_path: Path) -> None:
    rows = [event("purchase", "u1", hour, "i0") for hour in (0, 30)]
    rows += [event("purchase", "u2", 31, "i0"), event("purchase", "u1", 99, "i1")]
    shop = prepared_shop(tmp_path, rows)
    of_u2 = pl.col("at") == pl.col("at").sort().get(2)
    weight = pl.when(of_u2).then(0.0).otherwise(pl.col("weight")).alias("weight")
    doubted = replace(shop, positives=shop.positives.with_columns(weight))

    before_day_3 = [trend_of(one).taken_TV[3, 0] for one in (shop, doubted)]

    assert before_day_3 == [3, 2]


def test_lists_of_suspected_fraud_are_not_counted(shop: PreparedShop) -> None:
    nothing = pl.lit(0.0).alias("weight")
    doubted = replace(shop, impressions=shop.impressions.with_columns(nothing))

    found = trend_of(doubted)

    assert found.shown_TV is not None
    assert found.clicked_TV is not None
    assert found.shown_TV.sum() == found.clicked_TV.sum() == 0
    assert np.array_equal(found.taken_TV, trend_of(shop).taken_TV)
