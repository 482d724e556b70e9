from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shelfwise.data.config import DataOptions
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import (
    PreparedPairs,
    campaigns_of,
    item_of,
    open_prepared,
    open_prepared_shop,
)
from shelfwise.schema.errors import ArtifactError
from shelfwise.schema.item import Campaign, Item
from shelfwise.schema.manifest import MANIFEST

from .small_log import event, prepared_shop, write_table

ROWS = [event("view", "u1", hours, f"i{hours}") for hours in (0, 65, 99)]


def change_facts(folder: Path, **facts: Any) -> None:
    raw = json.loads((folder / MANIFEST).read_text())
    raw["facts"] |= facts
    (folder / MANIFEST).write_text(json.dumps(raw))


def test_what_is_opened_is_what_was_prepared(tmp_path: Path) -> None:
    prepared = prepared_shop(
        tmp_path, ROWS, events={"names": {"pv": "view"}, "latest": "2030-01-01"}
    )

    again = open_prepared_shop(prepared.folder)

    assert again.options == prepared.options
    assert again.options.events.names == {"pv": "view"}
    assert again.moments == prepared.moments
    assert again.manifest == prepared.manifest
    for name in ("items", "queries", "owners", "requests", "impressions", "positives", "campaigns"):
        assert getattr(again, name).equals(getattr(prepared, name))
    for mine, other in zip(again.history, prepared.history, strict=True):
        assert mine.dtype == other.dtype
        assert mine.tolist() == other.tolist()


def test_options_of_later_commands_and_of_later_versions_do_no_harm(tmp_path: Path) -> None:
    prepared = prepared_shop(tmp_path, ROWS)
    options = prepared.manifest.facts["options"]
    del options["history"]  # as if the option had come later
    change_facts(prepared.folder, options=options | {"train": {"epochs": 3}})

    assert open_prepared_shop(prepared.folder).options.history == DataOptions().history


def test_an_altered_table_is_refused(tmp_path: Path) -> None:
    prepared = prepared_shop(tmp_path, ROWS)
    file = prepared.folder / "history.parquet"
    file.write_bytes(file.read_bytes()[:-1])

    with pytest.raises(ArtifactError, match=r"history\.parquet: altered or truncated"):
        open_prepared(prepared.folder)


def test_options_that_are_none_are_explained(tmp_path: Path) -> None:
    prepared = prepared_shop(tmp_path, ROWS)
    change_facts(prepared.folder, options={"text": {"max_token": 3}})

    with pytest.raises(ArtifactError, match=r"facts\.options:\n.*did you mean max_tokens\?"):
        open_prepared(prepared.folder)


def test_a_shape_from_elsewhere_is_refused(tmp_path: Path) -> None:
    prepared = prepared_shop(tmp_path, ROWS)
    change_facts(prepared.folder, shape="cube")

    with pytest.raises(ArtifactError, match="holds a prepared 'cube'"):
        open_prepared(prepared.folder)


def test_pairs_are_no_shop(tmp_path: Path) -> None:
    # 60 texts in two classes: the chance that the hash leaves a part without one is small, and
    # the same at every run.
    pairs = [{"text": f"text {n}", "label": "ab"[n % 2]} for n in range(60)]
    write_table(tmp_path / "shop", "pairs", pairs)

    prepared = prepare(tmp_path / "shop", tmp_path / "out", DataOptions())

    assert isinstance(prepared, PreparedPairs)
    assert prepared.classes == ("a", "b")
    assert prepared.rows.columns == ["text", "label", "part"]
    assert len(prepared.rows) == 60
    assert prepared.manifest.facts["counts"] == dict(
        prepared.rows.group_by("part").len().sort("part").iter_rows()
    )
    with pytest.raises(ArtifactError, match="holds text and labels"):
        open_prepared_shop(tmp_path / "out")


def test_an_item_of_a_row() -> None:
    bare: dict[str, object] = {"item_id": "i1", "title": None, "price": None, "available": None}

    assert item_of(bare) == Item("i1")
    assert item_of(
        {
            "item_id": "i2", "title": "t", "category": "c", "brand": "b", "price": 2,
            "attributes": "{}", "available": False, "text": "t, c, b",
        }
    ) == Item("i2", "t", "c", "b", 2.0, "{}", available=False)  # fmt: skip


def test_campaigns_of_a_table() -> None:
    table = pl.DataFrame(
        {
            "campaign_id": ["c1", "c2"],
            "item_id": ["i1", "i2"],
            "title": [None, "Buy"],
            "bid": [0.5, 1.0],
            "budget": [None, 20.0],
        }
    )

    assert campaigns_of(table) == (
        Campaign("c1", "i1", 0.5),
        Campaign("c2", "i2", 1.0, "Buy", 20.0),
    )
