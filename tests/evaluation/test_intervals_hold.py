"""Intervals of `evaluate` hold the true value as often as they say, on small sample shops.

A shop is a world's catalogue with a few of its shoppers; the truth is what all its shoppers give.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.storefront import open_storefront
from shelfwise.data.sample_shop.tables import FirstNumbers, log_table
from shelfwise.data.sample_shop.traffic import simulate
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.impressions import Forecast, Outcomes, impression_rows
from shelfwise.metrics.bootstrap import Interval, bootstrap_interval, bootstrap_sums
from shelfwise.metrics.graded_ndcg import graded_ndcg_at_k
from shelfwise.metrics.value import ratio

SHOPPERS = 60  # of a shop: about 4,000 impressions and 300 clicks


class World(NamedTuple):
    """Impressions of thousands of shoppers, sorted by shopper."""

    request_N: np.ndarray
    p_N: np.ndarray  # the generator's own probability of a click
    forecast_N: np.ndarray  # a forecast that is not the truth
    start_U1: np.ndarray

    def shop(self, shoppers: np.ndarray, random: np.random.Generator) -> tuple[Outcomes, Forecast]:
        """These shoppers' impressions with clicks drawn anew; who stands twice is two."""
        rows = [np.arange(self.start_U1[u], self.start_U1[u + 1]) for u in shoppers]
        row_N, owner_N = np.concatenate(rows), np.repeat(np.arange(len(rows)), [*map(len, rows)])
        clicked_N = random.random(len(row_N)) < self.p_N[row_N]
        zeros, none = np.zeros(len(row_N), np.int64), np.zeros(len(row_N), bool)
        request_N = owner_N * (1 + self.request_N.max()) + self.request_N[row_N]
        outcomes = Outcomes(owner_N, request_N, zeros, zeros, clicked_N, none, none)
        silent = np.full(len(row_N), np.nan)
        return outcomes, Forecast("forecast", self.forecast_N[row_N], silent)


@pytest.fixture(scope="module")
def world() -> World:
    options = SampleOptions(users=6_000, items=300, days=30)
    random = np.random.default_rng(0)
    front = open_storefront("en", options.users, options.items, options, random)
    shown = (
        log_table(simulate(front, options, random), FirstNumbers())
        .filter(pl.col("p_click").is_not_null())
        .sort("user_id", "page")
    )
    _, start_U = np.unique(shown["user_id"].to_numpy(), return_index=True)
    p_N = shown["p_click"].to_numpy().astype(np.float64)
    logit_N = np.log(p_N / (1 - p_N)) + random.normal(0, 0.7, len(p_N))
    return World(
        shown["page"].to_numpy().astype(np.int64),
        p_N,
        1 / (1 + np.exp(-logit_N)),
        np.append(start_U, len(shown)),
    )


def found_in(outcomes: Outcomes, forecast: Forecast, draws: int) -> dict[str, Interval]:
    """Every figure that `evaluate` gives an interval of; the calibration error is no such one."""
    options = EvaluateOptions(draws=draws)
    found = {
        row.metric: Interval(row.value, row.low, row.high, row.support)
        for row in impression_rows(outcomes, forecast, options)
        if row.metric != "ece"
    }
    lists = graded_ndcg_at_k(
        forecast.click_N, outcomes.clicked_N.astype(float), outcomes.request_N, k=10
    )
    owner_Q = outcomes.owner_N[np.unique(outcomes.request_N, return_index=True)[1]]
    known_Q = ~np.isnan(lists.ndcg_Q)
    owners = int(outcomes.owner_N.max()) + 1
    total_U = np.bincount(owner_Q[known_Q], lists.ndcg_Q[known_Q], minlength=owners)
    ndcg_U = ratio(total_U, np.bincount(owner_Q[known_Q], minlength=owners))
    found["ndcg"] = bootstrap_interval(ndcg_U, draws=draws, seed=0)
    sums = np.stack([outcomes.clicked_N, np.ones(len(outcomes.clicked_N))], axis=1)
    found["ctr"] = bootstrap_sums(
        lambda drawn: drawn[:, 0] / drawn[:, 1], sums, outcomes.owner_N, draws=draws, seed=0
    )
    return found


def share_that_holds(world: World, shops: int) -> dict[str, float]:
    random = np.random.default_rng(1)
    everybody = np.arange(len(world.start_U1) - 1)
    # A hundred times as many shoppers: wrong by a tenth of a shop's error, which costs the share
    # that holds .1 %.
    whole = found_in(*world.shop(everybody, random), draws=50)
    truth = {name: interval.value for name, interval in whole.items()}
    held: Counter[str] = Counter()
    for _ in range(shops):
        shoppers = random.choice(everybody, SHOPPERS)
        for name, interval in found_in(*world.shop(shoppers, random), draws=400).items():
            held[name] += interval.low <= truth[name] <= interval.high
    return {name: held[name] / shops for name in truth}


METRICS = {"auc", "pr_auc", "log_loss", "ne", "brier", "pcoc", "gauc", "ndcg", "ctr"}


def test_most_of_a_few_intervals_hold_the_truth(world: World) -> None:
    held = share_that_holds(world, 24)

    assert set(held) == METRICS
    # Of 24 intervals at 95 %, 20 or more hold with a chance of 99.4 %.
    assert min(held.values()) >= 20 / 24


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_19_of_20_intervals_hold_the_truth(world: World) -> None:
    held = share_that_holds(world, 500)

    assert {name: share for name, share in held.items() if not 0.92 <= share <= 0.98} == {}
