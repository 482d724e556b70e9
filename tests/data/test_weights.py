"""Weights by the effective number of samples: by hand, and as laws over random rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shelfwise.data.weight_options import WeightOptions
from shelfwise.data.weights import trust_in, weigh, weight_effect, with_weights
from shelfwise.schema.event import EventKind


def rows_of(told: list[tuple[int, int, str, bool]]) -> pl.DataFrame:
    schema = {"owner": pl.Int64, "item": pl.Int64, "kind": pl.String, "train": pl.Boolean}
    return pl.DataFrame(told, schema=schema, orient="row")


def options_of(**told: Any) -> WeightOptions:
    return WeightOptions.model_validate(told)


def test_one_side_by_hand() -> None:
    # beta = 1/2: item 0 has two training rows, E = 1 + 1/2 = 3/2; item 1 has one, E = 1.
    # Raw weights 2/3, 2/3, 1, mean 7/9: scaled 6/7, 6/7, 9/7. The row of item 2 comes after
    # training, and item 2 weighs like an item with one row; item 0's later row is not counted.
    before = [(0, 0, "view", True), (1, 0, "view", True), (2, 1, "view", True)]
    rows = rows_of([*before, (0, 2, "view", False), (5, 0, "view", False)])

    found = weigh(rows, options_of(sides=["item"], beta=0.5, clip=[0.1, 9]))

    assert found.dtype == pl.Float32
    assert found.to_list() == pytest.approx([6 / 7, 6 / 7, 9 / 7, 9 / 7, 6 / 7])


def test_sides_multiply() -> None:
    # Owner 0 has three rows, E = 7/4, owner 1 one. Item 0: two rows, E = 3/2; item 1: E = 3/2.
    rows = rows_of([(0, 0, "view", True), (0, 1, "view", True), (0, 0, "view", True)])
    rows = rows.vstack(rows_of([(1, 1, "view", True)]))

    found = weigh(rows, options_of(sides=["user", "item"], beta=0.5, clip=[0.1, 9])).to_numpy()

    # Item sides are equal; the owner's are 4/7, 4/7, 4/7, 1 with mean 19/28.
    assert found == pytest.approx(np.array([4 / 7, 4 / 7, 4 / 7, 1]) * 28 / 19)


def test_clipped_and_still_of_mean_one() -> None:
    # beta = 0.999999 is inverse frequency: ten rows of item 0 and one of item 1 weigh 1 : 10.
    # Unclipped .55 and 5.5; the bound of 2 leaves 11 - 2 = 9 for ten rows: .9 each.
    rows = rows_of([(0, 0, "view", True)] * 10 + [(0, 1, "view", True)])

    found = weigh(rows, options_of(sides=["item"], beta=0.999999, clip=[0.1, 2])).to_list()

    assert found == pytest.approx([0.9] * 10 + [2])


def test_behaviours_have_a_beta_and_a_strength() -> None:
    rows = rows_of([(0, 0, "click", True)] * 3 + [(0, 0, "purchase", True)])

    # behaviour_beta = 1/2: clicks E = 7/4, a purchase 1: raw 4/7, 1; times 7/2 for the purchase.
    told = {"sides": ["behaviour"], "behaviour_beta": 0.5, "clip": [0.01, 99]}
    found = weigh(rows, options_of(**told, strengths={"purchase": 3.5})).to_numpy()

    raw = np.array([4 / 7, 4 / 7, 4 / 7, 3.5])
    assert found == pytest.approx(raw / raw.mean())
    alone = weigh(rows, options_of(sides=[], strengths={"purchase": 3}, clip=[0.01, 99]))
    assert alone.to_list() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])


def test_switched_off_or_without_training_all_weigh_one() -> None:
    rows = rows_of([(0, 0, "view", True), (0, 1, "view", True), (1, 0, "view", True)])

    assert weigh(rows, options_of(sides=[])).to_list() == [1, 1, 1]
    assert weigh(rows, options_of(sides=["item"], beta=0)).to_list() == [1, 1, 1]
    later = rows.with_columns(train=False)
    assert weigh(later, options_of(strengths={"view": 2})).to_list() == [1, 1, 1]
    assert weigh(rows.clear(), options_of()).to_list() == []


# Other processes may hold the cores: a slow example says nothing.
BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ROWS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, 5),
        st.sampled_from(["view", "click", "purchase"]),
        st.booleans(),
    ),
    max_size=60,
)
OPTIONS = st.builds(
    lambda sides, beta, low, high, strength: options_of(
        sides=sides, beta=beta, clip=[low, high], strengths={"click": strength}
    ),
    st.lists(st.sampled_from(["user", "item", "behaviour"]), unique=True),
    st.one_of(st.floats(0, 0.9999), st.just(0.999999999)),
    st.floats(0.001, 1),
    st.floats(1, 100),
    st.floats(0.01, 100),
)


@BUSY
@given(ROWS, OPTIONS)
def test_mean_one_within_the_bounds_and_never_turned_round(
    told: list[tuple[int, int, str, bool]], options: WeightOptions
) -> None:
    rows = rows_of(told)

    found = weigh(rows, options).to_numpy().astype(np.float64)

    train = rows["train"].to_numpy()
    if train.any():
        assert found[train].mean() == pytest.approx(1, abs=3e-7)  # what float32 can say
        low, high = options.clip
        assert (found >= np.float32(low)).all()
        assert (found <= np.float32(high)).all()
    # Rows after training change nothing of the weights before.
    before = weigh(rows.filter("train"), options).to_numpy()
    assert np.array_equal(before, found[train].astype(np.float32))


@BUSY
@given(ROWS, OPTIONS, st.randoms())
def test_the_order_of_rows_does_not_matter(
    told: list[tuple[int, int, str, bool]], options: WeightOptions, random: Any
) -> None:
    order = list(range(len(told)))
    random.shuffle(order)

    found = weigh(rows_of(told), options).to_numpy()

    shuffled = weigh(rows_of([told[place] for place in order]), options).to_numpy()
    assert np.array_equal(shuffled, found[order])


def test_a_clip_without_the_mean_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"clip \(0.1, 0.9\) must hold 1"):
        options_of(clip=[0.1, 0.9])


def tables() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    requests = pl.DataFrame({"owner": [0, 0, 1], "part": ["train", "train", "test"]})
    impressions = pl.DataFrame(
        {"request": [0, 0, 1, 2], "item": [0, 1, 0, 1]}, schema_overrides={"request": pl.UInt32}
    )
    positives = pl.DataFrame(
        {"request": [0, 1, 1, 2], "item": [0, 0, 1, 3], "kind": ["click", "purchase"] * 2}
    )
    return impressions, positives, requests


def test_tables_get_their_own_weights() -> None:
    impressions, positives, requests = tables()
    options = options_of(
        sides=["item"], beta=0.5, clip=[0.01, 99], strengths={EventKind.PURCHASE: 2}
    )

    shown, matched = with_weights(impressions, positives, requests, options)

    # Training impressions: item 0 twice (2/3 each), item 1 once (1), mean 7/9.
    assert shown["weight"].to_list() == pytest.approx([6 / 7, 9 / 7, 6 / 7, 9 / 7])
    # Training positives: item 0 twice, once as a purchase (2/3, 4/3), item 1 once (1), mean 1; then
    # item 3, never seen in training, as a purchase.
    assert matched["weight"].to_list() == pytest.approx([2 / 3, 4 / 3, 1, 2])
    assert shown.drop("weight").equals(impressions)
    assert matched.drop("weight").equals(positives)


def test_flagged_rows_weigh_nothing_and_are_not_counted() -> None:
    impressions, positives, requests = tables()
    trust = pl.Series([0.0, 1.0, 1.0], dtype=pl.Float32)

    shown, matched = with_weights(
        impressions, positives, requests, options_of(sides=["item"]), trust
    )

    # Without request 0's rows item 0 has one training row, item 1 none.
    assert shown["weight"].to_list() == pytest.approx([0, 0, 1, 1])
    assert matched["weight"].to_list() == pytest.approx([0, 1, 1, 1])


def test_half_believed_rows_weigh_half_and_are_counted() -> None:
    impressions, positives, requests = tables()
    trust = pl.Series([0.5, 1.0, 1.0], dtype=pl.Float32)

    shown, _ = with_weights(
        impressions, positives, requests, options_of(sides=["item"], beta=0.5), trust
    )

    # As if all were believed: item 0 twice (2/3 each), item 1 once (1), mean 7/9; then half.
    assert shown["weight"].to_list() == pytest.approx([3 / 7, 4.5 / 7, 6 / 7, 9 / 7])


def test_who_is_believed_how_far() -> None:
    requests = pl.DataFrame(
        {
            "fraud": pl.Series(["owner: too fast", None, None, None]),
            "suspicion": pl.Series([0.75, 0.25, 0.125, 0.0], dtype=pl.Float32),
        }
    )

    assert trust_in(requests, None).to_list() == [0, 1, 1, 1]
    assert trust_in(requests, 0.2).to_list() == [0, 0.75, 1, 1]
    assert trust_in(requests, 0.125).to_list() == [0, 0.75, 0.875, 1]
    assert trust_in(requests, 0.2, flagged_too=True).to_list() == [1, 0.75, 1, 1]


def test_effect_on_head_and_tail_by_hand() -> None:
    # Five items: the head is one, with 4 of 8 rows and 2 of 8 weights. Owner 0 of two has all but
    # one row, and two fifths of two owners is one.
    rows = pl.DataFrame(
        {
            "owner": [0] * 7 + [1],
            "item": [7, 7, 7, 7, 1, 2, 3, 4],
            "weight": [0.5, 0.5, 0.5, 0.5, 1.5, 1.5, 1.5, 1.5],
        }
    )

    found = weight_effect(rows)

    assert found.rows() == [
        ("item", "head", 1, 4, 0.5, 0.25),
        ("item", "tail", 4, 4, 0.5, 0.75),
        ("owner", "head", 1, 7, 7 / 8, 6.5 / 8),
        ("owner", "tail", 1, 1, 1 / 8, 1.5 / 8),
    ]
    assert weight_effect(rows.clear()).is_empty()
