"""Real data from the publisher's file to a prepared folder, by the command line (DESIGN, 7)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from cli.command import done

from shelfwise.data.prepared import PreparedShop, open_prepared_shop
from shelfwise.data.targets import MatchTargets, match_targets

DATA = Path(__file__).parents[3] / "shared" / "data"


def walked(name: str, folder: str, out: Path) -> Path:
    """Converted, checked and prepared; the parent of both folders."""
    if not (DATA / folder).is_dir():
        pytest.skip(f"no real data at {DATA / folder}")
    converted = done("datasets", "convert", name, "--from", DATA / folder, "--out", out / "shop")
    assert "next: shelfwise prepare" in converted.out
    rows = done("prepare", out / "shop", "--out", out / "prepared", "--json").json["rows"]
    assert all(r["rows_in"] == r["kept"] + r["rejected"] + r["duplicates"] for r in rows)
    assert sum(r["rejected"] for r in rows) == 0
    return out


@pytest.fixture(scope="module")
def retail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return walked("online-retail", "online_retail", tmp_path_factory.mktemp("retail"))


@pytest.fixture(scope="module")
def eshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return walked("eshop-clothing", "eshop_clothing", tmp_path_factory.mktemp("eshop"))


def new_pairs(targets: MatchTargets, prepared: PreparedShop) -> tuple[int, int]:
    """Customers and pairs that are left once items taken before are removed."""
    width = len(prepared.items)
    right = targets.right_target_P * width + targets.right_item_P
    seen = targets.seen_target_S * width + targets.seen_item_S
    new = ~np.isin(right, seen)
    return len(np.unique(targets.right_target_P[new])), int(new.sum())


def test_retail_targets_are_those_of_the_protocol(retail: Path) -> None:
    prepared = open_prepared_shop(retail / "prepared")

    targets = match_targets(prepared, "test")

    assert (len(targets), len(targets.right_item_P)) == (1_540, 55_636)
    assert new_pairs(targets, prepared) == (1_449, 33_453)


def test_retail_histories_end_where_the_test_begins(retail: Path) -> None:
    prepared = open_prepared_shop(retail / "prepared")
    targets = match_targets(prepared, "test")
    events = pl.read_parquet(retail / "shop" / "events.parquet")

    # Each history ends at the start of November: the last event before it, the first after it.
    november = np.datetime64("2011-11-01", "us").astype(np.int64)
    history = prepared.history
    assert (history.at_E[targets.end_T - 1] < november).all()
    begin_T = history.offset_U1[targets.owner_T]
    assert (begin_T < targets.end_T).all()
    stop_T = history.offset_U1[targets.owner_T + 1]
    inside = targets.end_T < stop_T
    assert (history.at_E[targets.end_T[inside]] >= november).all()
    assert inside.all()  # all of them buy in the test
    assert len(history.at_E) <= events.height


def test_eshop_targets_are_every_click_but_a_sessions_first(eshop: Path) -> None:
    prepared = open_prepared_shop(eshop / "prepared")
    clicks = pl.read_parquet(eshop / "shop" / "events.parquet")
    after = clicks.filter(pl.col("timestamp").dt.date() >= date(2008, 7, 15))
    followers = after.filter(pl.col("sequence") > 1)

    targets = match_targets(prepared, "test")

    # Repeating the same item is a target like any other.
    assert len(targets) == followers.height
    assert len(targets.right_item_P) == followers.height
    assert len(np.unique(targets.owner_T)) == followers["session_id"].n_unique()
    by_item = dict(zip(*np.unique(targets.right_item_P, return_counts=True), strict=True))
    ids = prepared.items["item_id"]
    found = {ids[int(item)]: int(count) for item, count in by_item.items()}
    assert found == dict(followers["item_id"].value_counts().iter_rows())
