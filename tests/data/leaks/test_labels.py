"""A feature made from the label is found; an honest one, however good, is not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.data.leaks.labels import (
    TOO_GOOD,
    Offered,
    leaks_from_labels,
    single_feature_auc,
)
from shelfwise.data.prepared import PreparedShop

ROWS = 2_000
RNG = np.random.default_rng(0)
BOUGHT = RNG.random(ROWS) < 0.1
NOISE = RNG.normal(size=ROWS)
WORDS = np.array(["red", "blue", "green"])[RNG.integers(0, 3, ROWS)]
SOLD_AT = pl.Series(np.where(BOUGHT, 1_700_000_000 + np.arange(ROWS), None).tolist())

PLANTED = {
    "a copy": pl.Series(BOUGHT.astype(float)),
    "a copy that falls": pl.Series(np.where(BOUGHT, -3, NOISE.clip(-2, 2))),
    "a copy with a little noise": pl.Series(BOUGHT * 8 + NOISE),
    "empty unless bought": SOLD_AT,
    "empty where bought": pl.Series(np.where(BOUGHT, None, NOISE).tolist()),
    "not a number where bought": pl.Series(np.where(BOUGHT, np.nan, NOISE)),
    "in the middle where bought": pl.Series(np.where(BOUGHT, 0, np.sign(NOISE) * (abs(NOISE) + 1))),
    "a word of its own": pl.Series(np.where(BOUGHT, "paid", WORDS)),
    "a truth value": pl.Series(BOUGHT),
    "a category": pl.Series(np.where(BOUGHT, "paid", WORDS), dtype=pl.Categorical),
    "a time": SOLD_AT.cast(pl.Datetime("us")),
}
HONEST = {
    "noise": pl.Series(NOISE),
    "a good feature": pl.Series(BOUGHT * 1.5 + NOISE),
    "words": pl.Series(WORDS),
    # Each value stands once: on the rows it was learned from it would tell everything.
    "an id": pl.Series([f"row {number}" for number in range(ROWS)]),
    "a number of its own": pl.Series(np.arange(ROWS)),
    "always the same": pl.Series(np.ones(ROWS)),
    "always empty": pl.Series([None] * ROWS, dtype=pl.Float64),
    "often empty": pl.Series(np.where(NOISE > 0, None, NOISE).tolist()),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_feature_made_from_the_label_is_found(name: str) -> None:
    rows = pl.DataFrame({"feature": PLANTED[name], "bought": BOUGHT})

    (leak,) = leaks_from_labels(Offered(rows, ("bought",), ("feature",)))

    assert leak.what.startswith("feature 'feature' tells 'bought' by itself (AUC ")
    assert leak.rows == ROWS


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_feature_is_not(name: str) -> None:
    assert single_feature_auc(HONEST[name], BOUGHT) < 0.9


def test_every_feature_of_every_label_is_told_with_its_first_rows() -> None:
    clicked = BOUGHT | (NOISE > 1)
    rows = pl.DataFrame(
        {"value": BOUGHT * 9.5, "noise": NOISE, "bought": BOUGHT, "clicked": clicked}
    )

    found = leaks_from_labels(Offered(rows, ("clicked", "bought"), ("noise", "value")))

    # Clicks are told by no single one of them: the noise above 1 and the purchases together are.
    assert [leak.what.split(" (")[0] for leak in found] == [
        "feature 'value' tells 'bought' by itself"
    ]
    count = int(BOUGHT.sum())
    assert f"AUC 1.0000, {count:,} of 2,000 rows bought" in found[0].what
    first = f"row 0 (value {rows['value'][0]}, bought {str(bool(BOUGHT[0])).lower()})"
    assert found[0].line().split("first: ")[1].startswith(first)


def test_rows_of_unknown_label_are_left_out() -> None:
    # Where the outcome is not known yet the feature tells nothing of it.
    label = pl.Series(np.where(NOISE > 0, BOUGHT, None).tolist())
    rows = pl.DataFrame({"feature": np.where(NOISE > 0, BOUGHT, ~BOUGHT), "bought": label})

    (leak,) = leaks_from_labels(Offered(rows, ("bought",), ("feature",)))

    assert leak.rows == int((NOISE > 0).sum())


def test_without_support_there_is_no_verdict() -> None:
    few = np.arange(ROWS) < 19

    assert single_feature_auc(pl.Series(few), few) == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_features_drawn_apart_from_the_label_pass(seed: int) -> None:
    rng = np.random.default_rng(seed)
    label = rng.random(400) < rng.uniform(0.1, 0.9)
    feature = pl.Series(rng.integers(0, rng.integers(1, 500), 400))

    assert single_feature_auc(feature, label) < TOO_GOOD
    assert single_feature_auc(feature.cast(pl.String), label) < TOO_GOOD


def test_the_sample_shop_passes(prepared_sample: PreparedShop) -> None:
    asked = prepared_sample.requests.with_row_index("request").rename({"at": "asked_at"})
    rows = (
        prepared_sample.impressions.join(asked, on="request")
        .with_columns(clicked=pl.col("clicked_at").is_not_null())
        .join(prepared_sample.items.with_row_index("item"), on="item")
    )
    features = ("position", "surface", "query", "price", "title", "category", "available")

    assert leaks_from_labels(Offered(rows, ("clicked",), features)) == []
    # The very times of the outcomes are what it must find.
    found = leaks_from_labels(Offered(rows, ("clicked",), ("clicked_at",)))
    assert [leak.rows for leak in found] == [len(rows)]
