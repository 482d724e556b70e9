"""A log of users who click more or less by nature, before a test and in it."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl


def two_arms(users: int, lift: float, seed: int = 0) -> pl.DataFrame:
    """Users who click more or less by nature, before the test and in it."""
    random = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for user in range(users):
        nature, arm = random.beta(3, 9), "ab"[user % 2]
        for day, moment in ((1, "before"), (20, "test")):
            rate = nature * (1 + lift * (arm == "b" and moment == "test"))
            for place in range(12):
                row = {"user_id": f"u{user}", "session_id": f"s{user}-{day}", "arm": arm}
                row |= {"timestamp": datetime(2025, 1, day, 8, place, tzinfo=UTC)}
                rows.append(row | {"event": "impression"})
                if random.random() < rate:
                    rows.append(row | {"event": "click"})
    return pl.DataFrame(rows)


START = datetime(2025, 1, 10, tzinfo=UTC)
