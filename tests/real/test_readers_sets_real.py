"""Real rows of the sequences, pairs, titles and judgements of ../shared/data, counted exactly."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from shelfwise.data.readers.card import ConversionReport
from shelfwise.data.readers.datasets import convert

DATA = Path(__file__).parents[3] / "shared" / "data"


def converted(
    name: str, folder: str, out: Path
) -> tuple[dict[str, pl.DataFrame], ConversionReport]:
    """The tables written, by name, and the report."""
    if not (DATA / folder).exists():
        pytest.skip(f"no real data at {DATA / folder}")
    report = convert(name, DATA / folder, out)
    assert json.loads((out / "conversion.json").read_text())["rows_in"] == report.rows_in
    return {path.stem: pl.read_parquet(path) for path in out.glob("*.parquet")}, report


def test_beauty_is_the_benchmarks_sequences(tmp_path: Path) -> None:
    tables, report = converted("amazon-beauty", "beauty", tmp_path)
    events = tables["events"]

    assert report.rows_in == 198_502 + 12_101
    assert report.kept == {"purchase": 198_502, "item": 12_101}
    assert report.left_out == {}
    assert report.found == {
        "users": 22_363,
        "items": 12_101,
        "items without a title": 7,
        "times a user takes an item again": 0,
    }
    # 5-core: at least five items a user, five users an item; places without gaps
    users = events.group_by("user_id").agg(pl.len(), pl.col("sequence").max())
    assert (users["len"] == users["sequence"]).all()
    assert users["len"].min() == 5
    assert events.group_by("item_id").len()["len"].min() == 5
    assert tables["catalogue"]["item_id"].is_unique().all()
    # the first line of the file: 1 1 2 3 4 5
    assert events.filter(pl.col("user_id") == "1")["item_id"].to_list() == ["1", "2", "3", "4", "5"]


def test_home_depot_is_the_competitions_training_set(tmp_path: Path) -> None:
    tables, report = converted("home-depot", "home_depot", tmp_path)
    judgements, catalogue = tables["judgements"], tables["catalogue"]

    assert report.rows_in == 74_067
    assert report.kept == {"judgement": 74_067}
    assert report.found == {
        "queries": 11_795,
        "items": 54_667,
        "items with several titles": 15,
        "pairs judged twice": 0,
    }
    assert report.changed == {"damaged letters mended": 278}
    assert judgements.select(pl.col("grade").min(), pl.col("grade").max().alias("most")).row(0) == (
        0.0,
        2.0,
    )
    assert judgements.filter(pl.col("grade") == 2).height == 19_125
    texts = pl.concat([catalogue["title"], judgements["query"]])
    assert not texts.str.contains("[âÂËïÃ�]").any()  # nothing is left of the damage


def test_qbqtc_has_its_three_files(tmp_path: Path) -> None:
    tables, report = converted("qbqtc", "qbqtc", tmp_path)
    judgements = tables["judgements"]

    assert report.rows_in == 40_000
    assert report.kept == {"judgement": 40_000}
    by_part = judgements.group_by("published_part").agg(
        pl.len(),
        pl.col("query").n_unique(),
        *[(pl.col("grade") == g).sum().alias(f"{g}") for g in range(3)],
    )
    assert {row[0]: row[1:] for row in by_part.iter_rows()} == {
        "train_old": (15_000, 791, 6_420, 5_903, 2_677),
        "dev": (20_000, 18_802, 4_894, 12_592, 2_514),
        "test_public": (5_000, 4_924, 1_209, 3_159, 632),
    }
    assert report.found["pairs judged again"] == 1_249


def test_taobao_titles_are_about_eight_thousand(tmp_path: Path) -> None:
    tables, report = converted("taobao-titles-zh", "taobao_titles_zh", tmp_path)
    catalogue = tables["catalogue"]

    assert report.rows_in == 6_000 + 998 + 1_000
    assert report.kept == {"item": 5_531}
    assert report.left_out == {"title that came before": 2_467}
    assert catalogue["title"].is_unique().all()
    assert catalogue.filter(pl.col("item_id") == "train-3").select("title", "brand").row(0) == (
        "羚跑商务背包双肩包男士防盗多功能出差韩版休闲15.6寸电脑包皮潮",
        "羚跑",
    )


def test_beibei_has_its_carts_and_purchases(tmp_path: Path) -> None:
    tables, report = converted("beibei", "beibei", tmp_path)

    assert report.rows_in == 642_622 + 304_576
    assert report.kept == {"cart": 642_622, "purchase": 304_576}
    assert report.found == {
        "users": 21_716,
        "items": 7_977,
        "purchases of train": 282_860,
        "purchases of test": 21_716,
        "purchases of test outside the cart": 8_191,
    }
    assert not tables["events"].is_duplicated().any()
    # lines are in order of the items' numbers, so no order of time can be read from them
    numbers = tables["events"].with_columns(pl.col("item_id").cast(pl.Int64))
    steps = numbers.select(pl.col("item_id").diff().over("event", "published_part", "user_id"))
    assert (steps["item_id"].drop_nulls() > 0).all()


def test_esci_sample(tmp_path: Path) -> None:
    tables, report = converted("esci", "format_samples", tmp_path)

    assert report.rows_in == 200
    assert report.kept == {"judgement": 200}
    grades = dict(tables["judgements"]["grade"].value_counts().iter_rows())
    assert grades == {3.0: 138, 2.0: 49, 1.0: 1, 0.0: 12}
    assert tables["catalogue"].height == 200
    assert tables["catalogue"].null_count().sum_horizontal().item() == 0


def test_best_buy_sample(tmp_path: Path) -> None:
    tables, report = converted("best-buy", "format_samples", tmp_path)
    events = tables["events"]

    assert report.rows_in == 999
    assert report.kept == {"click": 999}
    assert report.found == {
        "searches, events of their own": 876,
        "users": 709,
        "queries": 759,
        "items": 846,
    }
    assert dict(events["event"].value_counts().iter_rows()) == {"search": 876, "click": 999}
    searched = events.group_by("request_id").agg(
        pl.col("event").first(), pl.col("query").n_unique(), pl.col("user_id").n_unique().alias("u")
    )
    assert set(searched.select("event", "query", "u").rows()) == {("search", 1, 1)}
