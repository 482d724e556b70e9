from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from data.small_log import prepared_shop, random_events, write_table

from shelfwise.data.config import DataOptions
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.summary import data_summary, protocol_of


@pytest.mark.parametrize(
    ("target", "seen", "words"),
    [
        ("period", "remove", "asked for once, at its start.*items already taken are removed"),
        ("period", "keep", "asked for once, at its start.*items already taken are ranked too"),
        ("next", "keep", "right is that one item.*items already taken are ranked too"),
    ],
)
def test_a_protocol_says_what_was_asked_and_of_what(
    prepared_sample: PreparedShop, target: str, seen: str, words: str
) -> None:
    rules = prepared_sample.options.match.model_copy(update={"target": target, "seen": seen})
    options = prepared_sample.options.model_copy(update={"match": rules})

    found = protocol_of(replace(prepared_sample, options=options))

    assert re.search(words, found)
    assert f"all {len(prepared_sample.items)} items" in found


def test_the_protocol_of_pairs(tmp_path: Path) -> None:
    rows = [{"text": f"text {n}", "label": n % 2} for n in range(80)]
    write_table(tmp_path / "shop", "pairs", rows)
    options = DataOptions.model_validate({"pairs": {"test_share": 0.3, "validation_share": 0.2}})
    prepared = prepare(tmp_path / "shop", tmp_path / "prepared", options)

    assert "30% test, 20% validation" in protocol_of(prepared)
    summary = data_summary(prepared)
    assert summary.periods == {}
    assert sum(summary.counts.values()) == 80


def test_a_summary_says_what_the_figures_rest_on(tmp_path: Path) -> None:
    prepared = prepared_shop(
        tmp_path, random_events(1, impressions=True), shop={"name": "Corner", "synthetic": True}
    )

    found = data_summary(prepared)

    assert (found.name, found.synthetic) == ("Corner", True)
    assert found.fingerprint == prepared.manifest.data_fingerprint
    assert found.counts["items"] == len(prepared.items)
    assert [row["file"] for row in found.rows] == ["events.csv"]
    # The log starts at hour 0 of 2026, validation at hour 60 and test at hour 80; it ends at 99.
    assert found.periods == {
        "train": "2026-01-01 00:00 to 2026-01-03 12:00",
        "validation": "2026-01-03 12:00 to 2026-01-04 08:00",
        "test": "2026-01-04 08:00 to 2026-01-05 03:00",
    }
