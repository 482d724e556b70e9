"""Hand-made auctions, and the summary they are held against."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from data.readers.as_read import as_read, said

from shelfwise.data.readers import ipinyou
from shelfwise.data.readers.ipinyou import CARD, COLUMNS, to_shop
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.schema.errors import DataError

AUCTIONS = "0 70 0.0021\n1 6 0.0033\n"
SUMMARY = {
    **{"imp_test": 2, "clk_test": 1, "cost_test": 76},  # 70 + 6
    **{"imp_train": 10, "clk_train": 3, "cost_train": 500, "price_counter_train": [0, 9]},
}


def auction(**changes: object) -> dict[str, object]:
    return {"clicked": 0, "market_price": 70, "predicted_ctr": 0.0021, **changes}


def published(folder: Path, summary: object = SUMMARY) -> PublishedFolder:
    campaign = folder / "2997"
    campaign.mkdir()
    (campaign / "test.theta.txt").write_text(AUCTIONS)
    (campaign / "info.json").write_text(json.dumps(summary))
    return PublishedFolder(CARD, campaign)


def test_an_auction_is_an_impression_in_order() -> None:
    shop = to_shop(as_read(COLUMNS, auction(), auction(clicked=1)), "2997", {})

    told = {"market_price": 70.0, "predicted_ctr": 0.0021}
    tie = {"item_id": "2997", "surface": "ads", "campaign_id": "2997"}
    first = {"session_id": "1", "request_id": "1", "sequence": 1}
    second = {"session_id": "2", "request_id": "2", "sequence": 2}
    assert said(shop.tables["events"]) == [
        {"event": "impression", **first, **tie, **told},
        {"event": "impression", **second, **tie, **told},
        {"event": "click", **second, **tie},
    ]
    assert shop.kept == {"impression": 2}


def test_the_campaign_is_the_item() -> None:
    shop = to_shop(as_read(COLUMNS, auction()), "2997", {})

    assert shop.tables["catalogue"].rows() == [("2997", "mobile e-commerce app install", "en")]


def test_folder_and_summary_are_read(tmp_path: Path) -> None:
    count, shop = ipinyou.read(published(tmp_path))

    assert (count, shop.kept) == (2, {"impression": 2})
    assert shop.found == {
        "clicks": 1,
        "market prices, summed": 76,
        "training period: auctions": 10,
        "training period: clicks": 3,
        "training period: market prices, summed": 500,
    }
    assert shop.tables["events"]["campaign_id"].unique().to_list() == ["2997"]


@pytest.mark.parametrize(
    ("summary", "message"),
    [
        ({**SUMMARY, "cost_test": 77}, r"'cost_test': 77.* the lines hold .*'cost_test': 76"),
        ({"imp_test": 2}, "not the summary of a campaign: KeyError"),
        ([1], "not the summary of a campaign"),
    ],
)
def test_a_summary_that_does_not_fit_is_refused(
    tmp_path: Path, summary: object, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        ipinyou.read(published(tmp_path, summary))


def test_without_a_summary_the_lines_are_enough(tmp_path: Path) -> None:
    (tmp_path / "auctions_2997_test.txt").write_text(AUCTIONS)

    _, shop = ipinyou.read(PublishedFolder(CARD, tmp_path))

    assert shop.found == {"clicks": 1, "market prices, summed": 76}


def test_a_campaign_must_be_named(tmp_path: Path) -> None:
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / "test.theta.txt").write_text(AUCTIONS)

    with pytest.raises(DataError, match="which campaign"):
        ipinyou.read(PublishedFolder(CARD, folder))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"market_price": None},
            "click, market price or predicted click rate missing",
        ),
        ({"market_price": -1}, "market price below zero"),
        ({"clicked": 2}, "click neither 0 nor 1"),
    ],
)
def test_rows_left_out_say_why(changes: dict[str, object], reason: str) -> None:
    shop = to_shop(as_read(COLUMNS, auction(), auction(**changes)), "2997", {})

    assert shop.kept == {"impression": 1}
    assert shop.left_out.select("line", "reason").rows() == [(2, reason)]
