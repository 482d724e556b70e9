"""The judgements and searches of ../shared/data from the publisher's file to a prepared folder."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from cli.command import done

from shelfwise.data.prepared import (
    PreparedJudgements,
    PreparedShop,
    open_prepared,
)

DATA = Path(__file__).parents[3] / "shared" / "data"


def prepared(name: str, folder: str, out: Path) -> PreparedJudgements | PreparedShop:
    if not (DATA / folder).is_dir():
        pytest.skip(f"no real data at {DATA / folder}")
    done("datasets", "convert", name, "--from", DATA / folder, "--out", out / "shop")
    rows = done("prepare", out / "shop", "--out", out / "prepared", "--json").json["rows"]
    assert all(r["rows_in"] == r["kept"] + r["rejected"] + r["duplicates"] for r in rows)
    assert sum(r["rejected"] for r in rows) == 0
    opened = open_prepared(out / "prepared")
    assert isinstance(opened, PreparedJudgements | PreparedShop)
    return opened


@pytest.mark.parametrize(
    ("name", "folder", "queries", "items", "judged"),
    [
        # two queries differ from two others only in what normalising takes away
        ("home-depot", "home_depot", 11_793, 54_667, 74_067),
        ("qbqtc", "qbqtc", 23_017, 37_745, 38_760),
        ("esci", "format_samples", 200, 200, 200),
    ],
)
def test_a_query_is_judged_in_one_part(
    name: str, folder: str, queries: int, items: int, judged: int, tmp_path: Path
) -> None:
    shop = prepared(name, folder, tmp_path)
    assert isinstance(shop, PreparedJudgements)
    judgements = shop.judgements

    assert (len(shop.queries), len(shop.items), judgements.height) == (queries, items, judged)
    parts = judgements.group_by("query").agg(pl.col("part").n_unique())
    assert (parts.height, parts["part"].max()) == (queries, 1)
    # by hash of the query 70, 10 and 20 %
    per_part = judgements.group_by("part").agg(pl.col("query").n_unique())
    shares = {part: count / queries for part, count in per_part.iter_rows()}
    assert shares["train"] == pytest.approx(0.7, abs=0.02)
    assert shares["validation"] == pytest.approx(0.1, abs=0.02)
    assert shares["test"] == pytest.approx(0.2, abs=0.02)


def test_searches_of_best_buy_are_what_a_click_is_predicted_from(tmp_path: Path) -> None:
    shop = prepared("best-buy", "format_samples", tmp_path)
    assert isinstance(shop, PreparedShop)

    assert (len(shop.items), len(shop.owners), len(shop.queries)) == (846, 709, 759)
    assert shop.positives.height == 999
    assert set(shop.positives["kind"]) == {"click"}
    # What was clicked answers what was typed: every request is its search.
    assert set(shop.requests["surface"]) == {"search"}
    assert (shop.requests["query"] >= 0).all()
