from __future__ import annotations

import polars as pl
import pytest

from shelfwise.data.fraud.flagging import FLAGS
from shelfwise.data.fraud.rows import fraud_rows, suspicion

_FLAGS = pl.DataFrame(
    [
        ("ip", 7, 0.9, True, "crowd", ["crowded address"], 2),
        ("owner", 1, 0.8, True, "fast", ["too fast", "buys nothing"], 2),
        ("owner", 2, 0.1, False, "slow", ["too fast"], 2),
        ("session", 30, 0.7, True, "steady", ["steady gaps"], 1),
    ],
    schema=FLAGS,
    orient="row",
)
_EVENTS = pl.DataFrame(
    {
        "event": ["view", "click", "view", "click", "view"],
        "owner": [1, 1, 2, 2, 3],
        "session": [30, 10, 20, 30, 50],
        "ip": pl.Series([None, 7, None, 7, 7], dtype=pl.UInt64),
    }
)


def test_each_row_has_the_reason_of_its_owner_session_or_address() -> None:
    assert fraud_rows(_EVENTS, _FLAGS).to_list() == [
        "owner: fast",
        "owner: fast",
        None,
        "session: steady",
        "ip: crowd",
    ]


def test_each_row_is_as_suspicious_as_the_worst_of_its_makers() -> None:
    # Owner 1 (.8), owner 2 (.1) in a visit of .7, an address of .9.
    assert suspicion(_EVENTS, _FLAGS).to_list() == pytest.approx([0.8, 0.9, 0.1, 0.9, 0.9])
    assert suspicion(_EVENTS.select("owner"), _FLAGS).to_list() == pytest.approx(
        [0.8, 0.8, 0.1, 0.1, 0]
    )
    assert suspicion(_EVENTS, _FLAGS.clear()).to_list() == [0.0] * 5
    assert suspicion(_EVENTS.clear(), _FLAGS).to_list() == []


def test_a_frame_without_addresses_is_asked_for_owners_only() -> None:
    found = fraud_rows(_EVENTS.select("owner"), _FLAGS)

    assert found.is_not_null().to_list() == [True, True, False, False, False]


def test_without_flags_every_row_is_believed() -> None:
    assert fraud_rows(_EVENTS, _FLAGS.clear()).to_list() == [None] * 5
    assert fraud_rows(_EVENTS.clear(), _FLAGS).to_list() == []
