"""A tiny shop from its files to the prepared folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shelfwise.config import ShopConfig
from shelfwise.data.config import DataOptions
from shelfwise.data.history import KINDS, NONE
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.privacy import PrivacyOptions
from shelfwise.data.pseudonyms import Pseudonyms
from shelfwise.data.split import microseconds
from shelfwise.schema.errors import ConfigError, DataError
from shelfwise.schema.manifest import MANIFEST

from .small_log import PUBLISHED, event, moment, prepared_shop, random_events, write_table

SPLIT = {"validation_start": moment(60).isoformat(), "test_start": moment(80).isoformat()}
OPTIONS = DataOptions.model_validate({"split": SPLIT, "privacy": PUBLISHED})
NAMES = Pseudonyms.of(PrivacyOptions(published_key=True), Path())
# Owners are numbered in the order of their pseudonyms, not of their ids.
FIRST, SECOND = sorted([NAMES.number("session", "s1"), NAMES.number("user", "u1")])
SESSION, USER = (
    int(number == SECOND) for number in (NAMES.number("session", "s1"), NAMES.number("user", "u1"))
)

CATALOGUE = [
    {"item_id": "i1", "title": "red  shoe", "category": "wear &gt; shoes", "brand": "Acme"},
    {"item_id": "i2", "title": "blue shoe", "price": -1},  # refused, and with it its events
    {"item_id": "i3", "title": "", "price": 3},
    {"item_id": "i3", "title": "", "price": 3},  # again
]
EVENTS = [
    event("search", "u1", 9, query="Red  Shoe"),
    event("impression", "u1", 10, "i1", request_id="r", position=1),
    event("impression", "u1", 11, "i1", request_id="r", position=1),  # drawn again
    event("impression", "u1", 10, "i3", request_id="r", position=2),
    event("click", "u1", 12, "i1", request_id="r"),
    event("click", "u1", 12, "i1", request_id="r"),  # again
    event("purchase", "", 70, "i3", session_id="s1"),
    event("view", "u1", 90, "i2"),
    event("view", "", 99, "i1", session_id="s1"),
    event("view", "u1", 91, "i1", sequence=1) | {"timestamp": ""},
    event("dance", "u1", 92, "i1"),
]
CAMPAIGNS = [{"campaign_id": "c1", "item_id": "i1", "bid": 0.5, "title": "Buy  red"}]


def write(folder: Path, **tables: list[dict[str, Any]]) -> Path:
    everything = {"catalogue": CATALOGUE, "events": EVENTS, "campaigns": CAMPAIGNS}
    for name, rows in (everything | tables).items():
        write_table(folder, name, rows)
    return folder


def prepared(folder: Path, out: str = "out", options: DataOptions = OPTIONS) -> PreparedShop:
    found = prepare(folder, folder.parent / out, options)
    assert isinstance(found, PreparedShop)
    return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    return prepared(write(tmp_path_factory.mktemp("prepare") / "shop"))


def hour(hours: float) -> int:
    return microseconds(moment(hours))


def test_every_row_is_kept_rejected_or_a_duplicate(shop: PreparedShop) -> None:
    assert shop.manifest.facts["rows"] == [
        {"file": "catalogue.csv", "rows_in": 4, "kept": 2, "rejected": 1, "duplicates": 1},
        {"file": "events.csv", "rows_in": 11, "kept": 6, "rejected": 3, "duplicates": 2},
        {"file": "campaigns.csv", "rows_in": 1, "kept": 1, "rejected": 0, "duplicates": 0},
    ]
    for count in shop.manifest.facts["rows"]:
        parts = ("kept", "rejected", "duplicates")
        assert count["rows_in"] == sum(count[part] for part in parts)


def test_rejects_have_their_reasons_and_the_row_itself(shop: PreparedShop) -> None:
    rejects = pl.read_parquet(shop.folder / "rejects.parquet")

    assert rejects.select("file", "row", "column", "code").rows() == [
        ("catalogue.csv", 2, "price", "negative-price"),
        ("events.csv", 8, "item_id", "unknown-item"),
        ("events.csv", 11, "event", "unknown-event"),
        ("events.csv", 10, "timestamp", "no-timestamp"),
    ]
    assert rejects["rule"].null_count() == 0
    assert all(json.loads(raw) for raw in rejects["raw"])


def test_items_queries_and_campaigns_are_normalised(shop: PreparedShop) -> None:
    assert shop.items.select("item_id", "title", "category", "text").rows() == [
        ("i1", "red shoe", "wear > shoes", "red shoe, wear shoes, Acme"),
        ("i3", None, None, "i3"),
    ]
    assert shop.queries["text"].to_list() == ["Red Shoe"]
    assert shop.campaigns.select("campaign_id", "title", "bid").rows() == [("c1", "Buy red", 0.5)]


def test_histories_stand_by_owner_and_time(shop: PreparedShop) -> None:
    history = shop.history
    names = {SESSION: NAMES.name("session", "s1"), USER: NAMES.name("user", "u1")}
    assert shop.owners["owner_id"].to_list() == [names[0], names[1]]
    assert history.offset_U1.tolist() == [0, 2, 4]
    told = {
        owner: [
            (KINDS[history.kind_E[e]], history.item_E[e], history.query_E[e], history.at_E[e])
            for e in range(history.offset_U1[owner], history.offset_U1[owner + 1])
        ]
        for owner in (SESSION, USER)
    }
    assert told == {
        SESSION: [("purchase", 1, NONE, hour(70)), ("view", 0, NONE, hour(99))],
        USER: [("search", NONE, 0, hour(9)), ("click", 0, NONE, hour(12))],
    }


def test_requests_impressions_and_positives(shop: PreparedShop) -> None:
    end = {owner: int(shop.history.offset_U1[owner]) for owner in (SESSION, USER)}
    nobody = {"query": NONE, "surface": "recommendation", "fraud": None, "suspicion": 0.0}
    visits = shop.requests["session"].to_list()
    assert shop.requests.drop("session").rows(named=True) == [
        {
            "request_id": "r", "owner": USER, "at": hour(10), "part": "train",
            "history_end": end[USER] + 1, **nobody,
        },
        {
            "request_id": None, "owner": SESSION, "at": hour(70), "part": "validation",
            "history_end": end[SESSION], **nobody,
        },
    ]  # fmt: skip
    assert len(set(visits)) == 2
    assert shop.impressions.select("request", "item", "position", "clicked_at").rows() == [
        (0, 0, 1, hour(12)),
        (0, 1, 2, None),
    ]
    columns = shop.positives.select("request", "item", "kind", "at")
    assert columns.rows() == [(0, 0, "click", hour(12)), (1, 1, "purchase", hour(70))]


def test_no_id_of_a_user_is_written(shop: PreparedShop) -> None:
    written = b"".join(path.read_bytes() for path in shop.folder.iterdir())

    assert b'"u1"' not in written
    assert b"u1" not in b"".join(
        pl.read_parquet(path).write_json().encode() for path in shop.folder.glob("*.parquet")
    )


def test_the_manifest_tells_the_counts(shop: PreparedShop) -> None:
    facts = shop.manifest.facts

    assert facts["match_kinds"] == ["click", "purchase"]
    assert facts["counts"] == {
        "items": 2, "owners": 2, "sessions": 4, "impressions": 2, "positives": 2,
        "events": {"search": 1, "impression": 2, "view": 1, "click": 1, "purchase": 1},
        "requests": {"train": 1, "validation": 1},
    }  # fmt: skip
    assert facts["moments"] == {
        "first": hour(9), "validation": hour(60), "test": hour(80), "end": hour(99) + 1,
    }  # fmt: skip


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    # Enough rows for several threads; groups and joins must not show who came first.
    rows = [row for seed in range(20) for row in random_events(seed, impressions=True)]
    for row in rows:
        row["request_id"] = row.get("request_id") and f"{row['request_id']} {row['user_id']}"
    folder = write(
        tmp_path / "shop", events=rows, catalogue=[{"item_id": f"i{n}"} for n in range(9)]
    )
    told = {"split": SPLIT, "privacy": PUBLISHED, "match": {"target": "next"}}
    options = DataOptions.model_validate(told)

    once, again = prepared(folder, "a", options), prepared(folder, "b", options)

    names = {path.name for path in once.folder.iterdir()} - {MANIFEST}
    assert len(names) == 14
    for name in names:
        assert (once.folder / name).read_bytes() == (again.folder / name).read_bytes(), name
    assert once.manifest.data_fingerprint == again.manifest.data_fingerprint


def test_the_fingerprint_follows_input_and_options(tmp_path: Path) -> None:
    folder = write(tmp_path / "shop")
    first = prepared(folder).manifest.data_fingerprint

    def changed(**options: Any) -> str:
        told = {"split": SPLIT, "privacy": PUBLISHED} | options
        return prepared(folder, "other", ShopConfig.model_validate(told)).manifest.data_fingerprint

    # Options of later commands are not prepare's.
    assert changed() == changed(train={"epochs": 1}) == first
    # Some of prepare's leave the tables alike and still change what is learned from them.
    others = {
        changed(history={"max_length": 3}),
        changed(seed=1),
        changed(text={"fields": ["title"]}),
        changed(match={"target": "next"}),
    }
    assert len(others | {first}) == 5
    write(tmp_path / "shop", campaigns=[CAMPAIGNS[0] | {"bid": 0.6}])
    assert changed() != first


def test_without_a_catalogue_items_are_those_of_the_log(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    write_table(folder, "events", EVENTS[:-2])

    items = prepared(folder).items

    assert items.select("item_id", "title", "price", "available", "text").rows() == [
        (name, None, None, None, name) for name in ("i1", "i2", "i3")
    ]


def test_unknown_items_follow_the_catalogue(tmp_path: Path) -> None:
    folder = write(tmp_path / "shop")
    options = DataOptions.model_validate({"split": SPLIT, "catalogue": {"unknown_items": "keep"}})

    assert prepared(folder, options=options).items["item_id"].to_list() == ["i1", "i3", "i2"]


def test_by_sequence_the_history_ends_before_the_rows_own_place(tmp_path: Path) -> None:
    rows = [
        event("view", "u1", 1, "i0"),
        event("view", "u1", 90, "i1", sequence=1),
        event("click", "u1", 90, "i2", sequence=2),
        event("click", "u1", 90, "i3", sequence=3),
        event("click", "u1", 90, "i4"),  # when on that date is not known
    ]
    shop = prepared_shop(tmp_path, rows, match={"target": "next", "events": ["click"]})

    ends = shop.requests.select("at", "history_end")
    assert ends.rows() == [(hour(90), 2), (hour(90), 3), (hour(90), 1)]


def test_impressions_without_request_ids_are_learned_from(tmp_path: Path) -> None:
    rows = [
        event("view", "u1", 1, "i0"),
        event("impression", "u1", 50, "i1"),
        event("impression", "u1", 50, "i2"),
        event("click", "u1", 51, "i2"),
        event("view", "u1", 99, "i0"),
    ]

    shop = prepared_shop(tmp_path, rows)

    assert shop.has_impressions
    shown = shop.impressions.join(
        shop.items.with_row_index("item").select(pl.col("item").cast(pl.Int64), "item_id"),
        on="item",
    )
    assert shown.select("item_id", "clicked_at").sort("item_id").rows() == [
        ("i1", None),
        ("i2", hour(51)),
    ]
    # One request for the list, one implied by the click.
    assert shop.requests["at"].to_list() == [hour(50), hour(51)]


def test_a_clock_that_runs_wrong_does_not_stop_the_rest(tmp_path: Path) -> None:
    rows = [
        event("view", "u1", 1, "i0"),
        event("click", "u1", 49, "i1", request_id="r"),  # before it was shown
        event("impression", "u1", 50, "i1", request_id="r"),
        event("impression", "u1", 50, "i2", request_id="r"),
        event("click", "u1", 51, "i2", request_id="r"),
        event("view", "u1", 99, "i0"),
    ]

    shop = prepared_shop(tmp_path, rows)

    assert shop.impressions["clicked_at"].to_list() == [None, hour(51)]
    assert shop.positives["at"].to_list() == [hour(51)]


@pytest.mark.parametrize("impressions", [False, True])
@pytest.mark.parametrize("target", ["period", "next"])
def test_no_history_reaches_its_own_request(tmp_path: Path, impressions: bool, target: str) -> None:
    shop = prepared_shop(
        tmp_path, random_events(7, impressions=impressions), match={"target": target}
    )
    start_R = shop.history.offset_U1[shop.requests["owner"].to_numpy()]

    end_R, at_R = shop.requests["history_end"].to_numpy(), shop.requests["at"].to_numpy()

    past_R = end_R > start_R
    assert past_R.any()
    assert (shop.history.at_E[end_R[past_R] - 1] < at_R[past_R]).all()
    next_E = np.append(shop.history.at_E, np.iinfo(np.int64).max)
    own_R = end_R < shop.history.offset_U1[shop.requests["owner"].to_numpy() + 1]
    # Nothing earlier was left out either.
    assert (next_E[end_R[own_R]] >= at_R[own_R]).all()


@pytest.mark.parametrize("rows", [[event("search", "u1", h, query="a") for h in (1, 65, 99)]])
def test_a_log_that_shows_no_interest_teaches_nothing(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    with pytest.raises(DataError, match=r"kinds found \(search\): no impression, and none shows"):
        prepared_shop(tmp_path, rows)


def test_a_match_that_the_log_lacks(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\(view\): no impression, and match.events asks for cart"):
        prepared_shop(
            tmp_path,
            [event("view", "u1", h, "i1") for h in (1, 65, 99)],
            match={"events": ["cart"]},
        )


def test_a_table_that_cannot_be_used_stops_everything(tmp_path: Path) -> None:
    # Without the catalogue every text would be gone, and nobody would know why.
    folder = write(
        tmp_path / "shop", catalogue=[{"sku": "i1", "title": "red"}], campaigns=[{"x": 1}]
    )

    with pytest.raises(DataError) as caught:
        prepare(folder, tmp_path / "out", OPTIONS)

    told = str(caught.value).splitlines()
    assert told[0] == f"{folder}: cannot be prepared:"
    assert told[1].startswith("  catalogue.csv: the file must have the column item_id; found ")
    assert {line.split(":")[0].strip() for line in told[1:]} == {"catalogue.csv", "campaigns.csv"}
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_an_empty_shop_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()

    with pytest.raises(DataError, match=r"cannot be prepared:\n  events\.\*: "):
        prepare(tmp_path / "shop", tmp_path / "out", OPTIONS)


def test_a_run_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MANIFEST).write_text('{"kind": "run"}')

    with pytest.raises(ConfigError, match="out: holds a trained run"):
        prepare(write(tmp_path / "shop"), tmp_path / "out", OPTIONS)
