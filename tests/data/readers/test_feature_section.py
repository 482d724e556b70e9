"""Further columns are declared with the type that they are read as."""

from __future__ import annotations

import tomllib

from shelfwise.data.features.options import FeatureOptions
from shelfwise.data.readers.feature_section import features_toml, types_of
from shelfwise.data.readers.published_table import PublishedColumn

COLUMNS = (
    PublishedColumn("site", "site_id", "id"),
    PublishedColumn("note", "note", "text"),
    PublishedColumn("adults", "srch_adults_count", "integer"),
    PublishedColumn("distance", "distance", "number"),
)


def test_an_id_is_a_category_however_it_is_written() -> None:
    types = types_of(COLUMNS)
    toml = '[shop]\nname = "x"\n' + features_toml("events", types) + features_toml("users", {})

    options = FeatureOptions.model_validate(tomllib.loads(toml)["features"])

    assert options.events == {
        **{"site": "category", "note": "category", "adults": "number", "distance": "number"}
    }
    assert options.users == {}
