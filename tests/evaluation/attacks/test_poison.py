from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from shelfwise.evaluation.attacks.poison import RECIPES, Poison, Recipe, poisoned
from shelfwise.schema.errors import DataError

START = datetime(2025, 1, 1, tzinfo=UTC)


def _log(seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(100):
        for visit in range(int(rng.integers(1, 4))):
            at = START + timedelta(days=float(rng.uniform(0, 30)))
            for item in rng.choice(60, int(rng.integers(2, 9)), replace=False) ** 2 // 60:
                rows.append(
                    ("purchase", f"u{user}", f"u{user}-{visit}", f"i{item}", at, float(item))
                )
    names = ["event", "user_id", "session_id", "item_id", "timestamp", "price"]
    return pl.DataFrame(rows, schema=names, orient="row")


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_every_fake_pushes_every_target_and_real_rows_stay(recipe: Recipe) -> None:
    log = _log()

    found = poisoned(log, Poison(recipe, 0.1, targets=2))

    assert found.events.head(len(log)).equals(log)
    fakes = found.events.slice(len(log)).filter(pl.col("event") == "purchase")
    assert set(fakes["user_id"]) == set(found.users)
    assert len(found.users) == 10
    pushed = fakes.filter(pl.col("item_id").is_in(found.targets))
    assert pushed.group_by("user_id").agg(pl.col("item_id").n_unique())["item_id"].to_list() == (
        [2] * 10
    )
    buyers = log.filter(pl.col("item_id").is_in(found.targets)).group_by("item_id")
    assert buyers.agg(pl.col("user_id").n_unique())["user_id"].is_between(3, 20).all()
    # A price is the item's, which here is its number.
    assert (fakes["price"] == fakes["item_id"].str.slice(1).cast(pl.Float64)).all()


def test_a_fake_comes_when_others_came_and_takes_as_much_as_somebody_did() -> None:
    log = _log()

    found = poisoned(log, Poison("random", 0.1, targets=1, days=10))

    fakes = found.events.slice(len(log))
    assert fakes["timestamp"].min() >= log["timestamp"].max() - timedelta(days=10)
    visits = fakes.group_by("session_id").agg(pl.col("timestamp").min())["timestamp"]
    assert set(visits) <= set(log["timestamp"])
    sizes = log.group_by("user_id").len()["len"]
    hidden = fakes.filter(~pl.col("item_id").is_in(found.targets)).group_by("user_id").len()["len"]
    assert set(hidden) <= set(sizes)


def test_recipes_differ_in_what_they_hide_among() -> None:
    log = _log()
    known = log.group_by("item_id").agg(pl.col("user_id").n_unique()).sort("user_id")
    best = set(known.tail(3)["item_id"])

    def hidden(recipe: Recipe) -> pl.DataFrame:
        found = poisoned(log, Poison(recipe, 0.1, targets=1))
        return found.events.slice(len(log)).filter(~pl.col("item_id").is_in(found.targets))

    assert set(hidden("bandwagon")["item_id"]) <= best
    assert len(set(hidden("random")["item_id"])) > 20
    kinds = hidden("love and hate").group_by("event").len().sort("event")
    assert kinds["len"][0] == kinds["len"][1]  # each purchase goes back
    sales = poisoned(log, Poison("fake sales", 0.1, targets=1))
    back = sales.events.slice(len(log)).filter(pl.col("event") == "return")
    assert set(back["item_id"]) == set(sales.targets)


def test_the_seed_decides_everything() -> None:
    one, other = (poisoned(_log(), Poison("random", seed=3)) for _ in range(2))

    assert one.events.equals(other.events)
    assert poisoned(_log(), Poison("random", seed=4)).targets != one.targets


def test_what_cannot_be_poisoned_is_said() -> None:
    shown = _log().with_columns(pl.lit("impression").alias("event"))
    with pytest.raises(DataError, match="has impressions"):
        poisoned(shown, Poison("random"))
    with pytest.raises(DataError, match="lacks item_id"):
        poisoned(_log().drop("item_id"), Poison("random"))
    with pytest.raises(DataError, match="items have 3 to 20 buyers; 500 are to be pushed"):
        poisoned(_log(), Poison("random", targets=500))


def _small(users: int = 30, items: int = 12) -> pl.DataFrame:
    rng = np.random.default_rng(1)
    rows = [
        ("purchase", f"u{user}", f"v{user}", f"i{item}", START + timedelta(hours=user))
        for user in range(users)
        for item in rng.choice(items, 3, replace=False)
    ]
    names = ["event", "user_id", "session_id", "item_id", "timestamp"]
    return pl.DataFrame(rows, schema=names, orient="row")


@pytest.mark.parametrize("seed", range(8))
def test_fakes_hide_in_a_small_shop_whose_best_seller_is_pushed(seed: int) -> None:
    found = poisoned(_small(), Poison("bandwagon", 0.2, seed=seed))

    fakes = found.events.tail(-90)
    hidden = fakes.filter(~pl.col("item_id").is_in(found.targets))
    assert hidden.group_by("user_id").len()["len"].to_list() == [3] * 6


def test_nothing_is_left_to_hide_among() -> None:
    log = _small(items=5).filter(pl.col("user_id").str.slice(1).cast(pl.Int64) < 20)
    with pytest.raises(DataError, match=r"all 5 items of the log are to be pushed.*push fewer"):
        poisoned(log, Poison("random", 0.1))


def test_what_a_fake_would_copy_is_known_or_refused() -> None:
    log = _small().with_columns(
        pl.when(pl.int_range(pl.len()) < 6).then(None).otherwise("session_id").alias("session_id"),
        pl.when(pl.int_range(pl.len()) == 9).then(None).otherwise("timestamp").alias("timestamp"),
    )
    with pytest.raises(DataError, match=r"90 purchases .*: session_id in 6, timestamp in 1; leave"):
        poisoned(log, Poison("random", 0.1))
