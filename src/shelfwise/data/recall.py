"""One owner's behaviour out of a prepared folder, as events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from shelfwise.data.history import KINDS
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.pseudonyms import Pseudonyms
from shelfwise.schema.errors import DataError
from shelfwise.schema.event import Event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def history_of(prepared: PreparedShop, user: str) -> tuple[Event, ...]:
    """Everything a user did, oldest first.

    ``user`` is the shop's own id, or the pseudonym that the prepared folder has for it; a session
    that stands for a user is asked for as ``session:ID``.

    Raises:
        DataError: the log knows no such user.
        ConfigError: the key of the pseudonyms cannot be had.
    """
    names = [user, *_pseudonyms(prepared, user)]
    found = prepared.owners.with_row_index("owner").filter(pl.col("owner_id").is_in(names))
    if found.is_empty():
        example = prepared.owners["owner_id"].head(3).to_list()
        raise DataError(
            f"user {user!r}: neither an id of {prepared.folder} under its key of pseudonyms nor "
            f"one of its pseudonyms, such as {', '.join(example)}"
        )
    owner = int(found["owner"][0])
    history = prepared.history
    return tuple(
        Event(
            kind=KINDS[int(history.kind_E[place])],
            actor=user,
            item_id=_word(prepared.items["item_id"], int(history.item_E[place])),
            at=_EPOCH + timedelta(microseconds=int(history.at_E[place])),
            query=_word(prepared.queries["text"], int(history.query_E[place])) or "",
        )
        for place in range(int(history.offset_U1[owner]), int(history.offset_U1[owner + 1]))
    )


def _pseudonyms(prepared: PreparedShop, user: str) -> list[str]:
    shop = Path(str(prepared.manifest.facts.get("shop", ".")))
    known = Pseudonyms.of(prepared.options.privacy, shop)
    kind, _, session = user.partition(":")
    names = [known.name("user", user)]
    return [*names, known.name("session", session)] if kind == "session" else names


def _word(column: pl.Series, number: int) -> str | None:
    return None if number < 0 else str(column[number])
