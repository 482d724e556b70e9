"""Real rows of logs of behaviour in ../shared/data: exact counts, and what they must be true of."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from shelfwise.data.readers.card import ConversionReport
from shelfwise.data.readers.datasets import convert

DATA = Path(__file__).parents[3] / "shared" / "data"

FOLDERS: Mapping[str, str] = {
    "expedia": "expedia",
    "rees46": "rees46",
    "taobao-user-behavior": "taobao_slice",
    "open-bandit": "obp",
    "ipinyou": "ipinyou",
    "talkingdata": "talkingdata",
    "ali-ccp": "format_samples",
    "aliexpress": "format_samples",
}


class Converter:
    """Converts each set once."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._reports: dict[str, ConversionReport] = {}

    def __call__(self, name: str) -> ConversionReport:
        folder = DATA / FOLDERS[name]
        if not folder.is_dir():
            pytest.skip(f"no real data at {folder}")
        if name not in self._reports:
            self._reports[name] = convert(name, folder, self._out / name)
        return self._reports[name]

    def folder(self, name: str) -> Path:
        return self._out / name

    def table(self, name: str, table: str) -> pl.DataFrame:
        self(name)
        return pl.read_parquet(self.folder(name) / f"{table}.parquet")


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Converter:
    return Converter(tmp_path_factory.mktemp("converted"))


def kinds(events: pl.DataFrame) -> dict[str, int]:
    return dict(events["event"].value_counts().iter_rows())


# All rows of these sets can be kept; README of ../shared/data says the same numbers, but for
# Taobao, of which it counts 96,167: the file has no header, and its first line is a row.
KEPT: Mapping[str, Mapping[str, int]] = {
    "expedia": {"impression": 10_000},
    "rees46": {"view": 17_055, "purchase": 214, "cart": 165},
    "taobao-user-behavior": {"view": 85_773, "cart": 5_292, "favourite": 2_959, "purchase": 2_144},
    "open-bandit": {"impression": 60_000},
    "ipinyou": {"impression": 156_063},
    "talkingdata": {"click": 100_000},
    "ali-ccp": {"impression": 100},
    "aliexpress": {"impression": 100},
}


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_every_row_is_kept(converted: Converter, name: str) -> None:
    report = converted(name)

    assert report.kept == KEPT[name]
    assert report.left_out == {}
    assert report.rows_in == sum(KEPT[name].values())


def test_expedia(converted: Converter) -> None:
    found = converted("expedia").found
    events = converted.table("expedia", "events")

    assert kinds(events) == {"impression": 10_000, "click": 457, "purchase": 281}
    assert (found["searches"], found["searches without a click"]) == (412, 0)
    assert found["searches in random order"] == 134
    assert (found["hotels"], found["searches whose list has gaps"]) == (8_598, 408)
    assert not any(items for what, items in found.items() if what.endswith("varies"))


def test_expedia_lists_are_whole(converted: Converter) -> None:
    events = converted.table("expedia", "events")
    shown = events.filter(pl.col("event") == "impression")
    key = ["request_id", "item_id"]

    assert shown.select("request_id", "position").is_unique().all()
    assert shown.select(key).is_unique().all()
    clicks = events.filter(pl.col("event") == "click")
    bookings = events.filter(pl.col("event") == "purchase")
    assert clicks.join(shown, on=[*key, "timestamp"]).height == 457
    assert bookings.join(clicks, on=[*key, "timestamp"]).height == 281
    assert bookings["price"].min() == 26.45  # gross_bookings_usd
    assert events["timestamp"].min() == datetime(2012, 11, 1, 14, 6, 25, tzinfo=UTC)


def test_rees46(converted: Converter) -> None:
    found = converted("rees46").found
    catalogue = converted.table("rees46", "catalogue")

    assert (found["users"], found["sessions"], found["products"]) == (4_504, 5_066, 6_493)
    assert found["sessions of several users"] == 1
    assert found["rows that repeat another exactly"] == 5
    assert catalogue["category"].null_count() == 2_901
    assert catalogue["brand"].null_count() == 1_315
    assert not catalogue["category"].str.contains(r"[._]").any()
    titles = dict(catalogue.select("item_id", "category").iter_rows())
    assert titles["3900821"] == "appliances > environment > water heater"


def test_taobao(converted: Converter) -> None:
    found = converted("taobao-user-behavior").found
    times = converted.table("taobao-user-behavior", "events")["timestamp"]

    assert (found["users"], found["items"], found["categories"]) == (58_732, 75_384, 3_757)
    # 9 in the morning in Beijing, and not quite two hours later.
    assert times.min() == datetime(2017, 11, 26, 1, 0, 0, tzinfo=UTC)
    assert times.max() == datetime(2017, 11, 26, 2, 55, 9, tzinfo=UTC)


CLICKS: Mapping[tuple[str, str], int] = {
    **{("random", "all"): 38, ("random", "men"): 46, ("random", "women"): 46},
    **{("bts", "all"): 42, ("bts", "men"): 69, ("bts", "women"): 46},
}


def test_open_bandit(converted: Converter) -> None:
    events = converted.table("open-bandit", "events")
    logs = events.group_by("policy", "campaign").agg(
        shown=(pl.col("event") == "impression").sum(), clicks=(pl.col("event") == "click").sum()
    )

    found = converted("open-bandit").found
    assert {(p, c): (s, k) for p, c, s, k in logs.iter_rows()} == {
        log: (10_000, clicks) for log, clicks in CLICKS.items()
    }
    assert found["clicks"] == 287
    assert found["items that the policies' copies describe differently"] == 0
    domains = converted.table("open-bandit", "catalogue")["domain"].value_counts()
    assert dict(domains.iter_rows()) == {"all": 80, "men": 34, "women": 46}


def test_open_bandit_propensities_are_those_of_the_policy(converted: Converter) -> None:
    shown = converted.table("open-bandit", "events").filter(pl.col("event") == "impression")
    random = shown.filter(pl.col("policy") == "random")
    items = {"all": 80, "men": 34, "women": 46}

    by_campaign = dict(random.group_by("campaign").agg(pl.col("propensity").unique()).iter_rows())
    for campaign, count in items.items():
        assert by_campaign[campaign] == [pytest.approx(1 / count)]
    # Under a policy's own log the mean of 1 / (n x propensity) is the share of items it can show: 1
    # for true propensities. On women one row of a millionth outweighs the other 9,999 (effective
    # sample size 2), so that no estimate can be made there.
    weight = 1 / (pl.col("propensity") * pl.col("campaign").replace_strict(items))
    bts = shown.filter(pl.col("policy") == "bts").group_by("campaign")
    sizes = bts.agg(weight.mean().alias("mean"), weight.sum() ** 2 / (weight**2).sum())
    measured = {campaign: rest for campaign, *rest in sizes.iter_rows()}
    assert measured["all"] == pytest.approx([1.011, 340.4], rel=1e-3)
    assert measured["men"] == pytest.approx([0.943, 655.7], rel=1e-3)
    assert measured["women"][1] == pytest.approx(2.08, rel=1e-2)
    assert shown["position"].unique().sort().to_list() == [1, 2, 3]


def test_ipinyou(converted: Converter) -> None:
    found = converted("ipinyou").found
    events = converted.table("ipinyou", "events")

    assert kinds(events) == {"impression": 156_063, "click": 530}
    assert found["market prices, summed"] == 8_617_148  # as info.json has it
    assert found["training period: auctions"] == 312_437
    shown = events.filter(pl.col("event") == "impression")
    assert shown["sequence"].to_list() == list(range(1, 156_064))
    assert shown.select("market_price", "predicted_ctr").row(0) == (70.0, 0.0021143609192222357)


def test_talkingdata(converted: Converter) -> None:
    found = converted("talkingdata").found
    events = converted.table("talkingdata", "events")

    assert kinds(events) == {"click": 100_000, "purchase": 227}
    assert (found["addresses"], found["apps"]) == (34_857, 161)
    assert found["users (address, device and system)"] == 77_616
    assert (found["installs"], found["installs within six hours"]) == (227, 211)
    assert found["rows that repeat another exactly"] == 1
    # An install is never more than 13 hours after the click that it is credited to.
    key = ["user_id", "item_id"]
    installs = events.filter(pl.col("event") == "purchase").select(*key, installed="timestamp")
    clicks = events.filter(pl.col("event") == "click").select(*key, "timestamp")
    pairs = installs.join(clicks, on=key).filter(pl.col("timestamp") <= pl.col("installed"))
    delays = pairs.group_by(*key, "installed").agg(pl.col("timestamp").max())
    assert delays.height == 227
    assert (delays["installed"] - delays["timestamp"]).dt.total_hours().max() == 12


def test_format_samples(converted: Converter) -> None:
    assert kinds(converted.table("ali-ccp", "events")) == {
        **{"impression": 100, "click": 7, "purchase": 1}
    }
    assert converted("ali-ccp").found["rows of no known item"] == 35
    assert converted.table("ali-ccp", "users").height == 1
    assert kinds(converted.table("aliexpress", "events")) == {
        **{"impression": 100, "click": 60, "purchase": 2}
    }
    assert converted("aliexpress").found["searches"] == 41


@pytest.mark.parametrize(("name", "differ"), [("expedia", 29), ("aliexpress", 0)])
def test_features_of_the_log_are_those_of_the_request_but_for_its_offers(
    converted: Converter, name: str, differ: int
) -> None:
    converted(name)
    toml = tomllib.loads((converted.folder(name) / "shop.toml").read_text())
    declared = list(toml["features"]["events"])
    shown = converted.table(name, "events").filter(pl.col("event") == "impression")

    versions = shown.group_by("request_id").agg(pl.col(declared).n_unique()).drop("request_id")
    assert sum(most > 1 for most in versions.max().row(0)) == differ
