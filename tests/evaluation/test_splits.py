"""A shop of every split is trained on and measured from end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data.small_log import prepared_shop, random_events
from training.small_network import options_of

from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.evaluate import evaluate
from shelfwise.evaluation.report import OURS, Report
from shelfwise.models.weights import load_tensors
from shelfwise.schema.run_files import TABLES
from shelfwise.training.config import TrainOptions
from shelfwise.training.train import train

# By their sha256 foo and hello train, foobar and abc validate, bar is the test.
IDS = {"i0": "foo", "i1": "hello", "i2": "bar", "i3": "abc", "i4": "foobar"}
IDS |= {"q0": "foo", "q1": "bar", "q2": "abc"}
SHORT = TrainOptions(epochs=2, batch_requests=16, threads=1, device="cpu")


def shop_of(folder: Path, split: dict[str, Any], impressions: bool) -> PreparedShop:
    rows = random_events(5, impressions=impressions)
    for row in rows:
        row["item_id"] = IDS.get(row["item_id"], "")
        row["query"] = IDS.get(row.get("query", ""), "")
    match = {"target": "next", "events": ["click", "purchase"]}
    return prepared_shop(folder, rows, split=split, match=match)


def measured(folder: Path, shop: PreparedShop, encoder: Path) -> Report:
    train(shop, folder / "run", options_of(encoder), SHORT)
    return evaluate(folder / "run", EvaluateOptions(draws=50), None)


@pytest.mark.parametrize(
    ("kind", "impressions"),
    [
        ("leave_last_out", False),
        ("leave_last_out", True),
        ("cold_items", False),
        ("cold_items", True),
        ("cold_queries", True),  # without a list, a request has no query
    ],
)
def test_a_split_by_request_trains_and_is_measured(
    tmp_path: Path, tiny_encoder: Path, kind: str, impressions: bool
) -> None:
    shop = shop_of(tmp_path, {"kind": kind}, impressions)
    asked = shop.requests.filter(part="test")

    report = measured(tmp_path, shop, tiny_encoder)

    ours = [row for row in report.rows if row.system == OURS]
    assert [row for row in ours if row.value < 0] == []
    ndcg = next(row for row in ours if row.metric == "ndcg@10" and row.view == "main")
    assert 0 < ndcg.support <= asked["owner"].n_unique()
    assert any(kind in note for note in report.notes)
    assert report.data.periods["test"].startswith(f"{len(asked)} requests, 2026-01-")
    assert {row.task for row in ours} >= ({"match", "click"} if impressions else {"match"})


def test_a_run_of_cold_items_knows_the_held_out_by_their_text_alone(
    tmp_path: Path, tiny_encoder: Path
) -> None:
    shop = shop_of(tmp_path, {"kind": "cold_items"}, impressions=True)

    report = measured(tmp_path, shop, tiny_encoder)

    warm_V = load_tensors(tmp_path / "run" / TABLES)["item_warm_V"].tolist()
    by_id = dict(zip(shop.items["item_id"].to_list(), warm_V, strict=True))
    assert by_id == {"foo": True, "hello": True, "bar": False, "abc": False, "foobar": False}
    # No test item was ever taken by those who train the baselines, so the view asks for it alone.
    assert any(row.view == "cold" for row in report.rows)


def test_an_earlier_window_trains_and_is_measured(tmp_path: Path, tiny_encoder: Path) -> None:
    window = {"kind": "rolling", "windows": 2, "window": 1, "test_share": 0.25}
    shop = shop_of(tmp_path, window, impressions=True)

    report = measured(tmp_path, shop, tiny_encoder)

    assert "window 1 of 2" in report.protocol
    assert not any("split" in note for note in report.notes)
    assert any(row.metric == "ndcg@10" and row.support for row in report.rows)


def test_a_log_that_knows_an_order_alone(tmp_path: Path, tiny_encoder: Path) -> None:
    # Such a log is prepared with its order as seconds: no day passes, so no trend is ever known.
    rows = [
        {"event": "click", "user_id": f"u{user}", "item_id": f"i{(user + place) % 4}"}
        | {"sequence": place}
        for user in range(5)
        for place in range(1, 7)
    ]
    match = {"target": "next", "events": ["click"]}
    shop = prepared_shop(tmp_path, rows, split={"kind": "leave_last_out"}, match=match)
    assert shop.manifest.facts["clock"] == "order"
    assert shop.requests["part"].to_list().count("test") == 5

    report = measured(tmp_path, shop, tiny_encoder)

    assert not load_tensors(tmp_path / "run" / TABLES)["trend_VG"].any()
    ndcg = next(r for r in report.rows if (r.system, r.metric) == (OURS, "ndcg@10"))
    assert ndcg.support == 5
    assert np.isfinite(ndcg.value)
    assert report.data.periods["test"] == "5 requests"
    # There are no last days to count alone.
    assert not any("days" in row.system for row in report.rows)
