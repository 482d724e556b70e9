"""The data report on real logs: the publishers' counts, and the days that are known of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from cli.command import done

DATA = Path(__file__).parents[3] / "shared" / "data"

# 2010-12-24 to 2011-01-03 but for the Saturdays; then England's bank holidays of 2011, Easter
# Sunday and the royal wedding of 29 April among them.
CLOSED = {
    *(f"2010-12-{day}" for day in (24, 26, 27, 28, 29, 30, 31)),
    *("2011-01-02", "2011-01-03", "2011-04-22", "2011-04-24", "2011-04-25", "2011-04-29"),
    *("2011-05-02", "2011-05-30", "2011-08-29"),
}


def reported(name: str, folder: str, out: Path) -> dict[str, Any]:
    if not (DATA / folder).is_dir():
        pytest.skip(f"no real data at {DATA / folder}")
    done("datasets", "convert", name, "--from", DATA / folder, "--out", out / "shop")
    told = done("check", out / "shop", "--html", out / "data.html", "--json").json["report"]
    assert (out / "data.html").stat().st_size > 30_000
    assert isinstance(told, dict)
    return told


def test_online_retail(tmp_path: Path) -> None:
    report = reported("online-retail", "online_retail", tmp_path)
    events = pl.read_parquet(tmp_path / "shop" / "events.parquet")

    behaviour = report["behaviour"]
    kinds = {kind["kind"]: kind["rows"] for kind in behaviour["kinds"]}
    assert kinds == dict(events["event"].value_counts().iter_rows())
    days = behaviour["days"]
    assert days["closed"] == ["Saturday"]
    assert {mark["day"] for mark in days["marks"] if mark["what"] == "gap"} == CLOSED
    counts = np.sort(events["item_id"].value_counts()["count"].to_numpy())
    # Gini by its other definition: one minus twice the area under the Lorenz curve.
    held = np.concatenate([[0], counts.cumsum()]) / counts.sum()
    area = ((held[1:] + held[:-1]) / 2).mean()
    assert behaviour["items"]["gini"] == pytest.approx(1 - 2 * area)
    assert report["catalogue"]["languages"]["shares"]["en"] > 0.9
    assert behaviour["delays"] is None
    assert [part["part"] for part in report["prepared"]["parts"]] == ["train", "validation", "test"]


def test_expedia(tmp_path: Path) -> None:
    report = reported("expedia", "expedia", tmp_path)

    (search,) = report["prepared"]["surfaces"]
    # 10,000 rows, 457 clicks and 281 bookings of 412 searches, as published.
    assert (search["surface"], search["shown"]) == ("search", 10_000)
    assert search["clicked"]["hits"] == 457
    assert (search["purchased"]["hits"], search["purchased"]["of"]) == (281, 457)
    assert search["returned"] is None
    assert report["behaviour"]["owners"]["count"] == 412
    assert report["behaviour"]["days"]["marks"] == []  # less than two searches a day: all is chance
