"""Rows of a log on their way: owners, and everything that must not depend on where a row stood."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from shelfwise.data.config import DataOptions
from shelfwise.data.privacy import PrivacyOptions
from shelfwise.data.pseudonyms import Pseudonyms
from shelfwise.data.source.read import scan_shop
from shelfwise.data.stage import EventStage, Numbers, Owners, by_owner

from .small_log import PUBLISHED, event, write_table

NAMES = Pseudonyms.of(PrivacyOptions(published_key=True), Path())
OPTIONS = DataOptions.model_validate({"privacy": PUBLISHED})


def staged(
    folder: Path, rows: Sequence[dict[str, Any]], options: DataOptions = OPTIONS
) -> EventStage:
    write_table(folder / "shop", "events", rows)
    (folder / "scratch").mkdir()
    stage = EventStage(folder / "scratch", options, NAMES)
    scan_shop(folder / "shop", options, stage.take)
    return stage


def owners_of(stage: EventStage) -> list[str]:
    """The owner's written name of each row, in the order of the file."""
    owners = Owners(stage.facts)
    rows = pl.concat(list(stage.parts())).sort("row")
    return [owners.names()[number] for number in owners.numbers(rows)]


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

    u1, u2 = NAMES.name("user", "u1"), NAMES.name("user", "u2")
    s2, s3 = NAMES.name("session", "s2"), NAMES.name("session", "s3")
    stage = staged(tmp_path, rows)
    assert len(Owners(stage.facts)) == 4  # of s1 there is nothing left
    assert owners_of(stage) == [u1, u1, u1, s2, u1, u2, s3]


def test_queries_are_written_one_way_and_nothing_to_be_seen_is_none(tmp_path: Path) -> None:
    wide = "\uff52\uff45\uff44  shoe"
    rows = [event("search", "u1", 1, query=wide), event("view", "u1", 2, "i1", query="\u200b")]

    (part,) = staged(tmp_path, rows).parts()

    assert part["query"].to_list() == ["red shoe", None]


def test_rows_wait_on_disk_and_come_back_by_owner(tmp_path: Path) -> None:
    rows = [event("view", f"u{n % 7}", n, f"i{n % 3}") for n in range(40)]
    few = DataOptions.model_validate({"privacy": PUBLISHED, "memory": {"rows_together": 9}})
    stage = staged(tmp_path, rows, few)
    facts = stage.facts
    items = facts.items.frame()
    numbers = Numbers(Owners(facts), items, pl.DataFrame(schema={"text": pl.String}))

    groups = list(by_owner(stage, numbers, tmp_path / "scratch"))

    # 40 rows, 9 at a time in two groups: 9 groups, of which the 7 owners fill 7, each alone.
    assert stage.groups() == 9
    assert len(groups) == 7
    seen = [set(group["owner"]) for group in groups]
    assert [owner for found in seen for owner in sorted(found)] == list(range(7))
    assert sorted(pl.concat(groups)["row"]) == list(range(1, 41))
    assert not [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()]


def test_without_any_time_a_row_lies_at_its_sequence(tmp_path: Path) -> None:
    rows = [{"event": "view", "user_id": "u1", "item_id": "i1", "sequence": n} for n in (3, 1, 2)]
    stage = staged(tmp_path, rows)

    assert stage.by_order
    assert stage.span() == (1_000_000, 3_000_000)
    assert pl.concat(list(stage.parts()))["at"].to_list() == [3_000_000, 1_000_000, 2_000_000]
    assert list(stage.refused()) == []


def test_in_a_log_with_times_a_row_without_one_is_put_aside(tmp_path: Path) -> None:
    rows = [
        event("view", "u1", 1, "i1"),
        event("view", "u1", 2, "i2", sequence=4) | {"timestamp": ""},
    ]
    stage = staged(tmp_path, rows)

    assert not stage.by_order
    assert stage.facts.rows == 1
    assert [part["row"].to_list() for part in stage.refused()] == [[2]]


def test_where_rows_stand_in_order_their_place_is_the_sequence(tmp_path: Path) -> None:
    rows = [event("view", "u1", 0, f"i{n}") for n in (2, 0, 1)] + [
        event("view", "u1", 0, "i9", sequence=70)
    ]
    options = DataOptions.model_validate({"privacy": PUBLISHED, "events": {"rows_in_order": True}})

    (part,) = staged(tmp_path, rows, options).parts()

    assert part["sequence"].to_list() == [1, 2, 3, 70]
