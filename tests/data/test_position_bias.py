from __future__ import annotations

from dataclasses import replace
from math import isnan, nan
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shelfwise.data.position_bias import (
    FEWEST_CLICKS,
    PositionCurve,
    ShownRows,
    position_curve,
    position_curves,
)
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.generate import write_sample_shop


def _drawn(seed: int, relative: list[float], requests: int = 4_000, items: int = 40) -> ShownRows:
    """Lists drawn slot by slot from a softmax that prefers relevant items (Plackett-Luce)."""
    random = np.random.default_rng(seed)
    relevance_V = random.beta(1, 5, items)
    score_V = 3 * relevance_V
    places = len(relative)
    noise_RV = random.gumbel(size=(requests, items))
    item_RK = np.argsort(-(score_V + noise_RV), axis=1)[:, :places]
    weight_RK = np.exp(score_V)[item_RK]
    left_RK = np.exp(score_V).sum() - np.cumsum(weight_RK, axis=1) + weight_RK
    p_RK = relevance_V[item_RK] * np.array(relative)
    return ShownRows(
        position_N=np.tile(np.arange(1, places + 1), requests),
        item_N=item_RK.ravel(),
        query_N=np.full(item_RK.size, -1),
        propensity_N=(weight_RK / left_RK).ravel(),
        clicked_N=random.random(item_RK.size) < p_RK.ravel(),
        owner_N=np.repeat(np.arange(requests) // 4, places),
    )


def _rows(cells: list[tuple[int, int, int, int]]) -> ShownRows:
    """Rows from ``(item, place, shown, clicked)``, all drawn with the same propensity."""
    item, place, clicked = (
        np.concatenate([make(cell) for cell in cells])
        for make in (
            lambda cell: np.full(cell[2], cell[0]),
            lambda cell: np.full(cell[2], cell[1]),
            lambda cell: np.arange(cell[2]) < cell[3],
        )
    )
    count = len(item)
    return ShownRows(
        place, item, np.full(count, -1), np.full(count, 0.1), clicked, np.arange(count)
    )


def test_two_places_by_hand() -> None:
    # Item 1: 1000 shown at place 1 with 400 clicks, 1000 at place 2 with 200: half as often.
    # Item 2: 1000 at place 1 with 200 clicks, 3000 at place 2 with 300: half as often.
    # Counted together by place, 600 of 2000 against 500 of 4000: .125 / .3 = .417, which is the
    # bad item's doing. The randomised estimate has that value too (its propensities say that each
    # row was as likely as any other), so the two are mixed; swaps alone would give .5.
    rows = _rows([(1, 1, 1000, 400), (1, 2, 1000, 200), (2, 1, 1000, 200), (2, 2, 3000, 300)])

    curve = position_curve("search", rows)

    assert 0.417 < curve.measured_K[1] <= 0.5
    assert curve.measured_K[0] == 1
    assert curve.shown_K == [2000, 4000]
    assert curve.clicks_K == [600, 500]


def test_of_items_in_equal_shares_the_rates_are_the_curve() -> None:
    # 1000 each at either place: (300 + 60) / (500 + 100) = .6, by both ways to count.
    rows = _rows([(1, 1, 1000, 500), (1, 2, 1000, 300), (2, 1, 1000, 100), (2, 2, 1000, 60)])

    curve = position_curve("search", rows)

    assert curve.measured_K[1] == pytest.approx(0.6)
    assert curve.relative_K[1] == pytest.approx(0.6)
    assert curve.decay == pytest.approx(-np.log(0.6) / np.log(2))
    assert curve.randomised_K == pytest.approx([600, 360])


@pytest.mark.parametrize("seed", range(4))
def test_the_curve_is_found_where_the_raw_rates_are_not(seed: int) -> None:
    true = [1.0, 0.8, 0.5, 0.45, 0.2]  # no power law
    rows = _drawn(seed, true)

    curve = position_curve("search", rows)

    assert curve.relative_K == pytest.approx(true, rel=0.15)
    bounds = zip(curve.low_K, curve.relative_K, curve.high_K, strict=True)
    assert all(low <= found <= high for low, found, high in bounds)
    raw = np.bincount(rows.position_N, rows.clicked_N)[1:]
    assert abs(raw[4] / raw[0] - true[4]) > 1.5 * abs(curve.relative_K[4] - true[4])


def test_19_of_20_intervals_hold_the_truth() -> None:
    true = [1.0, 0.7, 0.5, 0.4]
    curves = [position_curve("search", _drawn(seed, true, requests=2_000)) for seed in range(60)]

    held = [
        low <= true[place] <= high
        for curve in curves
        for place, (low, high) in enumerate(zip(curve.low_K, curve.high_K, strict=True))
        if place
    ]

    # 180 intervals, three of a draw resembling each other: .95 -+ about three standard errors.
    assert 0.89 <= np.mean(held) <= 0.995


def test_what_a_row_says_does_not_depend_on_its_place_in_the_log() -> None:
    rows = _drawn(1, [1.0, 0.5], requests=1_000)
    order = np.random.default_rng(0).permutation(len(rows.item_N))
    shuffled = ShownRows(*(getattr(rows, name)[order] for name in ShownRows.__slots__))

    one, other = position_curve("search", rows), position_curve("search", shuffled)

    assert one.relative_K == pytest.approx(other.relative_K, rel=1e-9)
    assert one.low_K == pytest.approx(other.low_K, rel=1e-9)


def test_too_few_clicks_are_refused_in_a_sentence() -> None:
    curve = position_curve("ads", _drawn(0, [1.0, 0.5], requests=60))

    assert curve.position_K == []
    assert "ads" in curve.sentence
    assert str(FEWEST_CLICKS) in curve.refused
    assert isnan(curve.relative_at(np.array([1]))[0])


def test_a_log_that_showed_nothing_at_random_is_refused(prepared_sample: PreparedShop) -> None:
    for propensity, word in ((1.0, "at random"), (None, "propensity")):
        column = pl.lit(propensity, pl.Float64).alias("propensity")
        shop = replace(
            prepared_sample, impressions=prepared_sample.impressions.with_columns(column)
        )
        for curve in position_curves(shop):
            assert word in curve.refused


def test_places_beyond_the_curve_are_like_its_last() -> None:
    curve = PositionCurve(
        "ads",
        [1, 2, 3],
        [1.0, 0.5, nan],
        *([[1.0, 0.5, nan]] * 3),
        [9, 9, 9],
        [9, 9, 0],
        [9.0] * 3,
        1,
    )

    found = curve.relative_at(np.array([1, 2, 3, 7, 0]))

    assert found[:4].tolist() == [1, 0.5, 0.5, 0.5]
    assert isnan(found[4])


_DECAY = {"search": 0.7, "recommendation": 0.45, "ads": 0.5}  # data/sample_shop/outcomes.py
_SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2, 3))]


@pytest.mark.parametrize("seed", _SEEDS)
def test_within_a_tenth_of_the_sample_shops_truth(seed: int, tmp_path: Path) -> None:
    """Wherever a place and the first are worth 800 randomised clicks."""
    write_sample_shop(tmp_path, SampleOptions(items=2_000, days=60 if seed else 40, seed=seed))
    log = pl.read_parquet(tmp_path / "events.parquet")
    pair = ["request_id", "item_id"]
    clicked = log.filter(pl.col("event") == "click").select(pair).unique()
    typed = log.filter(pl.col("event") == "search").select("request_id", searched="query")
    shown = (
        log.filter(pl.col("event") == "impression")
        .join(typed, on="request_id", how="left")
        .join(clicked.with_columns(clicked=True), on=pair, how="left")
    )
    judged = 0
    for surface, decay in _DECAY.items():
        rows = shown.filter(pl.col("surface") == surface).sort(pair)
        number = {
            name: rows[name].fill_null("").rank("dense").cast(pl.Int64).to_numpy()
            for name in ("item_id", "searched", "user_id")
        }
        curve = position_curve(
            surface,
            ShownRows(
                position_N=rows["position"].cast(pl.Int64).to_numpy(),
                item_N=number["item_id"],
                query_N=number["searched"],
                propensity_N=rows["propensity"].to_numpy(),
                clicked_N=rows["clicked"].fill_null(False).to_numpy(),
                owner_N=number["user_id"],
            ),
        )
        for place, worth in zip(curve.position_K, curve.randomised_K, strict=True):
            if min(worth, curve.randomised_K[0]) >= 800:
                assert curve.relative_K[place - 1] == pytest.approx(place**-decay, rel=0.1)
                judged += place > 1
    assert judged >= 2
