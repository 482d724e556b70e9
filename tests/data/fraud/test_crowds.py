from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from shelfwise.data.fraud.crowds import TAKEN, _by_tenth, crowds, taken_of
from shelfwise.schema.event import EventKind

SHOPPERS, KINDS, ITEMS_OF_KIND = 900, 12, 20
TARGET = KINDS * ITEMS_OF_KIND  # an item that hardly anybody knows


def _shop(seed: int) -> list[tuple[int, int, float]]:
    """Shoppers with two tastes each, better known items more often, and a few returns."""
    rng = np.random.default_rng(seed)
    fame = 1 / (1 + np.arange(ITEMS_OF_KIND))
    rows = []
    for owner in range(SHOPPERS):
        kinds = rng.choice(KINDS, 2, replace=False)
        for _ in range(int(rng.integers(4, 24))):
            item = rng.choice(kinds) * ITEMS_OF_KIND + rng.choice(
                ITEMS_OF_KIND, p=fame / fame.sum()
            )
            rows.append((owner, int(item), float(rng.random() < 0.02)))
        if rng.random() < 0.006:
            rows.append((owner, TARGET, 0.0))
    return rows


def _hired(seed: int, back: float = 0.0) -> list[tuple[int, int, float]]:
    """Sixty who take the target among anything."""
    rng = np.random.default_rng(seed)
    rows = []
    for owner in range(SHOPPERS, SHOPPERS + 60):
        rows += [(owner, int(i), back) for i in rng.choice(TARGET, int(rng.integers(4, 24)))]
        rows.append((owner, TARGET, 0.0))
    return rows


def _taken(rows: list[tuple[int, int, float]]) -> pl.DataFrame:
    taken = pl.DataFrame(rows, schema=list(TAKEN), orient="row").unique(["owner", "item"])
    return taken.with_columns(pl.col("returned").mean().over("owner")).cast(dict(TAKEN))


@pytest.mark.parametrize("seed", [0, 1])
def test_an_honest_shop_has_no_crowd(seed: int) -> None:
    assert crowds(_taken(_shop(seed))).is_empty()


@pytest.mark.parametrize("back", [0.0, 1.0])
def test_who_is_hired_for_an_item_is_found_and_hardly_anybody_else(back: float) -> None:
    found = crowds(_taken(_shop(0) + _hired(0, back)))

    sure = found.filter(pl.col("crowd") >= 0.5)["id"].to_numpy()
    assert (sure >= SHOPPERS).sum() >= 54
    # Some of those who took the item unpaid, of whom there are five or six, stand with the others.
    assert (sure < SHOPPERS).sum() <= 8
    assert found["crowd"].is_between(0, 1, closed="right").all()
    assert found["crowd_text"].str.contains("in the same tenth of all by how").all()


def test_items_that_one_took_do_not_hide_a_crowd() -> None:
    alone = [(owner, 1_000 + owner, 0.0) for owner in range(SHOPPERS + 60)]

    found = crowds(_taken(_shop(0) + _hired(0) + alone))

    assert found["crowd"].is_not_nan().all()
    assert (found.filter(pl.col("crowd") >= 0.5)["id"] >= SHOPPERS).sum() >= 54


def test_the_order_of_rows_does_not_matter() -> None:
    taken = _taken(_shop(0) + _hired(0))

    found = crowds(taken)

    for seed in range(3):
        assert found.equals(crowds(taken.sample(fraction=1, shuffle=True, seed=seed)))
    assert found["id"].is_sorted()


def test_nobody_is_in_a_crowd_of_nothing() -> None:
    nobody = crowds(pl.DataFrame(schema=TAKEN))

    assert nobody.is_empty()
    assert nobody.columns == ["id", "crowd", "crowd_text"]


def test_what_is_taken_is_what_was_done_on_purpose() -> None:
    rows = [
        ("impression", 1, 5), ("search", 1, None), ("click", 1, 5), ("purchase", 1, 5),
        ("return", 1, 5), ("view", 1, 6), ("return", 1, 7), ("impression", 2, 6),
    ]  # fmt: skip
    assert {kind for kind, *_ in rows} <= {kind.value for kind in EventKind}
    events = pl.DataFrame(rows, schema=["event", "owner", "item"], orient="row")

    # Item 7 came back, and nobody saw it leave.
    assert taken_of(events).sort("item").rows() == [(1, 5, 0.5), (1, 6, 0.5)]


def test_what_is_expected_of_few_takers_is_no_matter_of_one_item() -> None:
    # Of 41 items of 30 takers 20 have one of them in the last tenth, all others are in the first.
    last_O = [n >= 21 and taker == 0 for n in range(41) for taker in range(30)]
    placed = pl.DataFrame(
        {
            "item": np.repeat(np.arange(41), 30),
            "fame": pl.Series([9 if last else 0 for last in last_O], dtype=pl.Int8),
        }
    )

    told = _by_tenth(placed, "fame").filter(pl.col("tenth") == 9)

    # The middle half of these shares, at its five places: 0, 0, 0, 1 / 30, 1 / 30. A tenth of what
    # all 41 have comes on top, and shares sum to one: 30 (.4 / 30 + .1 * 20 / 41 / 30) / 1.1.
    (expected,) = told.filter(pl.col("item") == 20)["expected"]
    assert expected == pytest.approx((0.4 + 0.1 * 20 / 41) / 1.1)
