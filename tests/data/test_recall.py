from __future__ import annotations

from pathlib import Path

import pytest

from shelfwise.data.recall import history_of
from shelfwise.schema.errors import DataError
from shelfwise.schema.event import Event, EventKind

from .small_log import event, moment, prepared_shop


def test_one_owners_events_oldest_first(tmp_path: Path) -> None:
    rows = [
        event("purchase", "u1", 99, "i2"),
        event("view", "u1", 2.5, "i1"),
        event("search", "u1", 1, query="red  shoe"),
        event("view", "u2", 3, "i1"),
        event("impression", "u1", 4, "i1"),
    ]
    prepared = prepared_shop(tmp_path, rows)

    assert history_of(prepared, "u1") == (
        Event(EventKind.SEARCH, "u1", None, moment(1), query="red shoe"),
        Event(EventKind.VIEW, "u1", "i1", moment(2.5)),
        Event(EventKind.PURCHASE, "u1", "i2", moment(99)),
    )
    # The pseudonym of the prepared folder is as good as the id.
    lengths = sorted(
        len(history_of(prepared, name)) for name in prepared.owners["owner_id"].to_list()
    )
    assert lengths == [1, 3]
    with pytest.raises(DataError, match=r"'u9': neither an id of .*prepared under its key"):
        history_of(prepared, "u9")
