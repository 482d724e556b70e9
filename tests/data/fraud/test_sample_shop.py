"""The filter against bots that the sample shop's truth names: a synthetic log, one row in 20."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl
import pytest

from shelfwise.data.fraud.crowds import crowds, taken_of
from shelfwise.data.fraud.features import actor_features
from shelfwise.data.fraud.flagging import flag
from shelfwise.data.fraud.options import FraudOptions
from shelfwise.data.fraud.replays import pages_of, replays
from shelfwise.data.fraud.rows import fraud_rows
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.generate import write_sample_shop
from shelfwise.schema.event import EventKind

Strength = Literal["easy", "middle", "hard"]


class Judged(NamedTuple):
    """Shares of rows and users, against the truth."""

    precision: float
    recall: float
    user_precision: float
    user_recall: float
    honest_rows: float  # flagged, of all honest ones


def _numbered(shop: Path) -> tuple[pl.DataFrame, pl.Series]:
    """The raw log with numbers in place of ids, whether a bot left the row, and categories."""
    catalogue = pl.read_csv(shop / "catalogue.csv", infer_schema=False)
    bots = pl.read_parquet(shop / "truth" / "bots.parquet")["user_id"]
    items = catalogue.select("item_id", pl.int_range(pl.len(), dtype=pl.Int64).alias("item"))

    def number(column: str) -> pl.Expr:
        return pl.col(column).rank("dense").cast(pl.Int64)

    events = (
        pl.read_parquet(shop / "events.parquet")
        .join(items, on="item_id", how="left", maintain_order="left")
        .select(
            pl.col("event").cast(pl.Enum([kind.value for kind in EventKind])),
            number("user_id").alias("owner"),
            number("session_id").alias("session"),
            "item",
            pl.col("timestamp").dt.timestamp("us").alias("at"),
            number("ip").cast(pl.UInt64).alias("ip"),
            pl.col("user_id").is_in(bots.implode()).alias("bot"),
        )
        .sort("owner", "at", "event", maintain_order=True)
    )
    return events, catalogue["category"].rank("dense").cast(pl.Int64)


def _judged(shop: Path, strength: Strength, seed: int) -> Judged:
    options = SampleOptions(users=500, items=300, seed=seed, bot_share=0.05, bot_strength=strength)
    write_sample_shop(shop, options)
    events, category_V = _numbered(shop)
    hired, copied = crowds(taken_of(events)), replays(pages_of(events))
    company = hired.join(copied, on="id", how="full", coalesce=True)
    flags = pl.concat(
        flag(
            actor_features(events, actor, category_V=category_V),
            FraudOptions(),
            company=company if actor == "owner" else None,
        )
        for actor in FraudOptions().actors
    )
    rows = events.with_columns(fraud_rows(events, flags).is_not_null().alias("hit"))
    users = rows.group_by("owner").agg(pl.col("bot").first(), pl.col("hit").mean() > 0.5)
    return Judged(
        *_precision_and_recall(rows),
        *_precision_and_recall(users),
        honest_rows=rows.filter(~pl.col("bot")).select(pl.col("hit").mean()).item(),
    )


def _precision_and_recall(rows: pl.DataFrame) -> tuple[float, float]:
    both = rows.filter(pl.col("hit") & pl.col("bot")).height
    return both / max(1, rows["hit"].sum()), both / rows["bot"].sum()


@pytest.mark.parametrize(("strength", "least"), [("easy", 0.9), ("middle", 0.7)])
def test_bots_are_found_and_shoppers_spared(
    strength: Strength, least: float, tmp_path: Path
) -> None:
    found = _judged(tmp_path, strength, seed=0)

    assert min(found.precision, found.recall) > least
    assert min(found.user_precision, found.user_recall) > least
    assert found.honest_rows < 0.005


def test_bots_that_repeat_a_shoppers_visits_are_found_with_that_shopper(tmp_path: Path) -> None:
    found = _judged(tmp_path, "hard", seed=0)

    assert found.recall > 0.7
    # Which of the two is the copy cannot be told, so both are flagged.
    assert found.user_precision > 0.4
    assert found.honest_rows < 0.08
