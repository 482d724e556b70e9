"""Scales and vocabularies are those of the training period, whatever comes later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data.small_log import event, prepared_shop, write_table
from shelfwise.data.features.fitted import MISSING, UNSEEN, encoded, fitted_of
from shelfwise.data.numbers import Scale
from shelfwise.data.prepared import PreparedShop

FEATURES = {
    "events": {"distance": "number", "device": "category", "words": "text"},
    "items": {"weight": "number", "colour": "category"},
    "users": {"age": "number", "town": "category"},
}


def shown(hours: float, item: str, user: str = "u0", **told: Any) -> dict[str, Any]:
    name = f"{user}-{hours}"
    return event("impression", user, hours, item, request_id=name, position=1, **told)


TRAINING = [
    event("view", "u0", 0, "i0"),
    shown(1, "i0", distance=1, device="phone", words="a b"),
    shown(2, "i0", distance=2, device="desk", words="c"),
    shown(3, "i1", distance=4, device="phone"),
    shown(4, "i1", distance="", device=""),
]
LATER = [
    shown(70, "i2", "u1", distance=1_000_000, device="watch"),
    shown(90, "i2", "u1", distance=-3, device="desk"),
    event("view", "u0", 99, "i0"),
]


def prepared(folder: Path, rows: list[dict[str, Any]], weight: float, age: int) -> PreparedShop:
    """i2 and u1 are met after training only; ``weight`` and ``age`` are theirs."""
    catalogue = [
        {"item_id": "i0", "weight": 10, "colour": "red"},
        {"item_id": "i1", "weight": 14, "colour": "blue"},
        {"item_id": "i2", "weight": weight, "colour": "green"},
    ]
    write_table(folder / "shop", "catalogue", catalogue)
    users = [
        {"user_id": "u0", "age": 30, "town": "Ulm"},
        {"user_id": "u1", "age": age, "town": "Bern"},
    ]
    write_table(folder / "shop", "users", users)
    return prepared_shop(folder, rows, features=FEATURES, fraud={"enabled": False})


def test_scales_and_codes_by_hand(tmp_path: Path) -> None:
    shop = prepared(tmp_path, TRAINING + LATER, weight=18, age=40)

    scales = fitted_of(shop).scales
    # Weights 10 and 14: median 12, both 2 away, and 1.4826 * 2 is a spread.
    assert scales["items.weight"] == ("plain", 12, pytest.approx(2.9652))
    assert scales["users.age"] == Scale("plain", 30, 1)
    assert encoded(shop, "items").rows() == [
        (pytest.approx(-2 / 2.9652), 3),  # of equally common colours the first by name has code 2
        (pytest.approx(2 / 2.9652), 2),
        (pytest.approx(6 / 2.9652), UNSEEN),
    ]
    found = encoded(shop, "events")
    assert found.schema == {"distance": pl.Float32, "device": pl.UInt32, "words": pl.String}
    # phone is the commonest, then desk; none; a watch is new; desk.
    assert found["device"].to_list() == [2, 3, 2, MISSING, UNSEEN, 3]
    assert found["distance"].is_null().to_list() == [False] * 3 + [True] + [False] * 2
    assert found["distance"][4] == 5  # as far as anything can be
    assert found["words"].to_list() == ["a b", "c", None, None, None, None]
    assert sorted(encoded(shop, "users").rows()) == [(0, 2), (5, UNSEEN)]


def test_what_comes_after_training_changes_no_scale_and_no_vocabulary(tmp_path: Path) -> None:
    one = fitted_of(prepared(tmp_path / "one", TRAINING + LATER, weight=18, age=40))
    changed = [row | {"distance": 7, "device": "lamp"} for row in LATER]
    other = fitted_of(prepared(tmp_path / "other", TRAINING + changed, weight=-9_000, age=3))

    assert one.scales == other.scales
    assert one.words.equals(other.words)
    assert set(one.words["value"]) == {"phone", "desk", "red", "blue", "Ulm"}


def test_without_impressions_the_requests_of_training_are_measured(tmp_path: Path) -> None:
    rows = [event("click", "u0", n, "i0", distance=n) for n in (1, 2, 3)]
    rows.append(event("click", "u0", 99, "i0", distance=500))
    write_table(tmp_path / "shop", "catalogue", [{"item_id": "i0", "title": "x"}])

    shop = prepared_shop(tmp_path, rows, features={"events": {"distance": "number"}})

    assert fitted_of(shop).scales["events.distance"] == ("plain", 2, pytest.approx(1.4826))
    assert encoded(shop, "events").height == shop.requests.height
