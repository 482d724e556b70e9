"""Real rows of ../shared/data: the fixed protocols' counts, exactly (DESIGN section 7)."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from shelfwise.data.readers import online_retail
from shelfwise.data.readers.card import ConversionReport
from shelfwise.data.readers.datasets import convert

DATA = Path(__file__).parents[3] / "shared" / "data"


def converted(name: str, folder: str, out: Path) -> tuple[Path, ConversionReport]:
    if not (DATA / folder).is_dir():
        pytest.skip(f"no real data at {DATA / folder}")
    return out, convert(name, DATA / folder, out)


@pytest.fixture(scope="module")
def retail(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ConversionReport]:
    return converted("online-retail", "online_retail", tmp_path_factory.mktemp("retail"))


@pytest.fixture(scope="module")
def eshop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ConversionReport]:
    return converted("eshop-clothing", "eshop_clothing", tmp_path_factory.mktemp("eshop"))


def test_retail_counts(retail: tuple[Path, ConversionReport]) -> None:
    _, report = retail

    assert report.rows_in == 541_909
    assert report.kept == {"purchase": 396_337, "return": 8_520}
    assert report.left_out == {
        "customer missing": 131_553,
        "no item: postage, fee, voucher or manual entry": 2_995,
        "stock adjustment: nothing sold, no cancellation": 1_324,
        "price not above zero": 1_161,
        "cancellation of an item that no kept line sells": 19,
    }
    assert report.changed["item code put in capitals"] == 0
    assert report.found["items"] == 3_659
    assert report.found["purchase lines that repeat another exactly"] == 5_187
    assert [
        report.found[f"returns tied to a purchase: {tie}"] for tie in ("whole", "part", "none")
    ] == [
        7_385,
        98,
        1_037,
    ]


def test_retail_protocol(retail: tuple[Path, ConversionReport]) -> None:
    out, _ = retail
    bought = pl.read_parquet(out / "events.parquet").filter(pl.col("event") == "purchase")
    pairs = ["user_id", "item_id"]
    before = bought.filter(pl.col("timestamp") < online_retail.TEST_START)
    test = bought.filter(pl.col("timestamp") >= online_retail.TEST_START).select(pairs).unique()

    every = test.join(before, on="user_id", how="semi")
    assert (every["user_id"].n_unique(), every.height) == (1_540, 55_636)

    new = every.join(before, on=pairs, how="anti")
    assert (new["user_id"].n_unique(), new.height) == (1_449, 33_453)

    # 52 items are new to everybody; customers who had bought before took 653 pairs of them.
    assert test.join(before, on="item_id", how="anti")["item_id"].n_unique() == 52
    assert every.join(before, on="item_id", how="anti").height == 653


def test_retail_catalogue(retail: tuple[Path, ConversionReport]) -> None:
    out, _ = retail
    catalogue = pl.read_parquet(out / "catalogue.parquet")
    titles = dict(catalogue.select("item_id", "title").iter_rows())

    assert catalogue.null_count().row(0) == (0, 0, 0)
    assert catalogue["price"].min() > 0  # type: ignore[operator]  # a column of floats
    assert titles["85123A"] == "WHITE HANGING HEART T-LIGHT HOLDER"
    assert titles["20622"] == "VIPPASSPORT COVER"  # the publisher's slip, 22 lines to 11


def test_a_return_comes_after_the_purchase_it_undoes(
    retail: tuple[Path, ConversionReport],
) -> None:
    out, _ = retail
    events = pl.read_parquet(out / "events.parquet")
    tied = events.filter(pl.col("returns_invoice").is_not_null())
    purchases = events.filter(pl.col("event") == "purchase").select(
        "user_id", "item_id", pl.col("session_id").alias("returns_invoice"), bought="timestamp"
    )
    key = ["user_id", "item_id", "returns_invoice"]
    first = purchases.group_by(key).agg(pl.col("bought").min())
    both = tied.join(first, on=key)

    assert both.height == tied.height == 7_385 + 98
    assert (both["bought"] <= both["timestamp"]).all()


def test_eshop_counts(eshop: tuple[Path, ConversionReport]) -> None:
    out, report = eshop
    catalogue = pl.read_parquet(out / "catalogue.parquet")
    events = pl.read_parquet(out / "events.parquet")

    assert (report.rows_in, report.kept, report.left_out) == (165_474, {"click": 165_474}, {})
    assert report.found["sessions"] == events["session_id"].n_unique() == 24_026
    assert report.found["items"] == catalogue.height == 217
    varying = {name for name, items in report.found.items() if "varies" in name and items}
    assert varying == {"items whose category varies"}  # one click of one model
    assert catalogue.null_count().sum_horizontal().item() == 0
    assert not catalogue["title"].str.contains(r"colour \d|photography \d|price_tier \d").any()


def test_eshop_orders_every_click(eshop: tuple[Path, ConversionReport]) -> None:
    out, _ = eshop
    events = pl.read_parquet(out / "events.parquet")
    sessions = events.group_by("session_id").agg(
        days=pl.col("timestamp").n_unique(),
        clicks=pl.len(),
        places=pl.col("sequence").n_unique(),
        last=pl.col("sequence").max(),
    )

    assert (sessions["days"] == 1).all()  # so no session straddles a split
    assert (sessions["clicks"] == sessions["places"]).all()
    assert (sessions["clicks"] == sessions["last"]).all()
