"""What is kept of each run, and found again under the same key alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from benchmarks.kept import Answer, Kept


def test_an_answer_is_found_under_its_own_key_alone(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "runs")
    answer = Answer({"system": "a/b"}, {"main|match|ndcg@10": np.array([0.5, np.nan])})

    kept.keep({"task": "x", "seed": 0}, answer)
    found = kept.found({"seed": 0, "task": "x"})

    assert found is not None
    assert found.about == answer.about
    np.testing.assert_array_equal(found.arrays["main|match|ndcg@10"], [0.5, np.nan])
    assert kept.found({"task": "x", "seed": 1}) is None


def test_rows_are_lines_in_the_order_they_came(tmp_path: Path) -> None:
    kept = Kept(tmp_path)

    kept.note([{"system": "a", "value": 0.5}])
    kept.note([{"system": "b", "failed": "no wheel"}])

    lines = (tmp_path / "rows.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"system": "a", "value": 0.5},
        {"system": "b", "failed": "no wheel"},
    ]


def test_without_a_folder_nothing_is_kept() -> None:
    kept = Kept()

    kept.note([{"system": "a"}])
    kept.keep({}, Answer({}, {}))

    assert kept.found({}) is None
