"""What the fraud filter flags on TalkingData's clicks, where nobody labelled fraud.

The sample holds one click in 1,850, drawn singly: five of an address in one hour stand for some
nine thousand. Few installs of its clicks are the one outside sign that an address is no people.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from shelfwise.data.fraud.features import actor_features
from shelfwise.data.fraud.flagging import flag
from shelfwise.data.fraud.options import FraudOptions
from shelfwise.data.fraud.rows import fraud_rows
from shelfwise.data.readers.datasets import convert
from shelfwise.schema.event import EventKind

DATA = Path(__file__).parents[3] / "shared" / "data" / "talkingdata"
THINNED = FraudOptions(acts_in_hour=5)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    if not DATA.exists():
        pytest.skip(f"no real data at {DATA}")
    shop = tmp_path_factory.mktemp("talkingdata")
    convert("talkingdata", DATA, shop)
    return (
        pl.read_parquet(shop / "events.parquet")
        .select(
            pl.col("event").cast(pl.Enum([kind.value for kind in EventKind])),
            pl.col("user_id").rank("dense").cast(pl.Int64).alias("owner"),
            pl.col("item_id").rank("dense").cast(pl.Int64).alias("item"),
            pl.col("timestamp").dt.timestamp("us").alias("at"),
            pl.col("ip").cast(pl.UInt64),
        )
        .sort("owner", "at", "event")
    )


def _flags(events: pl.DataFrame, options: FraudOptions) -> pl.DataFrame:
    return pl.concat(flag(actor_features(events, actor), options) for actor in ("owner", "ip"))


def test_the_more_an_address_clicks_the_less_its_clicks_install(events: pl.DataFrame) -> None:
    of_ip = actor_features(events, "ip").select("id", "clicks", "purchases")
    clicks = pl.col("clicks")
    groups = of_ip.group_by(
        pl.when(clicks == 1)
        .then(pl.lit("once"))
        .when(clicks < 20)
        .then(pl.lit("seldom"))
        .when(clicks <= 300)
        .then(pl.lit("often"))
        .otherwise(pl.lit("gateways"))
        .alias("group")
    ).agg(pl.len(), clicks.sum(), pl.col("purchases").sum())

    assert {name: counts for name, *counts in groups.iter_rows()} == {
        "once": [17_423, 17_423, 150],
        "seldom": [17_132, 67_546, 67],
        "often": [298, 12_908, 4],
        "gateways": [4, 2_123, 6],
    }


def test_by_default_a_thinned_log_keeps_nearly_all_its_rows(events: pl.DataFrame) -> None:
    reasons = fraud_rows(events, _flags(events, FraudOptions()))

    assert reasons.is_not_null().mean() < 0.002


def test_crowded_fast_addresses_are_flagged_and_install_less(events: pl.DataFrame) -> None:
    flags = _flags(events, THINNED).filter(pl.col("flagged"))

    addresses = flags.filter(pl.col("actor") == "ip")
    assert 5 <= len(addresses) <= 15
    assert all({"too fast", "crowded address"} <= set(rules) for rules in addresses["rules"])
    # The two largest, 5348 and 5314, are as crowded, but three of their clicks each installed.
    assert not addresses["id"].is_in([5_348, 5_314]).any()

    rows = events.with_columns(fraud_rows(events, flags).is_not_null().alias("hit"))
    rates = {
        hit: part.filter(pl.col("event") == "purchase").height / part.height
        for (hit,), part in rows.group_by("hit")
    }
    assert rows["hit"].mean() < 0.04
    assert rates[True] < rates[False]
