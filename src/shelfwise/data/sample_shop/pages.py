"""What a storefront has shown and what came of it, as columns: pages, lists, reactions.

A wave is a set of pages with all that belongs to them; waves of one storefront stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.sample_shop.catalogue import Ints
from shelfwise.data.sample_shop.outcomes import Truth
from shelfwise.data.sample_shop.policy import Slate
from shelfwise.data.sample_shop.queries import Searches

NEVER = -1  # the time of what did not happen


@dataclass(frozen=True, slots=True)
class Pages:
    """Lists shown, one row per request id."""

    visitor_P: Ints  # whom the log names: a shopper, or beyond the shoppers a bot
    user_P: Ints  # the shopper whose tastes count; for a bot the one it imitates
    session_P: Ints
    at_P: Ints  # milliseconds since the log's start
    device_P: Ints
    surface_P: Ints
    query_P: NDArray[np.object_]  # text as typed; None where there is no query
    search_P: Ints  # row of Wave.searches, -1 where there is no query
    intent_P: Ints
    anchor_P: Ints  # the type that recommendations and ads are chosen around
    again_P: Ints

    def __len__(self) -> int:
        return len(self.user_P)


@dataclass(frozen=True, slots=True)
class Reactions:
    """What followed each impression; times in milliseconds since the log's start, or NEVER."""

    click_at_N: Ints
    cart_at_N: Ints
    purchase_at_N: Ints
    return_at_N: Ints
    quantity_N: Ints


@dataclass(frozen=True, slots=True)
class Wave:
    """Pages, what stood on them, why it was clicked, and what followed."""

    pages: Pages
    searches: Searches
    slate: Slate  # its rows point into pages
    truth: Truth
    reactions: Reactions


Columns = TypeVar("Columns", Pages, Slate, Truth, Reactions)  # dataclasses of arrays of one length


def rows(table: Columns, chosen: NDArray[Any]) -> Columns:
    """The chosen rows of a table, by number or by flag."""
    return replace(
        table, **{field.name: getattr(table, field.name)[chosen] for field in fields(table)}
    )


def stacked(parts: Sequence[Columns]) -> Columns:
    """One table out of several, column by column."""
    first = parts[0]
    return replace(
        first,
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(first)
        },
    )


def moved(slate: Slate, page_R: Ints) -> Slate:
    """The same impressions, pointing at ``page_R[row]`` instead of ``row``."""
    return replace(slate, row_N=page_R[slate.row_N])
