from __future__ import annotations

from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

from shelfwise.evaluation.diagnosis.diagnose import Diagnosis
from shelfwise.evaluation.diagnosis.errors import ErrorExample, Missed, ShownThere
from shelfwise.evaluation.diagnosis.finding import Evidence, Finding
from shelfwise.evaluation.diagnosis.weak_slices import SlicedRun
from shelfwise.evaluation.diagnosis_page import diagnosis_page, write_diagnosis_page
from shelfwise.evaluation.slices.slices import Slice, Slices
from shelfwise.evaluation.slices.worst import Worst
from shelfwise.schema.errors import ConfigError


def slice_named(value: str, auc: float) -> Slice:
    gap = auc - 0.7
    return Slice(
        (("device", value),), "click", "auc", 500, 40, 90,
        auc, auc - 0.05, auc + 0.05, gap, gap - 0.05, gap + 0.05, 0.5,
    )  # fmt: skip


FOUND = Diagnosis(
    name="Shoes & <more>",
    synthetic=False,
    run="runs/one",
    judged="validation",
    protocol="Some requests were asked.",
    findings=[
        Finding(
            "overfit", "illness", "Overfit.", [Evidence("AUC", 0.9, 0.8, 1.0, 12, "users")], "Stop."
        ),
        Finding("leaks", "fine", "No leak.", [Evidence("AUC of <b>", nan)]),
    ],
    sliced=SlicedRun(
        [
            Slices(
                "click",
                "auc",
                1_000,
                0.7,
                0.65,
                0.75,
                [slice_named("phone", 0.6), slice_named("desk", 0.8)],
                3,
            )
        ],
        [Worst("click", "auc", 0.7, 17, [])],
    ),
    errors=[
        ErrorExample(
            "r1",
            "search",
            "red <shoe>",
            ["a mug"],
            [ShownThere("red shoe", 4, 0.01, True)],
            2,
            [Missed("red shoe", 312)],
            ["blue shoe"],
            4.6,
        )
    ],
    curve={
        "losses": [{"step": 10, "total": 2.0, "match": 1.5, "click": 0.5, "purchase": 0.0}],
        "checks": [
            {
                "step": step,
                "score": score,
                "figures": {},
                "learned": {"click_auc": 0.7 + score},
                "held_out": {"click_auc": 0.6},
            }
            for step, score in ((10, 0.1), (20, 0.2))
        ],
    },
)


def test_the_page_says_what_was_found_and_escapes_it() -> None:
    page = diagnosis_page(FOUND)

    assert "Found: overfit." in page
    assert "[0.800, 1.000]" in page
    assert "<b>Do:</b> Stop." in page
    assert "red &lt;shoe&gt;" in page
    assert "red <shoe>" not in page
    assert "rank 312 of the catalogue" in page
    assert "17 slices and pairs of slices were looked at" in page
    assert "best step" in page
    assert "<script" not in page


def test_a_section_without_data_is_left_out() -> None:
    bare = replace(FOUND, sliced=SlicedRun(), errors=[], curve={}, findings=FOUND.findings[1:])

    page = diagnosis_page(bare)

    assert "Nothing wrong found in 1 questions." in page
    for section in ("curves", "slices", "errors"):
        assert f'id="{section}"' not in page


def test_a_page_without_a_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        write_diagnosis_page(FOUND, tmp_path / "none" / "page.html")


def test_the_verdict_names_each_illness_once_and_warnings_where_there_is_none() -> None:
    twice = replace(FOUND, findings=[FOUND.findings[0], FOUND.findings[0]])
    warned = replace(FOUND, findings=[Finding("drift", "warning", ""), FOUND.findings[1]])

    assert twice.verdict == "Found: overfit."
    assert warned.verdict == "No illness found in 2 questions; to look at: drift."
    assert FOUND.as_json()["healthy"] is False
    # What cannot be computed is null.
    assert FOUND.as_json()["findings"][1]["evidence"][0]["value"] is None
