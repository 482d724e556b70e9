from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from shelfwise.data.sample_shop.catalogue import shop_vocabulary
from shelfwise.data.sample_shop.seasons import _IN_THE_WEEK, _IN_THE_YEAR, Seasons

DAY_MS = 86_400_000
WORDS = shop_vocabulary("zh", 2)
NUMBER = {row.key: n for n, row in enumerate(WORDS.types)}


def test_seasons_by_hand() -> None:
    # The log begins on Thursday, 10 July 2025, day 191 of the year.
    seasons = Seasons(WORDS, datetime(2025, 7, 10, tzinfo=UTC))

    def at(key: str, day: int) -> float:
        return float(seasons.of(np.array([NUMBER[key]]), np.array([day * DAY_MS + 5]))[0])

    # Sunscreen peaks on day 190: 1 + .9 cos(2 pi / 365.25) and half a year later 1 - .9.
    assert at("sunscreen", 0) == pytest.approx(1.9, abs=0.001)
    assert at("sunscreen", 182) == pytest.approx(0.1, abs=0.001)
    # Coats peak on day 10, 181 days from day 191: 1 + .8 cos(2 pi 181 / 365.25) = .2.
    assert at("coat", 0) == pytest.approx(0.2, abs=0.001)
    # Pasta peaks on Fridays: 1.2, and three days later 1 + .2 cos(6 pi / 7) = .82.
    assert at("pasta", 1) == pytest.approx(1.2)
    assert at("pasta", 4) == pytest.approx(0.8198, abs=0.0001)
    assert at("lipstick", 33) == 1


def test_every_season_belongs_to_a_type_and_is_never_negative() -> None:
    assert set(_IN_THE_YEAR) | set(_IN_THE_WEEK) <= set(NUMBER)
    seasons = Seasons(WORDS, datetime(2025, 1, 1, tzinfo=UTC))
    kinds, days = np.arange(len(WORDS.types))[:, None], DAY_MS * np.arange(730)[None, :]

    wanted = seasons.of(kinds, days)

    assert wanted.min() > 0
    assert wanted.max() <= seasons.highest
    assert wanted.mean(axis=1) == pytest.approx(1, abs=0.02)
