"""Open Bandit (ZOZOTOWN): impressions with the true probability of showing the item there.

Two policies, ``random`` (uniform) and ``bts`` (Bernoulli Thompson sampling), each on the campaigns
``all``, ``men`` and ``women``; every event names its ``policy`` and ``campaign``. A row is one
place of one visit and nothing ties rows of a visit together, so each row is its own session and
request, ``bts/men/17`` for line 17 of that log. A click is dated to its row. Items are numbered
anew in each campaign: ``men-3`` and ``all-3`` are different ones. Times are written in UTC.

Each policy's copy of item_context.csv writes the same hashed features under other hashes; the
catalogue takes those of the ``random`` copy. Of a visitor's affinities, the one to the item
shown is kept as ``affinity``; those to items not shown there are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import polars as pl

from shelfwise.data.features.options import FeatureType
from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.feature_section import features_toml, types_of
from shelfwise.data.readers.outcomes import events_of
from shelfwise.data.readers.periods import periods_by_rows, split_toml
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import PublishedColumn
from shelfwise.data.readers.reasons import missing, sort_out
from shelfwise.data.readers.shop_folder import ConvertedShop
from shelfwise.schema.errors import DataError
from shelfwise.schema.event import EventKind, Surface

POLICIES = ("random", "bts")
CAMPAIGNS = ("all", "men", "women")

CARD = DatasetCard(
    name="open-bandit",
    title="Open Bandit Dataset",
    publisher="ZOZO Research",
    url="https://research.zozo.com/data.html",
    terms="CC BY 4.0 according to the publisher's page; confirm there before you redistribute",
    citation=(
        "Saito, Y., Aihara, S., Matsutani, M., Narita, Y. (2021): Open Bandit Dataset and "
        "Pipeline: Towards Realistic and Reproducible Off-Policy Evaluation. NeurIPS Datasets "
        "and Benchmarks. arXiv:2008.07146"
    ),
    shows=(
        "off-policy estimates from logged propensities, checked against the other policy's own "
        "log. In the sample of 10,000 rows a log, 38 to 69 clicks each: wide intervals. Hashed "
        "features, no text, no user to follow"
    ),
    files=tuple(f"{policy}/{name}/{name}.csv" for policy, name in product(POLICIES, CAMPAIGNS)),
)

_MOST_ITEMS = 80  # in the campaign "all"
_USER = tuple(f"user_feature_{number}" for number in range(4))
_AFFINITIES = tuple(f"affinity_{number}" for number in range(_MOST_ITEMS))
COLUMNS = (
    PublishedColumn("timestamp", "timestamp", "time"),
    PublishedColumn("item", "item_id", "integer"),
    PublishedColumn("position", "position", "integer"),
    PublishedColumn("clicked", "click", "integer"),
    PublishedColumn("propensity", "propensity_score", "number"),
    *(PublishedColumn(name, name, "text") for name in _USER),
    *(
        PublishedColumn(name, f"user-item_affinity_{number}", "number", optional=True)
        for number, name in enumerate(_AFFINITIES)
    ),
)
_FEATURES: Mapping[str, FeatureType] = {
    **{"policy": "category", "campaign": "category"},
    **dict.fromkeys(_USER, "category"),
    **{"affinity": "number"},
}
_HASHED = ("item_feature_1", "item_feature_2", "item_feature_3")
_ITEM = ("item_feature_0", *_HASHED)
ITEM_COLUMNS = (
    PublishedColumn("item", "item_id", "integer"),
    PublishedColumn("item_feature_0", "item_feature_0", "number"),
    *(PublishedColumn(name, name, "text") for name in _HASHED),
)

_REASONS = (
    ("time, item or position missing", missing("timestamp", "item", "position")),
    ("click not said", missing("clicked")),
    (
        "propensity not within (0, 1]",
        missing("propensity") | (pl.col("propensity") <= 0) | (pl.col("propensity") > 1),
    ),
)

_SHOP_TOML = """\
# Open Bandit, converted by `shelfwise datasets convert open-bandit`.
[shop]
name = "Open Bandit (ZOZOTOWN)"

[match]
events = ["click"]
"""


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The logs that are there, of six, and what their rows become."""
    logs, items = [], []
    for policy, campaign in product(POLICIES, CAMPAIGNS):
        names = _names(policy, campaign, f"{campaign}.csv")
        if not folder.holds(names):
            continue
        source = (pl.lit(policy).alias("policy"), pl.lit(campaign).alias("campaign"))
        log = folder.table(COLUMNS, names)
        context = folder.table(ITEM_COLUMNS, _names(policy, campaign, "item_context.csv"))
        logs.append(log.select(*source, pl.all()))
        items.append(context.select(*source, pl.all()))
    if not logs:
        raise DataError(
            f"{CARD.name} needs logs like {CARD.files[0]} (from {CARD.url}); "
            "name the folder that holds the folders random and bts"
        )
    table = pl.concat(logs)
    return table.height, to_shop(table, pl.concat(items))


def _names(policy: str, campaign: str, name: str) -> tuple[str, str]:
    inside = f"{policy}/{campaign}/{name}"
    return inside, f"open_bandit_dataset/{inside}"


def to_shop(table: pl.DataFrame, items: pl.DataFrame) -> ConvertedShop:
    """Every row as an impression, with its click; every campaign's item as an item.

    Args:
        table: the logs, one under the other: ``policy``, ``campaign``, ``line`` and `COLUMNS`.
        items: their item contexts in the same way, with `ITEM_COLUMNS`.
    """
    log = table.with_columns(affinity=_affinity_to_the_shown(), total=_total_affinity()).drop(
        _AFFINITIES
    )
    shown, left_out = sort_out(log, _REASONS, [c for c in log.columns if c != "total"])
    periods = periods_by_rows(shown["timestamp"])
    return ConvertedShop(
        tables={"catalogue": _catalogue(shown, items), "events": _events(shown)},
        kept={"impression": shown.height},
        left_out=left_out,
        shop_toml=_SHOP_TOML
        + split_toml(periods)
        + features_toml("events", _FEATURES)
        + features_toml("items", types_of(ITEM_COLUMNS[1:])),
        changed={},
        found=_found(shown, items),
    )


def _affinity_to_the_shown() -> pl.Expr:
    return pl.concat_list(_AFFINITIES).list.get(pl.col("item"), null_on_oob=True)


def _total_affinity() -> pl.Expr:
    return pl.sum_horizontal(_AFFINITIES)


def _item_id() -> pl.Expr:
    return pl.format("{}-{}", "campaign", "item")


def _events(shown: pl.DataFrame) -> pl.DataFrame:
    visit = pl.format("{}/{}/{}", "policy", "campaign", "line")
    tie = (
        "line",
        visit.alias("session_id"),
        visit.alias("request_id"),
        _item_id().alias("item_id"),
        "timestamp",
        pl.lit(Surface.RECOMMENDATION.value).alias("surface"),
        "policy",
        "campaign",
    )
    return events_of(
        {
            EventKind.IMPRESSION: shown.select(*tie, "position", "propensity", *_USER, "affinity"),
            EventKind.CLICK: shown.filter(pl.col("clicked") == 1).select(*tie),
        },
        # Two logs may have a row of the same moment and line.
        order=["timestamp", "policy", "campaign"],
    )


def _catalogue(shown: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Every item that a context describes or a log shows."""
    described = items.sort(pl.col("policy") != POLICIES[0], maintain_order=True).unique(
        ["campaign", "item"], keep="first", maintain_order=True
    )
    return (
        pl.concat([items.select("campaign", "item"), shown.select("campaign", "item")])
        .unique()
        .join(described, on=["campaign", "item"], how="left")
        .sort("campaign", "item")
        .select(
            _item_id().alias("item_id"),
            pl.col("campaign").alias("domain"),
            *_ITEM,
        )
    )


def _found(shown: pl.DataFrame, items: pl.DataFrame) -> Mapping[str, int]:
    clicks = shown.group_by("policy", "campaign").agg(pl.col("clicked").sum())
    return {
        "clicks": shown.filter(pl.col("clicked") == 1).height,
        **{
            f"clicks of the policy {policy}, campaign {campaign}": clicked
            for policy, campaign, clicked in clicks.sort("policy", "campaign").iter_rows()
        },
        "items": shown.select("campaign", "item").unique().height,
        "items that the policies' copies describe differently": _contradictions(items),
        "rows with an affinity to an item not shown there, left out": shown.filter(
            pl.col("total") != pl.col("affinity").fill_null(0)
        ).height,
    }


def _contradictions(items: pl.DataFrame) -> int:
    """Items whose copies differ in more than the hashes: in the number, or in what is alike."""
    alike: Sequence[pl.Expr] = [
        pl.col("item").min().over("policy", "campaign", name).alias(name) for name in _HASHED
    ]
    plain = items.select("policy", "campaign", "item", "item_feature_0", *alike)
    copies = plain.group_by("campaign", "item").agg(pl.struct(_ITEM).n_unique().alias("versions"))
    return copies.filter(pl.col("versions") > 1).height
