"""iPinYou ad auctions of one campaign, as prepared for research on bidding.

A line is an auction that the campaign won: whether the ad was clicked, the market price (the
highest competing bid, in fen per thousand impressions) and the click rate that a published
logistic regression predicted. There is no time, no user and no ad beside the campaign. The lines
are in the order of the auctions, which bidding under a budget needs: it is kept as ``sequence``.
Each auction is its own session. The market price is known only after the auction.

info.json beside it sums up the campaign; where it is there, the lines are held against it. Its
distribution of market prices in the training period is not part of a shop and stays behind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.outcomes import events_of
from shelfwise.data.readers.published import PublishedFolder, Unpacked
from shelfwise.data.readers.published_table import Layout, PublishedColumn
from shelfwise.data.readers.reasons import missing, sort_out
from shelfwise.data.readers.shop_folder import ConvertedShop
from shelfwise.schema.errors import DataError
from shelfwise.schema.event import EventKind, Surface

CARD = DatasetCard(
    name="ipinyou",
    title="iPinYou auctions with market price and predicted click rate",
    publisher="iPinYou; prepared by the authors of RLB (Cai et al. 2017)",
    url="https://github.com/han-cai/rlb-dp",
    terms="for research, according to iPinYou's competition; no licence to redistribute is stated",
    citation=(
        "Liao, H., Peng, L., Liu, Z., Shen, X. (2014): iPinYou Global RTB Bidding Algorithm "
        "Competition Dataset. ADKDD. Zhang, W., Yuan, S., Wang, J., Shen, X. (2014): Real-Time "
        "Bidding Benchmarking with iPinYou Dataset. arXiv:1407.7073. Cai, H. et al. (2017): "
        "Real-Time Bidding by Reinforcement Learning in Display Advertising. WSDM. "
        "arXiv:1701.02490"
    ),
    shows=(
        "bidding and budget pacing against real market prices, auction by auction. The click "
        "rate is another model's; one ad, no users, no text, no clock"
    ),
    files=("test.theta.txt", "auctions_2997_test.txt"),
)
_INFO = ("info.json", "2997.info.json")

COLUMNS = (
    PublishedColumn("clicked", "click", "integer"),
    PublishedColumn("market_price", "market price", "integer"),
    PublishedColumn("predicted_ctr", "predicted click rate", "number"),
)
_LAYOUT = Layout(headed=False, separator=" ")

# What the campaigns advertise (Zhang et al. 2014, table 1).
_ADVERTISED: Mapping[str, str] = {
    "1458": "Chinese vertical e-commerce",
    "2259": "milk powder",
    "2261": "telecom",
    "2821": "footwear",
    "2997": "mobile e-commerce app install",
    "3358": "software",
    "3386": "international e-commerce",
    "3427": "oil",
    "3476": "tire",
}

_REASONS = (
    ("click, market price or predicted click rate missing", missing(*(c.name for c in COLUMNS))),
    ("market price below zero", pl.col("market_price") < 0),
    ("click neither 0 nor 1", ~pl.col("clicked").is_in([0, 1])),
)

_SHOP_TOML = """\
# iPinYou auctions, converted by `shelfwise datasets convert ipinyou`.
[shop]
name = "iPinYou campaign {campaign}"
currency = "CNY"

[split]
# An order and no clock. No auction has a past of its own, so all of them are one part: they are
# here to bid in again, one after the other, and not to train on.
kind = "leave_last_out"

[match]
events = ["click"]
target = "next"

[features.events]
# Not market_price: it is known only after the auction.
predicted_ctr = "number"
"""


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The auctions of one campaign, which its file or folder names, and what they become."""
    table = folder.table(COLUMNS, layout=_LAYOUT)
    campaign = _campaign(folder.find())
    training = {}
    if folder.holds(_INFO):
        training = _summed_up(folder.content(_INFO), table)
    return table.height, to_shop(table, campaign, training)


def to_shop(table: pl.DataFrame, campaign: str, training: Mapping[str, int]) -> ConvertedShop:
    """Every auction as an impression on the surface ads, with its click; the campaign as the item.

    ``training``: what info.json tells of the training period, passed on to the report.
    """
    won, left_out = sort_out(table, _REASONS, table.columns)
    item = pl.DataFrame(
        {"item_id": [campaign], "title": [_ADVERTISED.get(campaign)], "language": ["en"]},
        schema={"item_id": pl.String, "title": pl.String, "language": pl.String},
    )
    return ConvertedShop(
        tables={"catalogue": item, "events": _events(won, campaign)},
        kept={"impression": won.height},
        left_out=left_out,
        shop_toml=_SHOP_TOML.format(campaign=campaign),
        changed={},
        found={
            "clicks": won.filter(pl.col("clicked") == 1).height,
            "market prices, summed": int(won["market_price"].sum()),
            **training,
        },
    )


def _events(won: pl.DataFrame, campaign: str) -> pl.DataFrame:
    auction = pl.col("line").cast(pl.String)
    tie = (
        "line",
        auction.alias("session_id"),
        auction.alias("request_id"),
        pl.lit(campaign).alias("item_id"),
        pl.col("line").alias("sequence"),
        pl.lit(Surface.ADS.value).alias("surface"),
        pl.lit(campaign).alias("campaign_id"),
    )
    return events_of(
        {
            EventKind.IMPRESSION: won.select(
                *tie, pl.col("market_price").cast(pl.Float64), "predicted_ctr"
            ),
            EventKind.CLICK: won.filter(pl.col("clicked") == 1).select(*tie),
        },
        order=[],
    )


def _campaign(path: Path) -> str:
    named = re.findall(r"\d{4}", f"{path.parent.name}/{path.name}")
    if not named:
        raise DataError(
            f"{path}: which campaign? Lay it in a folder named after it, like 2997/test.theta.txt"
        )
    return str(named[-1])


def _summed_up(info: Unpacked, table: pl.DataFrame) -> dict[str, int]:
    """What info.json tells of training; its sums of the test must be those of the lines."""
    try:
        told = json.loads(info.content)
        sums = {name: int(told[name]) for name in ("imp_test", "clk_test", "cost_test")}
        training = {
            f"training period: {what}": int(told[name])
            for name, what in (
                ("imp_train", "auctions"),
                ("clk_train", "clicks"),
                ("cost_train", "market prices, summed"),
            )
        }
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{info.path}: not the summary of a campaign: {error!r}") from error
    found = {
        "imp_test": table.height,
        "clk_test": int(table["clicked"].sum()),
        "cost_test": int(table["market_price"].sum()),
    }
    if sums != found:
        raise DataError(
            f"{info.path}: says {sums}, and the lines hold {found}; "
            "fetch both again, or lay the summary elsewhere"
        )
    return training
