"""Declared columns: typed, found in some file, and beside the impressions they belong to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from data.small_log import event, prepared_shop, random_events, write_table
from shelfwise.data.config import DataOptions
from shelfwise.data.features.declared import typed_feature
from shelfwise.data.features.options import FeatureOptions
from shelfwise.schema.errors import DataError


def test_numbers_are_read_and_what_is_none_is_missing() -> None:
    told = typed_feature(pl.Series(["1.5", " 2 ", "heavy", "", None, "inf"]), "number")

    assert told.to_list() == [1.5, 2.0, None, None, None, None]
    assert typed_feature(pl.Series([1.0, 2.5]), "category").to_list() == ["1", "2.5"]


@pytest.mark.parametrize("table", ["events", "users", "items"])
def test_a_name_of_our_own_is_refused(table: str) -> None:
    own = {"events": "clicked_at", "users": "owner", "items": "price"}[table]

    with pytest.raises(ValueError, match=f"{own}: Shelfwise has a column of that name already"):
        FeatureOptions.model_validate({table: {own: "number"}})


def test_every_column_that_no_file_has_is_named_with_what_is_near(tmp_path: Path) -> None:
    write_table(
        tmp_path / "shop", "catalogue", [{"item_id": f"i{n}", "wight": n} for n in range(5)]
    )
    rows = [
        row | {"device": "phone", "screen": "big"} for row in random_events(0, impressions=True)
    ]
    features = {
        "events": {"devise": "category", "screen": "number"},
        "items": {"weight": "number"},
        "users": {"age": "number"},
    }

    with pytest.raises(DataError) as caught:
        prepared_shop(tmp_path, rows, features=features)

    assert str(caught.value).splitlines() == [
        "[features] in shop.toml:",
        "  events.devise: no file has such a column; did you mean device?",
        f"  events.screen: declared a number, and none of its {len(rows)} values is one; "
        'declare it "category" or "text"',
        "  users.age: no file has such a column; found none, for there is no such file",
        "  items.weight: no file has such a column; did you mean wight?",
    ]


def test_what_differs_within_a_request_stands_beside_its_impressions(tmp_path: Path) -> None:
    rows = [event("view", "u0", 0, "i0"), event("view", "u0", 99, "i0")]
    for place, (distance, device) in enumerate((("1.5", "phone"), ("far", "phone"))):
        rows.append(
            event("impression", "u0", 5, f"i{place}", request_id="r", position=place + 1)
            | {"distance": distance, "device": device}
        )
    options = {"features": {"events": {"distance": "number", "device": "category"}}}

    shop = prepared_shop(tmp_path, rows, **options)

    assert shop.impressions.select("item", "distance", "device").rows() == [
        (0, 1.5, "phone"),
        (1, None, "phone"),
    ]
    named = shop.requests.filter(pl.col("request_id") == "r")
    assert named["device"].to_list() == ["phone"]
    # What could not be read as a number is not dropped in silence.
    assert shop.manifest.facts["features"]["not_numbers"] == {"events.distance": 1}
    assert shop.impressions.schema["distance"] == pl.Float64
    assert DataOptions.model_validate(options).features.statistics


def test_columns_of_items_are_typed(tmp_path: Path) -> None:
    catalogue = [
        {"item_id": f"i{n}", "weight": w} for n, w in enumerate(("1", "2.5", "", "4", "5"))
    ]
    write_table(tmp_path / "shop", "catalogue", catalogue)

    shop = prepared_shop(
        tmp_path, random_events(0, impressions=False), features={"items": {"weight": "number"}}
    )

    assert shop.items["weight"].to_list() == [1, 2.5, None, 4, 5]


def test_neither_order_nor_groups_decide_what_stands_beside_an_impression(tmp_path: Path) -> None:
    # The same impression twice in one request, told apart by a feature alone: one of them stays.
    rng = np.random.default_rng(0)
    rows = [
        row | {"distance": int(rng.integers(3))}
        for row in random_events(4, impressions=True)
        for _ in range(2)
    ]
    options = {"features": {"events": {"distance": "number"}}}
    shuffled = [rows[place] for place in rng.permutation(len(rows))]

    one = prepared_shop(tmp_path / "one", rows, **options)
    other = prepared_shop(tmp_path / "other", shuffled, **options, memory={"rows_together": 20})

    for name in ("impressions", "features", "requests", "vocabularies"):
        written = [(shop.folder / f"{name}.parquet").read_bytes() for shop in (one, other)]
        assert written[0] == written[1]
