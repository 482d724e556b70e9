from __future__ import annotations

import polars as pl

from shelfwise.data.item_groups import item_groups


def test_groups_are_numbered_by_name_and_none_is_none() -> None:
    items = pl.DataFrame(
        {
            "category": ["Home > Mugs", "Art", None, "Home > Mugs"],
            "brand": [None, "b", "a", "b"],
        },
        schema={"category": pl.String, "brand": pl.String},
    )

    # Categories in order: Art 0, Home > Mugs 1. Brands: a 0, b 1.
    assert item_groups(items).tolist() == [[1, -1], [0, 1], [-1, 0], [1, 1]]


def test_a_shop_without_categories_has_no_groups() -> None:
    items = pl.DataFrame(schema={"category": pl.String, "brand": pl.String})

    assert item_groups(items).shape == (0, 2)
    assert item_groups(pl.DataFrame({"category": [None], "brand": [None]})).tolist() == [[-1, -1]]
