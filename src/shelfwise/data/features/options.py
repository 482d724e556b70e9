"""Which further columns of a shop's files are features, and what kind of thing each holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from shelfwise.schema.options import Options

FeatureType = Literal["number", "category", "text"]


class FeatureOptions(Options):
    """Further columns that may help to predict, by the table that has them."""

    statistics: bool = True
    """Whether counts and rates of users, items, categories and queries, as of each request, are
    written beside the impressions."""

    events: Mapping[str, FeatureType] = Field(default_factory=dict)
    """Column of the log = its type: what is known of the moment, such as device = "category"."""
    users: Mapping[str, FeatureType] = Field(default_factory=dict)
    """Column of the users' table = its type: age = "number"."""
    items: Mapping[str, FeatureType] = Field(default_factory=dict)
    """Column of the catalogue = its type: weight = "number"."""
