"""What every converter promises, on a few rows in the publisher's own form."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import polars as pl
import pytest

from shelfwise.data.config import DataOptions
from shelfwise.data.readers.card import ConversionReport
from shelfwise.data.readers.datasets import convert, dataset_cards
from shelfwise.schema.columns import CATALOGUE, EVENTS
from shelfwise.schema.errors import ConfigError, DataError
from shelfwise.schema.event import EventKind

# As published: Excel's US times and capitals; semicolons and spaces in names.
PUBLISHED = {
    "online-retail": (
        "Online Retail.csv",
        """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom
536365,POST,POSTAGE,1,12/1/2010 8:26,18,17850,United Kingdom
C536379,85123A,WHITE HANGING HEART T-LIGHT HOLDER,-1,12/13/2010 9:41,2.55,17850,United Kingdom
536414,22139,,56,12/1/2010 11:52,0,,United Kingdom
""",
        {"purchase": 1, "return": 1},
    ),
    "eshop-clothing": (
        "e-shop clothing 2008.csv",
        """\
year;month;day;order;country;session ID;page 1 (main category);page 2 (clothing model);colour;\
location;model photography;price;price 2;page
2008;4;1;1;29;1;1;A13;1;5;1;28;2;1
2008;4;1;2;29;1;1;A16;1;6;1;33;2;1
2008;2;31;1;29;2;2;B4;10;2;1;52;1;1
""",
        {"click": 2},
    ),
}
EXTRA_EVENT_COLUMNS = {"country", "returns_invoice"}


@pytest.fixture(params=sorted(PUBLISHED))
def converted(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, ConversionReport]:
    name: str = request.param
    file, content, _ = PUBLISHED[name]
    (tmp_path / file).write_text(content)
    return tmp_path / "shop", convert(name, tmp_path, tmp_path / "shop")


def test_every_card_has_its_contract_test() -> None:
    cards = dataset_cards()

    assert sorted(PUBLISHED) == [card.name for card in cards]
    assert all(card.url.startswith("https://") and card.files and card.terms for card in cards)


def test_the_parts_sum_to_the_rows_read(converted: tuple[Path, ConversionReport]) -> None:
    out, report = converted
    left_out = pl.read_parquet(out / "left_out.parquet")

    assert report.kept == PUBLISHED[report.dataset][2]
    assert report.rows_in == PUBLISHED[report.dataset][1].count("\n") - 1
    assert sum(report.left_out.values()) == left_out.height
    assert pl.read_parquet(out / "events.parquet").height + left_out.height == report.rows_in


def test_the_report_is_written_as_returned(converted: tuple[Path, ConversionReport]) -> None:
    out, report = converted

    assert json.loads((out / "conversion.json").read_text()) == json.loads(report.to_json())


def test_columns_are_the_shops_own(converted: tuple[Path, ConversionReport]) -> None:
    out, _ = converted
    catalogue = pl.read_parquet(out / "catalogue.parquet")
    events = pl.read_parquet(out / "events.parquet")

    assert set(catalogue.columns) <= {column.name for column in CATALOGUE}
    assert set(events.columns) - EXTRA_EVENT_COLUMNS <= {column.name for column in EVENTS}
    assert events.schema["timestamp"] == pl.Datetime("us", "UTC")
    assert set(events["event"]) <= set(EventKind)
    assert catalogue["item_id"].is_unique().all()
    assert set(events["item_id"]) <= set(catalogue["item_id"])


def test_shop_toml_is_understood(converted: tuple[Path, ConversionReport]) -> None:
    out, _ = converted
    written = tomllib.loads((out / "shop.toml").read_text())
    elsewhere = {"evaluate", "train"}  # sections of other packages

    options = DataOptions.model_validate(
        {section: value for section, value in written.items() if section not in elsewhere}
    )

    assert options.split.validation_start is not None
    assert set(options.match.events) <= set(pl.read_parquet(out / "events.parquet")["event"])


def test_converting_again_gives_the_same_files(
    converted: tuple[Path, ConversionReport], tmp_path: Path
) -> None:
    out, report = converted
    convert(report.dataset, tmp_path, tmp_path / "again")

    names = sorted(path.name for path in out.iterdir())
    assert names == [
        "catalogue.parquet",
        "conversion.json",
        "events.parquet",
        "left_out.parquet",
        "shop.toml",
    ]
    assert all((tmp_path / "again" / n).read_bytes() == (out / n).read_bytes() for n in names)


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError,
        match="no data set 'online_retial'; did you mean online-retail\\? "
        "known are eshop-clothing, online-retail",
    ):
        convert("online_retial", tmp_path, tmp_path / "shop")


def test_a_table_without_a_usable_row_makes_no_shop(tmp_path: Path) -> None:
    file, content, _ = PUBLISHED["online-retail"]
    header, _, postage, *_ = content.splitlines()
    (tmp_path / file).write_text(f"{header}\n{postage}\n")

    with pytest.raises(DataError, match=r"none of 1 rows could be kept\n  no item: postage.*: 1"):
        convert("online-retail", tmp_path, tmp_path / "shop")

    assert not (tmp_path / "shop").exists()


def test_a_report_that_does_not_add_up_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match="5 rows went in, 4 came out"):
        ConversionReport(
            dataset="x",
            terms="",
            citation="",
            sources={},
            rows_in=5,
            kept={"click": 3},
            left_out={"no such day": 1},
            changed={},
            found={},
        )
