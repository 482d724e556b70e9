from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from data.small_log import event, prepared_shop, write_table

from shelfwise.data.batches import examples_of
from shelfwise.data.features.point_in_time import SCHEMA
from shelfwise.data.part_rows import LEARNED, TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.baselines.hand_features import HandFeatures
from shelfwise.retrieval.text_index import TextIndex

CATALOGUE = [
    {"item_id": "i0", "title": "red shoe", "price": 10, "category": "shoes"},
    {"item_id": "i1", "title": "blue shoe", "price": 40, "category": "shoes"},
    {"item_id": "i2", "title": "white lamp", "price": "", "category": ""},
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    """One shopper who views i0 twice and i1 once, and is then shown three items for a query."""
    folder = tmp_path_factory.mktemp("hand")
    write_table(folder / "shop", "catalogue", CATALOGUE)
    rows = [event("view", "u1", hour, item) for hour, item in ((1, "i0"), (2, "i0"), (3, "i1"))]
    told = {"request_id": "r1", "query": "red shoes please", "surface": "search"}
    rows += [
        event("impression", "u1", 10, f"i{item}", position=3 - item, **told) for item in range(3)
    ]
    rows.append(event("click", "u1", 10.5, "i0", request_id="r1", position=3))
    rows.append(event("impression", "u2", 85, "i1", request_id="r2", surface="recommendation"))
    rows.append(event("view", "u2", 99, "i1"))
    return prepared_shop(folder, rows)


def columns(found: HandFeatures, requests: int = 1_000_000) -> dict[str, list[float]]:
    """Every feature of every row, made so many requests at a time."""
    blocks = list(found.blocks(requests))
    assert len({block.names for block in blocks}) == 1
    assert [block.first for block in blocks[1:]] == [block.stop for block in blocks[:-1]]
    value_NF = np.concatenate([block.value_NF for block in blocks])
    assert value_NF.dtype == np.float32
    return dict(zip(blocks[0].names, value_NF.T.tolist(), strict=True))


def test_features_by_hand(shop: PreparedShop) -> None:
    found = HandFeatures.of(shop, TRAINED)

    item_N = shop.items["item_id"].gather(found.examples.shown_item_N).to_list()
    place = [item_N.index(item) for item in ("i0", "i1", "i2")]
    told = {name: [values[at] for at in place] for name, values in columns(found).items()}
    assert told["log_position"] == pytest.approx([log(3), log(2), 0])
    assert told["position_unknown"] == [0, 0, 0]
    assert told["on_search"] == [1, 1, 1]
    assert told["on_recommendation"] == [0, 0, 0]
    assert told["log_price"] == pytest.approx([log(10), log(40), np.nan], nan_ok=True)
    assert told["query"] == [1, 1, 1]
    # Of "red", "shoe" and the unknown "please" the first two are known; i0's title has both.
    assert told["title_share"] == pytest.approx([1, 0.5, 0])
    scores = TextIndex(shop.items["text"].to_list()).scores("red shoes please")
    assert told["bm25"] == pytest.approx(
        [scores[number] for number in found.examples.shown_item_N[place]]
    )
    # Before: i0 twice, i1 once, all three of category shoes.
    assert told["item_before"] == pytest.approx([log(3), log(2), 0])
    assert told["category_before"] == pytest.approx([log(4), log(4), 0])
    mean = (2 * log(10) + log(40)) / 3
    assert told["price_gap"] == pytest.approx(
        [log(10) - mean, log(40) - mean, np.nan], nan_ok=True, abs=1e-6
    )


def test_without_a_query_a_place_or_a_past(shop: PreparedShop) -> None:
    told = columns(HandFeatures.of(shop, ["test"]))

    assert told["query"] == told["bm25"] == told["title_share"] == [0]
    assert told["on_recommendation"] == [1]
    assert told["position_unknown"] == [1]
    assert told["item_before"] == told["category_before"] == [0]
    assert np.isnan(told["price_gap"]).all()


@pytest.mark.parametrize("parts", [TRAINED, ("validation",), LEARNED, ("test",)])
def test_rows_are_those_of_the_examples(prepared_sample: PreparedShop, parts: tuple) -> None:
    found = HandFeatures.of(prepared_sample, parts)

    examples = examples_of(prepared_sample, parts)
    assert (found.examples.shown_item_N == examples.shown_item_N).all()
    # What prepare wrote is looked up by request and item, one row of each.
    table = pl.concat(
        [
            prepared_sample.impressions.select("request", "item"),
            prepared_sample.features().select("item_shown", "item_click_rate").collect(),
        ],
        how="horizontal",
    )
    shown = dict(zip(table.select("request", "item").rows(), table["item_shown"], strict=True))
    count_R = np.diff(examples.shown_offset_R1)
    request_N = np.repeat(examples.request_R, count_R)
    expected = [
        np.log1p(shown[request, item])
        for request, item in zip(request_N.tolist(), examples.shown_item_N.tolist(), strict=True)
    ]
    assert columns(found)["item_shown"] == pytest.approx(expected, rel=1e-5)


def test_a_shop_prepared_without_statistics_has_the_rest(tmp_path: Path) -> None:
    rows = [
        event("impression", "u1", hour, "i0", request_id=f"r{hour}", position=1)
        for hour in (0, 50, 70, 99)
    ]
    prepared = prepared_shop(tmp_path, rows, features={"statistics": False})

    found = columns(HandFeatures.of(prepared, TRAINED))

    assert set(found).isdisjoint(SCHEMA)
    assert len(found["log_position"]) == 2


@pytest.mark.parametrize("requests", [1, 7])
def test_blocks_change_nothing(prepared_sample: PreparedShop, requests: int) -> None:
    found = HandFeatures.of(prepared_sample, ["validation"])

    whole, cut = columns(found), columns(found, requests)

    assert whole.keys() == cut.keys()
    for name in whole:
        assert whole[name] == pytest.approx(cut[name], nan_ok=True)
