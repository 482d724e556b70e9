"""Texts written one way; owners, moments and requests of events; and no row lost on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shelfwise.data.clean import clean
from shelfwise.data.config import DataOptions
from shelfwise.data.source.checked import REJECT_ROWS
from shelfwise.data.source.read import ShopTables, read_shop
from shelfwise.schema.errors import DataError

from .small_log import event, write_table


def cleaned(folder: Path, **tables: list[dict[str, Any]]) -> ShopTables:
    for name, rows in tables.items():
        write_table(folder, name, rows)
    found = clean(read_shop(folder, DataOptions()))
    assert_nothing_lost(found)
    return found


def assert_nothing_lost(tables: ShopTables) -> None:
    frames = [tables.catalogue, tables.events, tables.campaigns, tables.pairs]
    for count in tables.counts:
        assert count.rows_in == count.kept + count.rejected + count.duplicates
        kept = sum(frame.filter(file=count.file).height for frame in frames if frame is not None)
        assert kept == count.kept
        assert tables.rejects.filter(file=count.file).height == count.rejected


def owners(tables: ShopTables) -> list[str]:
    assert tables.events is not None
    return tables.events["owner_id"].to_list()


def request_ids(tables: ShopTables) -> list[str | None]:
    assert tables.events is not None
    return tables.events["request_id"].to_list()


def test_texts_are_normalised_and_ids_are_not(tmp_path: Path) -> None:
    wide = "\uff52\uff45\uff44  shoe"  # wide letters, two spaces
    found = cleaned(
        tmp_path,
        catalogue=[
            {
                "item_id": wide, "title": wide, "category": "wear &gt; shoes",
                "brand": "caf&eacute;",
                "attributes": '{"width": "5&quot;"}',
            }
        ],
        events=[event("search", "u1", 1, query=wide), event("view", "u1", 2, wide, query="\u200b")],
        campaigns=[{"campaign_id": "c", "item_id": wide, "bid": 1, "title": wide}],
        pairs=[{"text": wide, "label": "a"}],
    )  # fmt: skip

    assert found.catalogue is not None
    # Attributes are JSON: an entity in them may be what keeps it so.
    assert found.catalogue.select("item_id", "title", "category", "brand", "attributes").rows() == [
        (wide, "red shoe", "wear > shoes", "café", '{"width": "5&quot;"}')
    ]
    assert found.events is not None
    assert found.events["query"].to_list() == ["red shoe", None]  # nothing that can be seen
    assert found.campaigns is not None
    assert found.campaigns["title"].to_list() == ["red shoe"]
    assert found.pairs is not None
    assert found.pairs["text"].to_list() == ["red shoe"]


def test_a_text_of_which_nothing_can_be_seen_teaches_nothing(tmp_path: Path) -> None:
    found = cleaned(
        tmp_path, pairs=[{"text": "\u200b", "label": "a"}, {"text": "good", "label": "b"}]
    )

    assert found.rejects.select("file", "row", "column", "code", "found").rows() == [
        ("pairs.csv", 1, "text", "invisible-text", "(empty)")
    ]
    assert json.loads(found.rejects["raw"][0]) == {"label": "a"}


def test_events_without_a_time_join_the_rejects(tmp_path: Path) -> None:
    timeless = event("view", "u1", 1, "i1", sequence=4) | {"timestamp": ""}

    found = cleaned(
        tmp_path, events=[event("view", "u1", 1, "i1"), timeless, event("", "u1", 2, "i1")]
    )

    # The event without a kind was refused by the reader.
    assert found.rejects.select("row", "column", "code").rows() == [
        (3, "event", "missing-event"),
        (2, "timestamp", "no-timestamp"),
    ]
    assert found.rejects.schema == REJECT_ROWS
    assert json.loads(found.rejects["raw"][1]) == {
        "event": "view", "user_id": "u1", "item_id": "i1", "sequence": 4,
    }  # fmt: skip


def test_a_log_with_order_only_says_what_this_version_needs(tmp_path: Path) -> None:
    write_table(
        tmp_path,
        "events",
        [{"event": "view", "user_id": "u1", "item_id": "i1", "sequence": n} for n in (1, 2)],
    )

    with pytest.raises(DataError) as caught:
        clean(read_shop(tmp_path, DataOptions()))

    said = str(caught.value)
    assert said.startswith("events: none of 2 rows has a timestamp; this version orders events")
    assert "[events.columns]" in said  # the way out where there is a time after all
    assert "write a date for each row" in said  # and where there is none


def test_a_log_of_which_no_row_was_kept(tmp_path: Path) -> None:
    write_table(tmp_path, "events", [event("nonsense", "u1", 1, "i1")])

    with pytest.raises(DataError, match="no row was kept; run shelfwise check"):
        clean(read_shop(tmp_path, DataOptions()))


def test_an_owner_is_the_user_or_the_sessions_one_user_or_the_session(tmp_path: Path) -> None:
    rows = [
        event("view", "", 1, "i1", session_id="s1"),  # before u1 logged in
        event("view", "u1", 2, "i1", session_id="s1"),
        event("view", "u1", 3, "i1"),
        event("view", "", 4, "i1", session_id="s2"),  # two users share it: nobody knows whose
        event("view", "u1", 5, "i1", session_id="s2"),
        event("view", "u2", 6, "i1", session_id="s2"),
        event("view", "", 7, "i1", session_id="s3"),
    ]

    assert owners(cleaned(tmp_path, events=rows)) == [
        "u1", "u1", "u1", "session:s2", "u1", "u2", "session:s3",
    ]  # fmt: skip


def test_request_ids_that_owners_share_are_told_apart(tmp_path: Path) -> None:
    rows = [
        event("impression", "u1", 1, "i1", request_id="1"),
        event("impression", "u2", 1, "i1", request_id="1"),
        event("impression", "u2", 2, "i1", request_id="2"),
        event("view", "u2", 3, "i1"),
    ]

    assert request_ids(cleaned(tmp_path, events=rows)) == ["u1/1", "u2/1", "u2/2", None]


def test_request_ids_that_nobody_shares_stay(tmp_path: Path) -> None:
    rows = [
        event("impression", "", 1, "i1", request_id="1", session_id="s"),
        event("click", "u2", 1, "i1", request_id="1", session_id="s"),  # the session's user
    ]

    assert request_ids(cleaned(tmp_path, events=rows)) == ["1", "1"]


def test_impressions_without_a_request_make_one_with_those_beside_them(tmp_path: Path) -> None:
    rows = [
        event("impression", "u1", 1, "i1"),
        event("impression", "u1", 1, "i2"),
        event("impression", "u1", 2, "i1"),
        event("impression", "u2", 1, "i1"),
        event("impression", "u1", 1, "i1", surface="ads"),
        event("impression", "u1", 1, "i1", query="shoe"),
        event("click", "u1", 1, "i1"),
    ]

    *ids, click = request_ids(cleaned(tmp_path, events=rows))

    assert ids[0] == ids[1]
    assert len(set(ids)) == 5
    assert click is None


def test_an_item_drawn_again_at_its_place_is_a_duplicate(tmp_path: Path) -> None:
    rows = [
        event("impression", "u1", 2, "i1", request_id="r", position=1),
        event("impression", "u1", 1, "i1", request_id="r", position=1),  # the first, by time
        event("impression", "u1", 2, "i1", request_id="r", position=2),
        event("impression", "u1", 2, "i2", request_id="r", position=1),
        event("click", "u1", 2, "i1", request_id="r", position=1),
        event("click", "u1", 3, "i1", request_id="r", position=1),
    ]

    found = cleaned(tmp_path, events=rows)

    assert found.events is not None
    assert found.events["row"].to_list() == [2, 3, 4, 5, 6]
    assert [(count.kept, count.duplicates) for count in found.counts] == [(5, 1)]
