"""The section of shop.toml that says of what type a set's further columns are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from shelfwise.data.features.options import FeatureType
from shelfwise.data.readers.published_table import Kind, PublishedColumn

_TYPES: Mapping[Kind, FeatureType] = {
    "id": "category",  # a number that only names
    "text": "category",
    "integer": "number",
    "number": "number",
}


def types_of(columns: Sequence[PublishedColumn]) -> dict[str, FeatureType]:
    """Each column's type as a feature, from the kind it is read as."""
    return {column.name: _TYPES[column.kind] for column in columns}


def features_toml(
    table: Literal["events", "users", "items"], types: Mapping[str, FeatureType]
) -> str:
    """The section of one table, to follow others."""
    return "\n".join([f"\n[features.{table}]", *(f'{n} = "{t}"' for n, t in types.items()), ""])
