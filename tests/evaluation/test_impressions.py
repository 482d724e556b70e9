from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import isnan, log, nan
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shelfwise.data.batches import Examples, examples_between
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.impressions import (
    Forecast,
    Outcomes,
    grouped_auc_note,
    impression_rows,
    item_rates,
    open_windows_note,
    oracle,
    reliability,
)
from shelfwise.evaluation.report import Row
from shelfwise.schema.errors import DataError

OPTIONS = EvaluateOptions(draws=50)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def flags(text: str) -> np.ndarray:
    return np.array([mark == "x" for mark in text], bool)


# Two owners, a request each; the clicks of rows 0, 3 and 4, a purchase after 0, and the window of
# row 4 still open.
OUTCOMES = Outcomes(
    owner_N=ints(0, 0, 0, 1, 1, 1),
    request_N=ints(0, 0, 0, 1, 1, 1),
    item_N=ints(0, 1, 2, 0, 1, 2),
    position_N=ints(1, 2, 3, 1, 2, 3),
    clicked_N=flags("x..xx."),
    purchased_N=flags("x....."),
    known_N=flags("xxxx.x"),
)
FORECAST = Forecast(
    "ours", np.array([0.9, 0.2, 0.1, 0.3, 0.6, 0.5]), np.array([0.8, 0.5, 0.5, 0.4, 0.9, 0.5])
)


def by_name(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
    return {(row.task, row.metric): row for row in rows}


def test_figures_by_hand() -> None:
    rows = by_name(impression_rows(OUTCOMES, FORECAST, OPTIONS))

    # Clicks .9, .3, .6 against .2, .1, .5: of nine pairs only (.3, .5) is wrong.
    assert rows["click", "auc"].value == pytest.approx(8 / 9)
    # Request 0: 2 of 2; request 1: .3 beats nothing, .6 beats .5: 1 of 2. Three rows each.
    assert rows["click", "gauc"].value == pytest.approx((3 * 1 + 3 * 0.5) / 6)
    assert rows["click", "pcoc"].value == pytest.approx(2.6 / 3)
    losses = [log(p) for p in (0.9, 0.8, 0.9, 0.3, 0.6, 0.5)]
    assert rows["click", "log_loss"].value == pytest.approx(-sum(losses) / 6)
    # The rate is 1/2, whose surprise is log 2.
    assert rows["click", "ne"].value == pytest.approx(-sum(losses) / 6 / log(2))
    squares = [0.1**2, 0.2**2, 0.1**2, 0.7**2, 0.4**2, 0.5**2]
    assert rows["click", "brier"].value == pytest.approx(sum(squares) / 6)
    # Down to .9: 1 of 1; to .6: 2 of 2; to .3, the fourth: 3 of 4.
    assert rows["click", "pr_auc"].value == pytest.approx((1 + 1 + 3 / 4) / 3)
    # Conversion on clicked rows whose window is closed, 0 and 3.
    assert rows["conversion", "cvr_auc"].value == 1
    assert rows["conversion", "log_loss"].value == pytest.approx(-(log(0.8) + log(0.6)) / 2)
    assert rows["conversion", "pcoc"].value == pytest.approx(1.2 / 1)
    # Both on all known rows: .72, .1, .05, .12, .25, the first of them right.
    assert rows["click and purchase", "ctcvr_auc"].value == 1
    assert rows["click and purchase", "pcoc"].value == pytest.approx(1.24)
    assert {row.support for row in rows.values()} == {2}
    assert {row.system for row in rows.values()} == {"ours"}


def test_requests_of_one_kind_are_counted() -> None:
    alike = replace(OUTCOMES, clicked_N=flags("x..xxx"))

    assert "1 of 2 test requests had all or none" in grouped_auc_note(alike)
    assert "0 of 2" in grouped_auc_note(OUTCOMES)


def test_open_windows_are_told_of_clicked_rows_and_of_others() -> None:
    # Clicked are rows 0, 3, 4 with the window of 4 open, unclicked 1, 2, 5 with that of 2 open.
    note = open_windows_note(OUTCOMES.clicked_N, flags("xx.x.x"))

    assert note == (
        "1 of 3 clicked test impressions have a purchase window that is still open: unknown, left "
        "out of conversion figures. With 1 of 3 that nobody clicked, whose window is open as well, "
        "they are left out of click-and-purchase figures."
    )


def test_what_is_not_forecast_has_no_rows() -> None:
    without = replace(FORECAST, convert_N=np.full(6, nan))

    rows = by_name(impression_rows(OUTCOMES, without, OPTIONS))

    assert {task for task, _ in rows} == {"click"}
    nothing = replace(without, click_N=np.full(6, nan))
    assert impression_rows(OUTCOMES, nothing, OPTIONS) == []


def test_a_test_without_clicks_has_no_conversion() -> None:
    none = replace(OUTCOMES, clicked_N=flags("......"), purchased_N=flags("......"))

    rows = by_name(impression_rows(none, FORECAST, OPTIONS))

    assert "conversion" not in {task for task, _ in rows}
    assert isnan(rows["click", "auc"].value)
    assert rows["click", "auc"].support == 0


def test_reliability_by_hand() -> None:
    click, conversion = reliability(OUTCOMES, FORECAST)

    assert (click.task, conversion.task) == ("click", "conversion")
    assert sum(click.count) == 6
    mean = np.average(click.predicted, weights=click.count)
    assert mean == pytest.approx(FORECAST.click_N.mean())
    assert np.average(click.observed, weights=click.count) == pytest.approx(3 / 6)
    assert sum(conversion.count) == 2


def examples_of(item: str, position: str, clicked: str, purchased: str) -> Examples:
    """One request that showed all this."""
    size = len(item)
    one = ints(0)
    return Examples(
        one, one, one, one, one - 1, one,
        ints(0, size), ints(*map(int, item)), ints(*map(int, position)),
        flags(clicked), flags(purchased), np.ones(size, bool), np.ones(size, np.float32),
        ints(0, 0), ints(), np.ones(size, np.float32), np.ones(0, np.float32), one - 1, one,
    )  # fmt: skip


def test_item_and_position_rates_by_hand(prepared_sample: PreparedShop) -> None:
    # Item 0: shown 3 times, clicked twice; item 1: once, not. Place 1: 2 of 2; place 2: 0 of 2.
    training = examples_of("0001", "1122", "xx..", "x...")

    found = item_rates(prepared_sample, training, OUTCOMES)

    mean, bought = 2 / 4, 1 / 2
    item = [(2 + 20 * mean) / 23, (0 + 20 * mean) / 21, mean]
    place = [nan, (2 + 20 * mean) / 22, (0 + 20 * mean) / 22, mean]
    click = [
        item[i] * place[p] / mean for i, p in zip(OUTCOMES.item_N, OUTCOMES.position_N, strict=True)
    ]
    assert found.click_N == pytest.approx(click)
    # Bought once of two clicks of item 0; nobody clicked another.
    convert = [(1 + 20 * bought) / 22, bought, bought]
    assert found.convert_N == pytest.approx([convert[i] for i in OUTCOMES.item_N])


@pytest.mark.parametrize(
    "training", [examples_of("", "", "", ""), examples_of("01", "12", "..", "..")]
)
def test_rates_of_a_training_without_clicks_are_unknown(
    prepared_sample: PreparedShop, training: Examples
) -> None:
    found = item_rates(prepared_sample, training, OUTCOMES)

    assert np.isnan(found.click_N).all()
    assert np.isnan(found.convert_N).all()
    assert impression_rows(OUTCOMES, found, OPTIONS) == []


@pytest.fixture(scope="module")
def test_part(prepared_sample: PreparedShop) -> Examples:
    moments = prepared_sample.moments
    return examples_between(prepared_sample, moments.test, moments.end)


def test_outcomes_are_the_impressions_in_order(
    prepared_sample: PreparedShop, test_part: Examples
) -> None:
    outcomes = Outcomes.of(test_part)

    shown = prepared_sample.impressions.filter(
        pl.col("request").cast(pl.Int64).is_in(test_part.request_R.tolist())
    )
    found = set(
        zip(
            outcomes.request_N.tolist(),
            outcomes.item_N.tolist(),
            outcomes.position_N.tolist(),
            outcomes.clicked_N.tolist(),
            strict=True,
        )
    )
    assert len(found) == len(outcomes.owner_N) == len(shown)
    assert found == {
        (row["request"], row["item"], row["position"], row["clicked_at"] is not None)
        for row in shown.rows(named=True)
    }
    owner_of = prepared_sample.requests["owner"].to_list()
    assert outcomes.owner_N.tolist() == [owner_of[r] for r in outcomes.request_N.tolist()]


def test_the_oracle_is_the_truth_of_each_impression(
    prepared_sample: PreparedShop, sample_shop: Path, test_part: Examples
) -> None:
    outcomes = Outcomes.of(test_part)
    file = sample_shop / "truth" / "impressions.parquet"

    found = oracle(prepared_sample, file, outcomes)

    truth = {
        (row["request_id"], row["item_id"]): (row["p_click"], row["p_convert_in_window"])
        for row in pl.read_parquet(file).rows(named=True)
    }
    request, item = prepared_sample.requests["request_id"], prepared_sample.items["item_id"]
    for place in (0, 7, len(outcomes.item_N) - 1):
        key = (request[int(outcomes.request_N[place])], item[int(outcomes.item_N[place])])
        assert (found.click_N[place], found.convert_N[place]) == truth[key]
    # Probabilities add up to about as many clicks as there were.
    expected, seen = found.click_N.sum(), outcomes.clicked_N.sum()
    assert abs(expected - seen) < 4 * np.sqrt(expected)


def test_a_truth_of_another_shop_is_refused(
    prepared_sample: PreparedShop, sample_shop: Path, tmp_path: Path, test_part: Examples
) -> None:
    truth = pl.read_parquet(sample_shop / "truth" / "impressions.parquet")
    truth.head(len(truth) - 3).write_parquet(tmp_path / "less.parquet")

    with pytest.raises(DataError, match=r"less\.parquet: 3 test impressions have no row"):
        oracle(prepared_sample, tmp_path / "less.parquet", Outcomes.of(test_part))
