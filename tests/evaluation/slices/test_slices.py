from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.slices.columns import impression_columns, item_columns
from shelfwise.evaluation.slices.facts import slice_table
from shelfwise.evaluation.slices.measure import Forecasts, Values, forecast_measures
from shelfwise.evaluation.slices.slices import slices_of
from shelfwise.evaluation.slices.worst import worst_slices

ROWS = 4_000


def forecasts(seed: int, ill: tuple[str, str] | None) -> tuple[pl.DataFrame, list[Forecasts]]:
    """Rows with three columns of no meaning; where ``ill`` holds, what was said is noise."""
    random = np.random.default_rng(seed)
    table = pl.DataFrame(
        {
            "device": random.choice(["phone", "desk", "tablet"], ROWS),
            "weekday": random.choice(["Monday", "Tuesday", "Sunday"], ROWS),
            "band": random.choice(["1 to 4", "20 or more", "5 to 19"], ROWS),
        }
    )
    logit = random.normal(-1.5, 1.2, ROWS)
    label = random.random(ROWS) < 1 / (1 + np.exp(-logit))
    if ill is not None:
        rows = (table[ill[0]] == ill[1]).to_numpy()
        logit[rows] = random.permutation(logit[rows])
    user, request = random.integers(300, size=ROWS), np.arange(ROWS) // 8
    p = 1 / (1 + np.exp(-logit))
    return table, forecast_measures("click", p, label, (user, request))


def test_slices_beside_their_rest_by_hand() -> None:
    # 30 rows of value 1 and 90 of value 3: the mean of all is 2.5, the gap of either 2.
    table = pl.DataFrame({"half": ["a"] * 30 + ["b"] * 90})
    measure = Values("match", "ndcg@10", np.repeat([1.0, 3.0], [30, 90]), np.arange(120))

    found = slices_of(table, replace(measure))

    assert found.value == 2.5
    # 30 rows are below the fewest that are spoken of.
    assert [(one.name, one.rows, one.value, one.gap) for one in found.slices] == []
    assert found.too_small == 2


def test_both_sides_are_told() -> None:
    table = pl.DataFrame({"half": ["a"] * 100 + ["b"] * 300})
    measure = Values("match", "ndcg@10", np.repeat([1.0, 3.0], [100, 300]), np.arange(400))

    found = slices_of(table, measure)

    told = [(one.name, one.rows, one.users, one.value, one.gap) for one in found.slices]
    assert told == [("half a", 100, 100, 1.0, -2.0), ("half b", 300, 300, 3.0, 2.0)]


def test_values_stand_in_their_own_order() -> None:
    table, measures = forecasts(0, None)

    names = [one.where[0] for one in slices_of(table, measures[0]).slices]

    assert [value for column, value in names if column == "weekday"] == [
        "Monday",
        "Tuesday",
        "Sunday",
    ]
    assert [value for column, value in names if column == "band"] == [
        "1 to 4",
        "5 to 19",
        "20 or more",
    ]


def test_the_ill_slice_is_found_and_says_how_many_were_looked_at() -> None:
    table, measures = forecasts(1, ("device", "tablet"))

    found = worst_slices(table, measures[0])

    assert found.found[0].slice.where[0] == ("device", "tablet")
    assert found.found[0].p_holm < 0.001
    assert found.found[0].slice.value == pytest.approx(0.5, abs=0.06)
    assert found.found[0].slice.name == "device tablet"
    assert found.looked_at >= 9
    assert f"{found.looked_at} slices" in found.sentence


def test_a_healthy_whole_rarely_has_a_worst_slice() -> None:
    # Holm allows one false alarm in twenty searches; three of twenty happen in one of thirteen.
    alarms = sum(bool(worst_slices(*_first(seed)).found) for seed in range(20))

    assert alarms <= 3


def _first(seed: int) -> tuple[pl.DataFrame, Forecasts]:
    table, measures = forecasts(seed + 100, None)
    return table, measures[0]


def test_a_slice_that_is_promised_too_much_is_found() -> None:
    table, measures = forecasts(2, None)
    rows = (table["band"] == "20 or more").to_numpy()
    louder = np.where(rows, (measures[1].p_N * 1.6).clip(max=1), measures[1].p_N)

    found = worst_slices(table, replace(measures[1], p_N=louder))

    assert found.metric == "pcoc"
    assert found.found[0].slice.where[0] == ("band", "20 or more")


def test_every_impression_lies_in_a_slice_of_every_column(prepared_sample: PreparedShop) -> None:
    shown = prepared_sample.impressions.filter(pl.col("at") >= prepared_sample.moments.test)

    table = slice_table(prepared_sample, shown, ["train"])

    assert len(table) == len(shown)
    assert not any(table.null_count().row(0))
    assert {"item popularity", "shopper's history", "surface", "query length", "department"} < set(
        table.columns
    )
    # Head: the fewest items that make up half of what training took.
    head = table["item popularity"].str.starts_with("head").to_numpy()
    items = shown["item"].to_numpy()
    assert len(np.unique(items[head])) < len(np.unique(items[~head]))
    surface = prepared_sample.requests["surface"].cast(pl.String)
    assert table["surface"].to_list() == surface.gather(shown["request"].cast(pl.Int64)).to_list()


def test_columns_of_the_catalogue_follow_their_item(prepared_sample: PreparedShop) -> None:
    shown = prepared_sample.impressions.head(50)

    found = impression_columns(prepared_sample, shown)

    brand = prepared_sample.items["brand"].gather(shown["item"].cast(pl.Int64))
    assert found["catalogue.brand"].to_list() == brand.to_list()
    assert len(item_columns(prepared_sample)) == len(prepared_sample.items)
    assert any(name.startswith("catalogue.attributes.") for name in found.columns)
