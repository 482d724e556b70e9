"""What holds for any log: every row has its place, and where it stood does not matter."""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.data.config import DataOptions
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedShop

from .small_log import PUBLISHED, event, moment, write_table

SPLIT = {"validation_start": moment(60).isoformat(), "test_start": moment(80).isoformat()}
CATALOGUE = [{"item_id": f"i{n}", "title": f"thing {n}"} for n in range(4)]
ENDS = [event("view", "u0", 0, "i0"), event("click", "u0", 99, "i1")]

COLUMNS = (
    *("event", "user_id", "session_id", "item_id", "sequence", "request_id", "position"),
    *("query", "event_id"),
)
ROW = st.fixed_dictionaries(
    {
        "event": st.sampled_from(
            [
                *("search", "impression", "impression", "view", "click", "cart"),
                *("purchase", "return", "dance"),  # the last is no kind of event
            ]
        ),
        "user_id": st.sampled_from(["", "u0", "u1", "u2"]),
        "session_id": st.sampled_from(["", "", "s0", "s1"]),
        "item_id": st.sampled_from(["", "i0", "i1", "i2", "i3", "i9"]),  # the last is unknown
        "hours": st.one_of(st.integers(0, 99), st.just(None)),
        "sequence": st.sampled_from(["", "", "1", "2"]),
        "request_id": st.sampled_from(["", "r0", "r1", "r2"]),
        "position": st.sampled_from(["", "1", "2", "0"]),  # the last is too low
        "query": st.sampled_from(["", "", "red shoe", "Red  shoe"]),
        "event_id": st.sampled_from(["", "", "", "e0", "e1"]),
    }
)


def told(row: dict[str, Any]) -> dict[str, Any]:
    hours = row.pop("hours")
    return row | {"timestamp": "" if hours is None else moment(hours).isoformat()}


LOGS = st.lists(ROW.map(lambda row: told(dict(row))), min_size=1, max_size=60)


def prepared(
    folder: Path, files: Sequence[Sequence[dict[str, Any]]], **memory: int
) -> PreparedShop:
    """The shop of these files of events; every file has every column."""
    write_table(folder / "shop", "catalogue", CATALOGUE)
    columns = dict.fromkeys((*COLUMNS, "timestamp"), "")
    for number, rows in enumerate(files):
        write_table(folder / "shop", f"log-{number}", [columns | row for row in rows])
    options = DataOptions.model_validate(
        {
            "events": {"file": "log-*.csv"},
            "split": SPLIT,
            "privacy": PUBLISHED,
            "memory": memory,
            "match": {"events": ["click", "purchase"]},
        }
    )
    found = prepare(folder / "shop", folder / "prepared", options)
    assert isinstance(found, PreparedShop)
    return found


def tables_of(shop: PreparedShop) -> dict[str, str]:
    """A digest of every table but that of the rejects, which say where they stood."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in shop.folder.glob("*.parquet")
        if path.name != "rejects.parquet"
    }


def assert_nothing_lost(shop: PreparedShop, rows: int) -> None:
    counts = [one for one in shop.manifest.facts["rows"] if one["file"].startswith("log")]
    for one in counts:
        assert one["rows_in"] == one["kept"] + one["rejected"] + one["duplicates"]
    assert sum(one["rows_in"] for one in counts) == rows
    facts = shop.manifest.facts
    assert sum(one["kept"] for one in counts) == sum(facts["counts"]["events"].values())
    assert sum(one["duplicates"] for one in counts) == sum(facts["duplicates"].values())
    rejects = pl.read_parquet(shop.folder / "rejects.parquet")
    assert sum(one["rejected"] for one in counts) == rejects.height


def assert_nothing_leaks(shop: PreparedShop) -> None:
    requests = shop.requests
    owner_R, at_R = requests["owner"].to_numpy(), requests["at"].to_numpy()
    begin_R, end_R = shop.history.offset_U1[owner_R], requests["history_end"].to_numpy()
    past_R = end_R > begin_R
    assert (shop.history.at_E[end_R[past_R] - 1] < at_R[past_R]).all()
    assert (end_R <= shop.history.offset_U1[owner_R + 1]).all()
    named = requests.filter(pl.col("request_id").is_not_null())
    assert named["request_id"].is_unique().all()
    edges = np.array([shop.moments.validation, shop.moments.test])
    parts = np.array(["train", "validation", "test"])[np.searchsorted(edges, at_R, side="right")]
    assert requests["part"].to_list() == parts.tolist()


def assert_weights_mean_one(shop: PreparedShop) -> None:
    for table in (shop.impressions, shop.positives):
        rows = shop.requests.select("part", "fraud")[table["request"]]
        counted = table.filter((rows["part"] == "train") & rows["fraud"].is_null())
        if counted.height:
            assert counted["weight"].mean() == pytest.approx(1, abs=1e-5)


def hold_the_laws(rows: list[dict[str, Any]], seed: int) -> None:
    rows = [*ENDS, *rows]
    dealer = random.Random(seed)
    shuffled = dealer.sample(rows, len(rows))
    cut = dealer.randrange(len(rows) + 1)
    elsewhere = [part for part in (shuffled[:cut], shuffled[cut:]) if part]
    with tempfile.TemporaryDirectory() as folder:
        shop = prepared(Path(folder) / "one", [rows])
        assert_nothing_lost(shop, len(rows))
        assert_nothing_leaks(shop)
        assert_weights_mean_one(shop)
        other = prepared(Path(folder) / "other", elsewhere, rows_together=dealer.randint(1, 30))
        assert_nothing_lost(other, len(rows))
        assert tables_of(other) == tables_of(shop)
        assert other.manifest.data_fingerprint == shop.manifest.data_fingerprint


def test_any_log() -> None:
    run = given(LOGS, st.integers(0, 2**31))(hold_the_laws)
    settings(max_examples=15, deadline=None)(run)()


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_logs() -> None:
    run = given(LOGS, st.integers(0, 2**31))(hold_the_laws)
    settings(max_examples=400, deadline=None)(run)()
