from __future__ import annotations

import tomllib
from datetime import timedelta
from math import sqrt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shelfwise.data.config import DataOptions
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.generate import write_sample_shop
from shelfwise.data.sample_shop.outcomes import SURFACES, examination
from shelfwise.schema.columns import CAMPAIGNS, CATALOGUE, EVENTS

from .conftest import WrittenShop

TINY = SampleOptions(users=40, items=300, days=12)
SHOWN = ["request_id", "item_id"]


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_seed_same_bytes_another_seed_another_shop(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_sample_shop(tmp_path / name, TINY.model_copy(update={"seed": seed}))

    first, again, other = (_bytes(tmp_path / name) for name in "abc")
    assert sorted(first) == [
        "campaigns.csv",
        "catalogue.csv",
        "events.parquet",
        "judgements.csv",
        "shop.toml",
        "truth/README.txt",
        "truth/bots.parquet",
        "truth/impressions.parquet",
        "truth/metrics.json",
    ]
    assert first == again
    # Without bots there is nobody to name.
    same = {name for name in first if first[name] == other[name]}
    assert same == {"truth/README.txt", "truth/bots.parquet"}


def test_columns_are_the_canonical_ones(shop: WrittenShop) -> None:
    known = {column.name for column in EVENTS}
    assert set(shop.events.columns) - known == {"device", "country"}
    assert known - set(shop.events.columns) == {"sequence"}
    assert shop.events["event_id"].n_unique() == len(shop.events)
    assert shop.events.schema["timestamp"] == pl.Datetime("ms", "UTC")
    assert set(shop.catalogue.columns) == {column.name for column in CATALOGUE} | {"added"}
    campaigns = pl.read_csv(shop.folder / "campaigns.csv")
    assert campaigns.columns == [column.name for column in CAMPAIGNS]


def test_shop_toml_is_valid_and_later_than_the_log(shop: WrittenShop) -> None:
    options = DataOptions.model_validate(tomllib.loads((shop.folder / "shop.toml").read_text()))

    assert options.shop.synthetic
    assert options.events.latest is not None
    assert options.events.latest > shop.events["timestamp"].max()


def test_the_log_is_in_order_and_in_its_time(shop: WrittenShop) -> None:
    times = shop.events["timestamp"]
    assert times.is_sorted()
    assert times.min() >= shop.options.start
    assert times.max() < shop.options.start + timedelta(days=shop.options.days)
    requests = shop.of_kind("impression").unique("request_id", maintain_order=True)["request_id"]
    assert requests.is_sorted()


def test_everything_refers_to_the_catalogue(shop: WrittenShop) -> None:
    known = set(shop.catalogue["item_id"])
    assert len(known) == shop.options.items
    assert shop.catalogue["title"].n_unique() == shop.options.items
    assert set(shop.events["item_id"].drop_nulls()) <= known
    assert set(pl.read_csv(shop.folder / "campaigns.csv")["item_id"]) <= known
    sold_out = set(shop.catalogue.filter(~pl.col("available"))["item_id"])
    assert sold_out
    assert not sold_out & set(shop.of_kind("impression")["item_id"])


def test_every_impression_has_its_truth(shop: WrittenShop) -> None:
    impressions = shop.of_kind("impression")

    assert impressions.select(SHOWN).equals(shop.truth.select(SHOWN))
    assert not impressions.select(SHOWN).is_duplicated().any()
    product = shop.truth["examination"] * shop.truth["relevance"]
    assert shop.truth["p_click"].to_numpy() == pytest.approx(product.to_numpy())
    surface = impressions["surface"].replace_strict({name: n for n, name in enumerate(SURFACES)})
    expected = examination(surface.to_numpy(), impressions["position"].to_numpy())
    assert shop.truth["examination"].to_numpy() == pytest.approx(expected)
    for name in ("relevance", "p_convert"):
        assert shop.truth[name].is_between(0, 1, closed="none").all()


def test_each_reaction_follows_what_it_reacts_to(shop: WrittenShop) -> None:
    for before, after in (
        ("impression", "click"),
        ("click", "cart"),
        ("cart", "purchase"),
        ("purchase", "return"),
    ):
        later = shop.of_kind(after).select(*SHOWN, "timestamp", "user_id")
        pairs = later.join(
            shop.of_kind(before).select(*SHOWN, "timestamp", "user_id"),
            on=SHOWN,
            how="left",
            suffix="_before",
        )
        assert len(pairs) == len(later) > 0
        assert (
            pairs["user_id"].equals(pairs["user_id_before"], check_names=False)
            or (pairs["user_id"] == pairs["user_id_before"]).all()
        )
        assert (pairs["timestamp"] > pairs["timestamp_before"]).all()
    delay = shop.of_kind("purchase").join(shop.of_kind("click"), on=SHOWN, suffix="_click")
    waited = delay["timestamp"] - delay["timestamp_click"]
    assert waited.max() <= timedelta(days=14)
    assert waited.max() > timedelta(days=3)


@pytest.mark.parametrize("surface", SURFACES)
def test_clicks_are_as_frequent_as_the_truth_says(shop: WrittenShop, surface: str) -> None:
    clicked = shop.of_kind("click").select(*SHOWN, pl.lit(1).alias("clicked"))
    rows = (
        shop.of_kind("impression")
        .with_columns(shop.truth["p_click"])
        .filter(pl.col("surface") == surface)
        .join(clicked, on=SHOWN, how="left")
    )
    p = rows["p_click"].to_numpy()

    # Independent draws: the count has variance sum p (1 - p); four standard deviations.
    missed = abs(rows["clicked"].sum() - p.sum())
    assert missed < 4 * sqrt((p * (1 - p)).sum())


def test_purchases_are_as_frequent_as_the_truth_says(shop: WrittenShop) -> None:
    bought = shop.of_kind("purchase").select(*SHOWN, pl.lit(1).alias("bought"))
    # Fourteen days suffice for every purchase to be in the log.
    settled = shop.options.start + timedelta(days=shop.options.days - 14)
    rows = (
        shop.of_kind("click")
        .filter(pl.col("timestamp") < settled)
        .join(shop.truth, on=SHOWN)
        .join(bought, on=SHOWN, how="left")
    )
    p = rows["p_convert"].to_numpy()

    missed = abs(rows["bought"].fill_null(0).sum() - p.sum())
    assert missed < 4 * sqrt((p * (1 - p)).sum())


def test_lists_have_their_length_and_their_propensities(shop: WrittenShop) -> None:
    lists = (
        shop.of_kind("impression")
        .group_by("request_id", "surface")
        .agg(pl.col("position").sort(), pl.col("campaign_id").null_count().alias("unpaid"))
        .with_columns(pl.col("position").list.len().alias("length"))
    )
    lengths = {
        name: set(lists.filter(pl.col("surface") == name)["length"].to_list()) for name in SURFACES
    }
    assert lengths == {"search": {10}, "recommendation": {8, 9, 10}, "ads": {2}}
    places = lists["position"].to_list()
    assert all(found == list(range(1, len(found) + 1)) for found in places)
    paid = lists.filter(pl.col("surface") == "ads")
    assert paid["unpaid"].sum() == 0
    assert shop.of_kind("impression")["propensity"].is_between(0, 1, closed="right").all()


def test_a_storefront_shows_its_shoppers_their_own_language(shop: WrittenShop) -> None:
    languages = shop.catalogue["language"].value_counts().sort("language")
    assert languages.rows() == [("en", 300), ("zh", 300)]
    chinese = shop.catalogue.filter(pl.col("language") == "zh")
    assert chinese["title"].str.contains(r"[\u4e00-\u9fff]").all()
    english = shop.catalogue.filter(pl.col("language") == "en")
    assert not english["title"].str.contains(r"[\u4e00-\u9fff]").any()

    seen = shop.events.drop_nulls("item_id").join(
        shop.catalogue.select("item_id", "language"), on="item_id"
    )
    assert seen.group_by("user_id").agg(pl.col("language").n_unique())["language"].max() == 1
    queried = seen.drop_nulls("query").filter(pl.col("query").str.contains(r"[\u4e00-\u9fff]"))
    assert set(queried["language"]) == {"zh"}


def test_judgements_grade_what_the_catalogue_has(shop: WrittenShop) -> None:
    pairs = pl.read_csv(shop.folder / "judgements.csv")

    assert pairs.columns == ["query", "item_id", "grade", "label"]
    assert set(pairs.select("grade", "label").rows()) == {
        (3, "exact"),
        (2, "substitute"),
        (1, "complement"),
        (0, "irrelevant"),
    }
    assert not pairs.select("query", "item_id").is_duplicated().any()
    # A best item is of the brand and type that its query names.
    titles = pairs.join(shop.catalogue, on="item_id").filter(pl.col("grade") == 3)
    brand = titles.filter(pl.col("query").str.contains(r"^kumo \w+"))
    assert (brand["brand"] == "Kumo").all()


def test_budgets_cover_the_clicks(shop: WrittenShop) -> None:
    campaigns = pl.read_csv(shop.folder / "campaigns.csv")
    spent = (
        shop.of_kind("click")
        .drop_nulls("campaign_id")
        .join(campaigns, on="campaign_id")
        .group_by("campaign_id", "budget")
        .agg(pl.col("bid").sum())
    )
    assert len(spent) > 0
    assert (spent["bid"] <= spent["budget"] + 1e-9).all()


def test_history_tells_more_than_popularity(shop: WrittenShop) -> None:
    clicks = shop.of_kind("click").join(shop.catalogue.select("item_id", "category"), on="item_id")
    middle = len(clicks) // 2
    before, after = clicks[:middle], clicks[middle:]
    own = before.group_by("user_id", "category").len("own")
    usual = before.group_by("category").len("usual")
    judged = after.filter(pl.col("user_id").is_in(before["user_id"].unique().implode()))

    favourites = own.sort("own", "category", descending=True).group_by("user_id").head(3)
    popular = usual.sort("usual", "category", descending=True)["category"][:3]
    by_history = judged.join(favourites, on=["user_id", "category"], how="semi")
    by_popularity = judged.filter(pl.col("category").is_in(popular.implode()))

    assert len(by_history) > 3 * len(by_popularity)


def test_summary_counts_what_was_written(shop: WrittenShop) -> None:
    counts = dict(shop.events.group_by("event").len().iter_rows())

    assert shop.summary.impressions == counts["impression"] == len(shop.truth)
    assert shop.summary.clicks == counts["click"]
    assert shop.summary.purchases == counts["purchase"]
    assert shop.summary.events == len(shop.events)
    assert np.isclose(shop.summary.users, shop.options.users)


@pytest.mark.parametrize(
    "extreme",
    [
        {"exploration_share": 0.0, "typo_share": 0.0},
        {"exploration_share": 1.0, "typo_share": 1.0},
        {"users": 20, "visits_per_month": 5, "language": "both"},
        {"users": 20, "visits_per_month": 5, "bot_share": 0.5, "new_item_share": 0.5},
        {"users": 20, "visits_per_month": 5, "bot_share": 0.001, "bot_strength": "hard"},
        {"domains": 2, "new_item_share": 0.0, "start": "2024-02-29T12:00:00+05:00"},
    ],
    ids=[
        "nothing at random",
        "all at random",
        "hardly a visit",
        "as many bots as shoppers",
        "hardly a bot",
        "books, from a leap day on",
    ],
)
def test_extreme_shops_are_written(tmp_path: Path, extreme: dict[str, object]) -> None:
    options = SampleOptions.model_validate({**TINY.model_dump(), **extreme})

    summary = write_sample_shop(tmp_path, options)

    impressions = pl.read_parquet(tmp_path / "events.parquet").filter(
        pl.col("event") == "impression"
    )
    assert summary.impressions == len(impressions)
    assert impressions["propensity"].is_between(0, 1, closed="right").all()


def test_nothing_is_shown_before_it_is_sold(shop: WrittenShop) -> None:
    added = shop.catalogue.select("item_id", pl.col("added").str.to_datetime(time_zone="UTC"))
    late = added.drop_nulls("added")
    # 15 % of 600; four standard deviations are 35.
    assert abs(len(late) - 90) < 35
    shown = shop.of_kind("impression").join(late, on="item_id")
    assert len(shown) > 100
    assert (shown["timestamp"] >= shown["added"]).all()


def test_two_domains_share_shoppers_and_no_shelf(shop: WrittenShop) -> None:
    seen = shop.events.drop_nulls("item_id").join(
        shop.catalogue.select("item_id", "domain"), on="item_id"
    )
    clicked = seen.filter(pl.col("event") == "click").group_by("user_id")
    both = clicked.agg(pl.col("domain").n_unique())
    assert set(seen["domain"]) == {"goods", "books"}
    assert 0.15 < (both["domain"] == 2).mean() < 0.75
    shelves = seen.filter(pl.col("surface") != "ads", pl.col("event") == "impression")
    assert shelves.group_by("request_id").agg(pl.col("domain").n_unique())["domain"].max() == 1
