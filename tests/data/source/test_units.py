"""Columns that count in other units than Shelfwise does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from shelfwise.data.config import CampaignOptions, EventOptions
from shelfwise.data.source.times import parse_times

from .shop_folder import read, write_shop


@pytest.mark.parametrize(
    ("unit", "number"),
    [("s", "20200101"), ("ms", "20200101000"), ("us", "20200101000000"), ("ns", "2.0200101e16")],
)
def test_a_number_counts_what_its_unit_says(unit: str, number: str) -> None:
    """20,200,101 s = 233 * 86,400 s + 68,901 s: day 233 after 1970-01-01, at 19:08:21.

    Day 212 is the first of August. Told from its size, it would be a date or another unit.
    """
    number = f"{float(number):.0f}"

    moments = parse_times(pl.Series([number]), "UTC", unit)  # type: ignore[arg-type]  # drawn

    assert moments.to_list() == [datetime(1970, 8, 22, 19, 8, 21, tzinfo=UTC)]


def test_cents_and_milliseconds_of_a_shop(tmp_path: Path) -> None:
    header = "event,user_id,item_id,timestamp,price"
    events = f"{header}\nview,u,i1,1000000000000,1999\nview,u,i1,x,abc\n"
    shop = write_shop(tmp_path, events=events, catalogue="item_id,price\ni1,5\n")

    tables = read(
        shop,
        events={"units": {"price": "cents", "timestamp": "ms"}},
        catalogue={"units": {"price": "cents"}},
    )

    assert tables.events is not None
    assert tables.events.select("timestamp", "price").rows() == [
        (datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC), 19.99)
    ]
    assert tables.catalogue is not None
    assert tables.catalogue["price"].to_list() == [0.05]
    assert {group.examples[0].found for group in tables.faults} == {"x", "abc"}


@pytest.mark.parametrize(
    ("units", "said"),
    [
        ({"price": "ms"}, "price cannot be in ms; that is for: timestamp"),
        ({"quantity": "cents"}, "quantity cannot be in cents; that is for: price"),
        ({"prise": "cents"}, "prise cannot be in cents"),
    ],
)
def test_a_unit_that_does_not_go_with_its_column(units: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        EventOptions.model_validate({"units": units})


def test_a_table_comes_from_one_place() -> None:
    sql = {"url": "sqlite:///shop.db", "query": "SELECT 1"}

    with pytest.raises(ValidationError, match="found file and sql; keep one"):
        CampaignOptions.model_validate({"file": "ads.csv", "sql": sql})
    both = CampaignOptions.model_validate({"sql": sql})
    assert CampaignOptions.model_validate(both.model_dump()) == both
