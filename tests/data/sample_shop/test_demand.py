from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from shelfwise.data.sample_shop.catalogue import Catalogue
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.demand import Demand
from shelfwise.data.sample_shop.shoppers import Shoppers

DAY_MS = 86_400_000


def test_types_are_drawn_from_drifting_interest_times_season(
    catalogue: Catalogue, shoppers: Shoppers
) -> None:
    number = {row.key: n for n, row in enumerate(catalogue.vocabulary.types)}
    coat, lipstick = number["coat"], number["lipstick"]
    early, late = np.zeros_like(shoppers.early_UT), np.zeros_like(shoppers.late_UT)
    early[:, coat], early[:, lipstick] = 0.5, 0.5
    late[:, coat], late[:, lipstick] = 0.9, 0.1
    made = replace(shoppers, early_UT=early, late_UT=late)
    # Day 10 of the year, the peak of coats, is 10 days into a log that lasts 40.
    options = SampleOptions(days=40, start=datetime(2024, 12, 31, tzinfo=UTC))
    demand = Demand.of(made, catalogue, options)
    draws = 20_000

    drawn = demand.draw(
        np.zeros(draws, dtype=np.int64), np.full(draws, 10 * DAY_MS), np.random.default_rng(0)
    )

    # Interest .75 * .5 + .25 * .9 = .6 and .4; season 1.8 and 1: 1.08 / (1.08 + .4) = .7297.
    # Four standard deviations: 4 sqrt(.73 * .27 / 20000) = .0126. (Day 366 is a leap year's last.)
    assert set(drawn.tolist()) == {coat, lipstick}
    assert (drawn == coat).mean() == pytest.approx(0.7297, abs=0.0126)
