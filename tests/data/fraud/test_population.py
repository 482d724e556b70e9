from __future__ import annotations

from math import log
from typing import Any

import polars as pl
import pytest

from shelfwise.data.fraud.options import FraudOptions
from shelfwise.data.fraud.population import FIGURES, population_of, with_night

_OPTIONS = FraudOptions()


def _features(**columns: list[Any]) -> pl.DataFrame:
    """Figures of as many actors as the first column is long; the rest is unknown."""
    rows = len(next(iter(columns.values())))
    told = {"acts": [50] * rows, "purchases": [0] * rows, "taken": [0] * rows} | columns
    unknown = {name: pl.Series([None] * rows, dtype=pl.Float64) for name in FIGURES}
    return pl.DataFrame(unknown | told)


def test_centre_and_spread_by_hand() -> None:
    # 21 shares .00, .01, ... .20: the median is .10; distances from it are 0, two of each of
    # .01 to .10, so their median (the 11th) is .05, and 1.4826 * .05 = .07413.
    people = population_of(_features(top_item=[share / 100 for share in range(21)]), _OPTIONS)

    assert people.median["top_item"] == pytest.approx(0.1)
    assert people.spread["top_item"] == pytest.approx(0.07413)


def test_rates_are_compared_as_logarithms() -> None:
    # 10 actors at 2 acts an hour, 11 at 4, 10 at 8: the median is 4; as logarithms 20 of 31 lie
    # log 2 away.
    found = _features(pace=[2.0] * 10 + [4.0] * 11 + [8.0] * 10)
    people = population_of(found, _OPTIONS)

    # 32 = 4 * 2 ** 3 acts an hour is three times log 2 above.
    fast = pl.DataFrame({"pace": [32.0, 4.0, 2.0]}).select(people.spreads_above("pace"))
    assert fast.to_series().to_list() == pytest.approx([3 / 1.4826, 0, -1 / 1.4826])


def test_look_alikes_have_the_least_spread() -> None:
    people = population_of(_features(pace=[4.0] * 40), _OPTIONS)

    found = pl.DataFrame({"pace": [8.0]}).select(people.spreads_above("pace")).item()
    assert found == pytest.approx(log(2) / 0.3)


def test_machines_up_to_a_third_do_not_move_the_middle_far() -> None:
    # Of 60 actors, 20 click everything: the median is among the honest.
    people = population_of(_features(click_through=[0.1] * 40 + [0.9] * 20), _OPTIONS)

    assert people.median["click_through"] == 0.1


def test_who_did_little_is_asked_about_rates_only() -> None:
    found = _features(
        acts=[50] * 20 + [6] * 30 + [2] * 90,
        pace=[9.0] * 20 + [3.0] * 30 + [1.0] * 90,
        top_item=[0.2] * 20 + [0.5] * 30 + [1.0] * 90,
    )
    people = population_of(found, _OPTIONS)

    assert people.actors == 20
    assert people.median["pace"] == 3  # of the 50 with five acts or more
    assert people.median["top_item"] == 0.2  # of the 20 that are judged


def test_nothing_is_usual_among_few() -> None:
    people = population_of(_features(pace=[4.0] * 19), _OPTIONS)

    assert people.median["pace"] is None
    assert pl.DataFrame({"pace": [900.0]}).select(people.spreads_above("pace")).item() is None


def test_purchases_per_view_by_hand() -> None:
    found = _features(taken=[30, 50], purchases=[1, 3])

    assert population_of(found, _OPTIONS).purchases_per_taken == 4 / 80


def test_night_is_when_the_shop_is_quietest() -> None:
    # Active hours by hour of the day (UTC): a shopper of 12 to 23; one with an hour at 7 and three
    # at 12; one of 0 to 5. The six hours from 6 on hold one active hour, any others two or more.
    rows = [
        [0.0] * 12 + [1.0] * 12,
        [0.0] * 7 + [1.0] + [0.0] * 4 + [3.0] + [0.0] * 11,
        [1.0] * 6 + [0.0] * 18,
    ]
    found = with_night(
        pl.DataFrame(
            {"by_hour": rows, "active_hours": [sum(row) for row in rows]},
            schema={"by_hour": pl.Array(pl.Float64, 24), "active_hours": pl.Float64},
        )
    )

    assert found["night"].to_list() == [0, 1 / 4, 0]
