"""What every converter promises, on a few rows in the publisher's own form."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from data.readers.event_samples import EVENT_SAMPLES
from data.readers.samples import SAMPLES, Sample

from shelfwise.data.config import DataOptions
from shelfwise.data.readers.card import ConversionReport
from shelfwise.data.readers.datasets import convert, dataset_cards
from shelfwise.schema.columns import CAMPAIGNS, CATALOGUE, EVENTS, JUDGEMENTS, PAIRS, USERS
from shelfwise.schema.errors import ConfigError, DataError
from shelfwise.schema.event import EventKind

ALL_SAMPLES = {**SAMPLES, **EVENT_SAMPLES}

COLUMNS = {
    "catalogue": CATALOGUE,
    "events": EVENTS,
    "users": USERS,
    "judgements": JUDGEMENTS,
    "campaigns": CAMPAIGNS,
    "pairs": PAIRS,
}

DTYPES: dict[str, tuple[pl.DataType | type[pl.DataType], ...]] = {
    "text": (pl.String,),
    "number": (pl.Float64, pl.Float32, pl.Int64),
    "integer": (pl.Int64, pl.Int32),
    "time": (pl.Datetime("us", "UTC"),),
    "flag": (pl.Boolean,),
}


@dataclass(frozen=True)
class Converted:
    sample: Sample
    report: ConversionReport
    folder: Path

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        return {
            name: pl.read_parquet(self.folder / f"{name}.parquet") for name in self.sample.tables
        }


@pytest.fixture(params=sorted(ALL_SAMPLES))
def converted(request: pytest.FixtureRequest, tmp_path: Path) -> Converted:
    sample = ALL_SAMPLES[request.param]
    source = sample.write(tmp_path / "published")
    return Converted(sample, convert(request.param, source, tmp_path / "shop"), tmp_path / "shop")


def test_every_card_has_its_contract_test() -> None:
    cards = dataset_cards()

    assert sorted(ALL_SAMPLES) == [card.name for card in cards]
    assert all(card.url.startswith("https://") and card.files and card.terms for card in cards)


def test_the_parts_sum_to_the_rows_read(converted: Converted) -> None:
    report, left_out = converted.report, pl.read_parquet(converted.folder / "left_out.parquet")

    assert report.kept == converted.sample.kept
    assert report.rows_in == converted.sample.rows_in
    assert sum(report.left_out.values()) == left_out.height
    assert sum(report.kept.values()) + left_out.height == report.rows_in
    assert set(report.sources) == set(converted.sample.files)


def test_events_are_counted_by_kind(converted: Converted) -> None:
    if "events" not in converted.tables:
        pytest.skip("a set without events")
    kinds = converted.tables["events"]["event"].value_counts()
    kept = {kind: rows for kind, rows in converted.report.kept.items() if kind in set(EventKind)}

    # a published row may bring more than one event: an impression and its click
    assert all(rows <= dict(kinds.iter_rows()).get(kind, 0) for kind, rows in kept.items())


def test_the_report_is_written_as_returned(converted: Converted) -> None:
    written = json.loads((converted.folder / "conversion.json").read_text())

    assert written == json.loads(converted.report.to_json())


def test_columns_are_the_shops_own(converted: Converted) -> None:
    for name, table in converted.tables.items():
        own = {column.name: column for column in COLUMNS[name]}
        required = {column.name for column in COLUMNS[name] if column.required}
        further = set(table.columns) - set(own)

        assert required <= set(table.columns), name
        assert further <= converted.sample.features, name
        assert not table.is_empty(), name
        for column in set(table.columns) & set(own):
            assert table.schema[column] in DTYPES[own[column].type], f"{name}.{column}"


def test_events_and_judgements_are_about_items_of_the_catalogue(converted: Converted) -> None:
    tables = converted.tables
    if "catalogue" not in tables:
        pytest.skip("a set of ids alone")
    items = tables["catalogue"]["item_id"]

    assert items.is_unique().all()
    for name in {"events", "judgements"} & set(tables):
        if "item_id" in tables[name].columns:
            assert set(tables[name]["item_id"].drop_nulls()) <= set(items)


def test_shop_toml_is_understood(converted: Converted) -> None:
    written = tomllib.loads((converted.folder / "shop.toml").read_text())
    elsewhere = {"evaluate", "model", "train"}  # sections of other packages

    options = DataOptions.model_validate(
        {section: value for section, value in written.items() if section not in elsewhere}
    )

    assert options.privacy.published_key
    if "events" in converted.tables:
        assert set(options.match.events) <= set(converted.tables["events"]["event"])


def test_declared_features_are_columns_that_say_something(converted: Converted) -> None:
    written = tomllib.loads((converted.folder / "shop.toml").read_text())
    tables = {"items": "catalogue", "events": "events", "users": "users"}

    for section, types in written.get("features", {}).items():
        table = converted.tables[tables[section]]
        assert set(types) <= set(table.columns) & converted.sample.features, section
        for name, kind in types.items():
            assert table.schema[name].is_numeric() == (kind == "number"), name


def test_converting_again_gives_the_same_files(converted: Converted, tmp_path: Path) -> None:
    out = converted.folder
    convert(converted.report.dataset, tmp_path / "published", tmp_path / "again")

    tables = [f"{name}.parquet" for name in converted.sample.tables]
    names = sorted(["conversion.json", "left_out.parquet", "shop.toml", *tables])
    assert sorted(path.name for path in out.iterdir()) == names
    assert all((tmp_path / "again" / n).read_bytes() == (out / n).read_bytes() for n in names)


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError,
        match=r"no data set 'online_retial'; did you mean online-retail\? "
        r"known are .*eshop-clothing, .*online-retail",
    ):
        convert("online_retial", tmp_path, tmp_path / "shop")


def test_a_table_without_a_usable_row_makes_no_shop(tmp_path: Path) -> None:
    ((file, content),) = SAMPLES["online-retail"].files.items()
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
