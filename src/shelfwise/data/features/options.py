"""Which further columns of a shop's files are features, and what kind of thing each holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shelfwise.schema.columns import CATALOGUE, EVENTS
from shelfwise.schema.options import Options

FeatureType = Literal["number", "category", "text"]
FeatureTypes = Mapping[str, FeatureType]
Table = Literal["events", "users", "items"]

# Names that Shelfwise's own tables give to something else.
OWN: Mapping[Table, frozenset[str]] = {
    "events": frozenset(
        {column.name for column in EVENTS}
        | {"owner", "item", "at", "session", "request", "request_name", "user", "visitor", "kind"}
        | {"clicked_at", "purchased_at", "returned_at", "weight", "part", "fraud", "suspicion"}
        | {"history_end", "file", "row", "place", "number", "impression", "flagged"}
    ),
    "users": frozenset({"user_id", "owner_id", "owner", "file", "row"}),
    "items": frozenset({column.name for column in CATALOGUE} | {"item", "text", "file", "row"}),
}


def _free_in(table: Table) -> AfterValidator:
    def check(types: FeatureTypes) -> FeatureTypes:
        clash = sorted(OWN[table] & types.keys())
        if clash:
            raise ValueError(
                f"{', '.join(clash)}: Shelfwise has a column of that name already; "
                "leave it out, or give the file's own column another name"
            )
        return types

    return AfterValidator(check)


class FeatureOptions(Options):
    """Further columns that may help to predict, by the table that has them."""

    statistics: bool = True
    """Whether counts and rates of users, items, categories and queries, as of each request, are
    written beside the impressions."""

    events: Annotated[FeatureTypes, _free_in("events")] = Field(default_factory=dict)
    """Column of the log = its type: what is known of the moment, such as device = "category"."""
    users: Annotated[FeatureTypes, _free_in("users")] = Field(default_factory=dict)
    """Column of the users' table = its type: age = "number"."""
    items: Annotated[FeatureTypes, _free_in("items")] = Field(default_factory=dict)
    """Column of the catalogue = its type: weight = "number"."""
