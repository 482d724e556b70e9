"""One owner's behaviour out of a prepared folder, as events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from shelfwise.data.history import KINDS
from shelfwise.data.prepared import PreparedShop
from shelfwise.schema.errors import DataError
from shelfwise.schema.event import Event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def history_of(prepared: PreparedShop, owner_id: str) -> tuple[Event, ...]:
    """Everything the owner did, oldest first.

    Raises:
        DataError: the log knows no such owner.
    """
    found = prepared.owners.with_row_index("owner").filter(pl.col("owner_id") == owner_id)
    if found.is_empty():
        example = prepared.owners["owner_id"].head(3).to_list()
        raise DataError(f"user {owner_id!r}: not in {prepared.folder}; it knows {example}, ...")
    owner = int(found["owner"][0])
    history = prepared.history
    return tuple(
        Event(
            kind=KINDS[int(history.kind_E[place])],
            actor=owner_id,
            item_id=_word(prepared.items["item_id"], int(history.item_E[place])),
            at=_EPOCH + timedelta(microseconds=int(history.at_E[place])),
            query=_word(prepared.queries["text"], int(history.query_E[place])) or "",
        )
        for place in range(int(history.offset_U1[owner]), int(history.offset_U1[owner + 1]))
    )


def _word(column: pl.Series, number: int) -> str | None:
    return None if number < 0 else str(column[number])
