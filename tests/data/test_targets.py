"""What a ranking is judged by, against a walk over the shop's own rows.

Hours 60 to 80 of the small logs are validation, what follows is the test.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.privacy import PrivacyOptions
from shelfwise.data.pseudonyms import Pseudonyms
from shelfwise.data.split import Part, microseconds
from shelfwise.data.targets import MatchTargets, asked_later, match_targets

from .small_log import event, moment, prepared_shop, random_events

MATCHES = ("click", "purchase")
NAMES = Pseudonyms.of(PrivacyOptions(published_key=True), Path())
BOUNDS: dict[Part, tuple[int, int]] = {"validation": (60, 80), "test": (80, 10_000)}


class Told(NamedTuple):
    """A target in the shop's own words; times in hours."""

    user: str
    hours: float
    query: str
    right: tuple[str, ...]
    seen: tuple[str, ...]
    past: int  # events of the history


def told(prepared: PreparedShop, targets: MatchTargets) -> list[Told]:
    item, query = prepared.items["item_id"].to_list(), [*prepared.queries["text"], ""]
    user = {NAMES.name("user", f"u{number}"): f"u{number}" for number in range(10)}

    def of(row: int, target_P: Any, item_P: Any) -> tuple[str, ...]:
        return tuple(item[i] for i in item_P[target_P == row])

    return sorted(
        Told(
            user[prepared.owners["owner_id"][int(owner)]],
            (targets.at_T[row] - microseconds(moment(0))) / 3.6e9,
            query[targets.query_T[row]],
            of(row, targets.right_target_P, targets.right_item_P),
            of(row, targets.seen_target_S, targets.seen_item_S),
            int(targets.end_T[row] - prepared.history.offset_U1[owner]),
        )
        for row, owner in enumerate(targets.owner_T)
    )


def hours(row: dict[str, Any]) -> float:
    return next(h for h in range(200) if moment(h).isoformat() == row["timestamp"])


class Log:
    """The rows of a shop, to be looked through again for every question."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        distinct = {tuple(sorted(row.items())): row for row in rows}  # prepare drops repeated rows
        self.rows = [row | {"hours": hours(row)} for row in distinct.values()]

    def past(self, user: str, before: float) -> list[dict[str, Any]]:
        return [
            row
            for row in self.rows
            if (row["user_id"], row["event"] != "impression") == (user, True)
            and row["hours"] < before
        ]

    def matches(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["event"] in MATCHES]

    def period(self, start: float, end: float) -> list[Told]:
        found = []
        for user in sorted({row["user_id"] for row in self.rows}):
            own = [row for row in self.matches() if row["user_id"] == user]
            right = {row["item_id"] for row in own if start <= row["hours"] < end}
            seen = {row["item_id"] for row in own if row["hours"] < start}
            if right and seen:
                past = len(self.past(user, start))
                found.append(Told(user, start, "", *map(tuple, map(sorted, (right, seen))), past))
        return found

    def next(self, start: float, end: float) -> list[Told]:
        requests: dict[tuple[str, float, str], set[str]] = defaultdict(set)
        shown = {r["request_id"]: r for r in self.rows if r["event"] == "impression"}
        for row in self.matches():
            asked = shown.get(row.get("request_id"), {"hours": row["hours"]})
            if start <= asked["hours"] and row["hours"] < end:
                name = row.get("request_id") or f"implied {row['hours']}"
                requests[row["user_id"], asked["hours"], name].add(row["item_id"])
        found = []
        for (user, at, name), right in requests.items():
            past = self.past(user, at)
            if past:
                seen = {row["item_id"] for row in past} - {""}
                query = shown[name].get("query", "") if name in shown else ""
                found.append(
                    Told(user, at, query, tuple(sorted(right)), tuple(sorted(seen)), len(past))
                )
        return sorted(found)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("impressions", [False, True])
def test_both_protocols_against_the_rows(tmp_path: Path, seed: int, impressions: bool) -> None:
    rows = random_events(seed, impressions=impressions)
    log = Log(rows)
    for target in ("period", "next"):
        match = {"target": target, "events": MATCHES}
        prepared = prepared_shop(tmp_path / target, rows, match=match)
        for part, bounds in BOUNDS.items():
            expected = log.period(*bounds) if target == "period" else log.next(*bounds)

            assert told(prepared, match_targets(prepared, part)) == expected
            assert expected


def by_hand(folder: Path, target: str) -> PreparedShop:
    rows = [
        event("view", "u1", 1, "i9"),
        event("click", "u1", 5, "i1"),
        event("click", "u1", 85, "i1"),
        event("click", "u1", 85, "i2"),
        event("click", "u1", 90, "i3"),
        event("click", "u2", 90, "i1"),  # no past
        event("view", "u3", 5, "i1"),  # no match before the test
        event("click", "u3", 95, "i4"),
    ]
    return prepared_shop(folder, rows, match={"target": target, "events": ["click"]})


def test_the_period_by_hand(tmp_path: Path) -> None:
    prepared = by_hand(tmp_path, "period")

    assert told(prepared, match_targets(prepared, "test")) == [
        Told("u1", 80, "", ("i1", "i2", "i3"), ("i1",), 2)
    ]
    assert len(match_targets(prepared, "validation")) == 0


def test_the_next_item_by_hand(tmp_path: Path) -> None:
    prepared = by_hand(tmp_path, "next")

    assert told(prepared, match_targets(prepared, "test")) == [
        Told("u1", 85, "", ("i1", "i2"), ("i1", "i9"), 2),
        Told("u1", 90, "", ("i3",), ("i1", "i2", "i9"), 4),
        Told("u3", 95, "", ("i4",), ("i1",), 1),
    ]
    assert len(match_targets(prepared, "validation")) == 0


def test_by_sequence_the_past_ends_just_before_each_row(tmp_path: Path) -> None:
    # One date, as a log of days has it: only the sequence orders the clicks.
    rows = [
        event("view", "u9", 0, "i0"),
        *(event("click", "u1", 90, f"i{n}", sequence=n) for n in (3, 1, 2)),
    ]
    prepared = prepared_shop(tmp_path, rows, match={"target": "next", "events": ["click"]})

    assert told(prepared, match_targets(prepared, "test")) == [
        Told("u1", 90, "", ("i2",), ("i1",), 1),
        Told("u1", 90, "", ("i3",), ("i1", "i2"), 2),
    ]


def test_a_purchase_in_the_part_counts_though_its_click_came_before(tmp_path: Path) -> None:
    told_by_name = {"request_id": "r", "position": 1}
    rows = [
        event("impression", "u1", 70, "i1", **told_by_name),
        event("click", "u1", 71, "i1", **told_by_name),
        event("purchase", "u1", 90, "i1", **told_by_name),
    ]
    prepared = prepared_shop(tmp_path, [event("view", "u1", 1, "i2"), *rows])

    assert told(prepared, match_targets(prepared, "test")) == [
        Told("u1", 80, "", ("i1",), ("i1",), 2)
    ]


def test_what_comes_after_the_part_is_not_looked_at(tmp_path: Path) -> None:
    named = {"request_id": "r"}
    rows = [
        event("view", "u1", 1, "i9"),
        event("impression", "u1", 79, "i1", **named),
        event("impression", "u1", 79, "i2", **named),
        event("click", "u1", 79.5, "i1", **named),
        event("click", "u1", 81, "i2", **named),
    ]
    prepared = prepared_shop(tmp_path, rows, match={"target": "next"})

    assert told(prepared, match_targets(prepared, "validation")) == [
        Told("u1", 79, "", ("i1",), ("i9",), 1)
    ]


@pytest.mark.parametrize("rows", [[], [0], [1, 3], [0, 1, 2, 3, 4]])
def test_chosen_targets_are_those_rows_alone(tmp_path: Path, rows: list[int]) -> None:
    prepared = prepared_shop(
        tmp_path, random_events(1, impressions=False), match={"target": "next", "events": MATCHES}
    )
    targets = match_targets(prepared, "validation")
    everything = told_in_order(targets)
    assert len(everything) > 4

    chosen = targets.chosen(np.array(rows, np.int64))

    assert len(chosen) == len(rows)
    assert told_in_order(chosen) == [everything[row] for row in rows]


def told_in_order(targets: MatchTargets) -> list[tuple[Any, ...]]:
    return [
        (
            int(targets.owner_T[row]),
            int(targets.at_T[row]),
            int(targets.end_T[row]),
            int(targets.query_T[row]),
            targets.right_item_P[targets.right_target_P == row].tolist(),
            targets.seen_item_S[targets.seen_target_S == row].tolist(),
        )
        for row in range(len(targets))
    ]


def test_later_the_same_owners_know_more(tmp_path: Path) -> None:
    rows = [
        event("view", "u1", 1, "i9"),
        event("click", "u1", 5, "i1"),
        event("click", "u1", 65, "i2"),
        event("click", "u1", 70, "i1"),
        event("click", "u1", 85, "i3"),
        event("click", "u2", 66, "i1"),  # no past in validation
        event("click", "u3", 5, "i4"),
        event("click", "u3", 66, "i5"),
        event("click", "u3", 90, "i5"),
    ]
    prepared = prepared_shop(tmp_path, rows, match={"target": "period", "events": ["click"]})
    validation = match_targets(prepared, "validation")
    assert [(one.user, one.seen) for one in told(prepared, validation)] == [
        ("u1", ("i1",)),
        ("u3", ("i4",)),
    ]

    found = asked_later(prepared, validation, prepared.moments.test)

    assert told(prepared, found) == [
        Told("u1", 80, "", (), ("i1", "i2"), 4),
        Told("u3", 80, "", (), ("i4", "i5"), 2),
    ]
