"""Tables beside the log: texts written one way, and no row lost on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shelfwise.data.clean import clean
from shelfwise.data.config import DataOptions
from shelfwise.data.source.read import ShopTables, read_shop

from .small_log import event, write_table


def cleaned(folder: Path, **tables: list[dict[str, Any]]) -> ShopTables:
    for name, rows in tables.items():
        write_table(folder, name, rows)
    found = clean(read_shop(folder, DataOptions()))
    for count in found.counts:
        assert count.rows_in == count.kept + count.rejected + count.duplicates
        assert found.rejects.filter(file=count.file).height == count.rejected
    return found


def test_texts_are_normalised_and_ids_are_not(tmp_path: Path) -> None:
    wide = "\uff52\uff45\uff44  shoe"  # wide letters, two spaces
    found = cleaned(
        tmp_path,
        catalogue=[
            {
                "item_id": wide, "title": wide, "category": "wear / shoes",
                "brand": "caf&eacute;",
                "attributes": '{"width": "5&quot;"}',
            }
        ],
        events=[event("view", "u1", 2, wide)],
        campaigns=[{"campaign_id": "c", "item_id": wide, "bid": 1, "title": wide}],
        judgements=[{"query": wide, "item_id": wide, "grade": 2}],
        pairs=[{"text": wide, "label": "a"}],
    )  # fmt: skip

    assert found.catalogue is not None
    # Attributes are JSON: an entity in them may be what keeps it so.
    assert found.catalogue.select("item_id", "title", "category", "brand", "attributes").rows() == [
        (wide, "red shoe", "wear > shoes", "café", '{"width": "5&quot;"}')
    ]
    assert found.campaigns is not None
    assert found.campaigns["title"].to_list() == ["red shoe"]
    assert found.judgements is not None
    assert found.judgements.select("query", "item_id").rows() == [("red shoe", wide)]
    assert found.pairs is not None
    assert found.pairs["text"].to_list() == ["red shoe"]


def test_a_text_of_which_nothing_can_be_seen_teaches_nothing(tmp_path: Path) -> None:
    found = cleaned(
        tmp_path,
        pairs=[{"text": "\u200b", "label": "a"}, {"text": "good", "label": "b"}],
        judgements=[{"query": "\u200b", "title": "a shoe", "grade": 1}],
    )

    assert found.rejects.select("file", "row", "column", "code", "found").rows() == [
        ("pairs.csv", 1, "text", "invisible-text", "(empty)"),
        ("judgements.csv", 1, "query", "invisible-text", "(empty)"),
    ]
    assert json.loads(found.rejects["raw"][0]) == {"label": "a"}
