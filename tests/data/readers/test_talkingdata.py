"""Hand-made ad clicks and installs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from data.readers.as_read import as_read, said

from shelfwise.data.readers.talkingdata import COLUMNS, to_shop

AT = datetime(2017, 11, 7, 9, 30, 38, tzinfo=UTC)


def click(**changes: object) -> dict[str, object]:
    return {
        **{"ip": "87540", "item_id": "12", "device": "1", "os": "13", "channel": "497"},
        **{"timestamp": AT, "installed": 0},
        **changes,
    }


def test_an_install_is_a_purchase_in_its_own_time() -> None:
    later = AT + timedelta(hours=7)
    rows = (click(installed=1, installed_at=later), click(timestamp=AT + timedelta(hours=1)))

    shop = to_shop(as_read(COLUMNS, *rows))

    who = {"user_id": "87540-1-13", "item_id": "12", "surface": "ads", "ip": "87540"}
    what = {"device": "1", "os": "13", "channel": "497"}
    assert said(shop.tables["events"]) == [
        {"event": "click", "timestamp": AT, **who, **what},
        {"event": "click", "timestamp": AT + timedelta(hours=1), **who, **what},
        {"event": "purchase", "timestamp": later, **who},
    ]
    assert shop.kept == {"click": 2}
    assert (shop.found["installs"], shop.found["installs within six hours"]) == (1, 0)


def test_users_are_address_device_and_system() -> None:
    rows = (click(), click(os="14"), click(device="2"), click(ip="9"), click(channel="1"))

    found = to_shop(as_read(COLUMNS, *rows)).found

    assert (found["addresses"], found["users (address, device and system)"]) == (2, 4)
    assert (found["apps"], found["channels"]) == (1, 2)


def test_repeated_rows_are_kept_and_counted() -> None:
    shop = to_shop(as_read(COLUMNS, click(), click(), click(channel="1")))

    assert shop.kept == {"click": 3}
    assert shop.found["rows that repeat another exactly"] == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ip": None}, "address, app, device, system or time missing"),
        ({"timestamp": None}, "address, app, device, system or time missing"),
        ({"installed": None}, "install not said"),
        ({"installed": 1}, "install and its time contradict each other"),
        ({"installed_at": AT}, "install and its time contradict each other"),
        (
            {"installed": 1, "installed_at": AT - timedelta(seconds=1)},
            "install before its click",
        ),
    ],
)
def test_rows_left_out_say_why(changes: dict[str, object], reason: str) -> None:
    shop = to_shop(as_read(COLUMNS, click(), click(**changes)))

    assert shop.kept == {"click": 1}
    assert shop.left_out.select("line", "reason").rows() == [(2, reason)]


def test_an_unknown_channel_loses_nothing() -> None:
    assert to_shop(as_read(COLUMNS, click(channel=None))).kept == {"click": 1}
