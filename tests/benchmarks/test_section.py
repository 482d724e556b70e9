"""A benchmark's section of the page: what is replaced, and how figures are written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import nan
from pathlib import Path
from typing import Any

import pytest
from benchmarks.result import Result
from benchmarks.section import (
    _command,
    figure,
    interval,
    section_of,
    systems_by_value,
    verdict,
    write_section,
)

from shelfwise.schema.errors import ConfigError

DAY = date(2026, 11, 25)


def row(system: str, metric: str, value: float, view: str = "new") -> dict[str, Any]:
    place = {"system": system, "view": view, "task": "match", "metric": metric}
    around = {"low": value - 0.01, "high": value + 0.01}
    return place | {"value": value, **around, "support": 1_449, "seeds": 2}


def gap(b: str, low: float, high: float, metric: str = "ndcg@10") -> dict[str, Any]:
    place = {"a": "shelfwise", "b": b, "view": "new", "metric": metric}
    return place | {"value": (low + high) / 2, "low": low, "high": high, "seeds": 2}


def result(**more: Any) -> Result:
    told: dict[str, Any] = {
        "benchmark": "retail",
        "protocol": "Split by time.",
        "data": {"name": "A shop", "fingerprint": "abcdef0123456789", "counts": {"items": 3659}},
        "figures": {},
        "seconds": 120.0,
        "peak_mib": 2_048.0,
        "rows": [
            row("popularity", "ndcg@10", 0.0361),
            row("shelfwise", "ndcg@10", 0.1412),
            row("shelfwise", "mrr", 0.25),
            row("EASE", "ndcg@10", 0.15),
            {"system": "lightfm", "failed": "did not install: no wheel"},
        ],
        "differences": [gap("popularity", 0.09, 0.11), gap("EASE", -0.02, 0.01)],
        "cores": 2,
        "machine": "a processor",
        "versions": {"python": "3.11"},
    }
    return Result(**(told | more))


def test_a_section_holds_protocol_command_tables_and_failures() -> None:
    text = section_of(result(), ["retail", "--data", "/home/me/sets/retail", "--json"], DAY)

    assert "Split by time." in text
    # Where the folder lies is nobody's business.
    assert "python benchmarks/run.py retail --data retail --json" in text
    assert "/home" not in text
    assert "2026-11-25; A shop (fingerprint abcdef012345): items 3,659. 2 cores of a proc" in text
    assert "2 minutes in all, at most 2.0 GiB" in text
    lines = text.splitlines()
    table = lines[lines.index("**match, view `new`**") + 2 :][:5]
    assert table == [
        "| system | ndcg@10 | mrr | `shelfwise` minus it, ndcg@10 | support | seeds |",
        "|---|---|---|---|---|---|",
        "| EASE | .150 [.140, .160] | - | -.0050 [-.0200, .0100]: no difference can be told "
        "| 1,449 | 2 |",
        "| **shelfwise** | .141 [.131, .151] | .250 [.240, .260] |  | 1,449 | 2 |",
        "| popularity | .0361 [.0261, .0461] | - | +.100 [.0900, .110]: better | 1,449 | 2 |",
    ]
    assert "- lightfm: did not install: no wheel" in lines


def test_a_difference_between_others_is_not_told_as_one_to_ours() -> None:
    other = {**gap("popularity", 0.01, 0.03), "a": "EASE"}
    found = result(differences=[gap("popularity", 0.09, 0.11), other])

    lines = section_of(found, ["retail"], DAY).splitlines()

    (ours,) = (line for line in lines if line.startswith("| popularity"))
    assert "| +.100 [.0900, .110]: better |" in ours
    place = lines.index("Among the others, ndcg@10:")
    assert lines[place + 2] == "- `EASE` minus `popularity`: +.0200 [.0100, .0300]: better"


def test_a_difference_stands_beside_its_own_task() -> None:
    rows = [
        row(system, "ndcg@10", value) | {"task": task}
        for task, value in (("clean", 0.2), ("attacked", 0.1))
        for system in ("shelfwise", "shelfwise/fgm")
    ]
    gaps = [
        gap("shelfwise/fgm", low, low + 0.01) | {"task": task}
        for task, low in (("clean", 0.031), ("attacked", 0.051))
    ]

    section = section_of(result(rows=rows, differences=gaps), ["benchmark"], DAY)

    clean, attacked = section.index("**clean,"), section.index("**attacked,")
    first, last = sorted((clean, attacked))
    told = {clean: ".0360 [.0310, .0410]", attacked: ".0560 [.0510, .0610]"}
    assert told[first] in section[first:last]
    assert told[last] not in section[first:last]
    assert told[last] in section[last:]
    assert told[first] not in section[last:]


def test_where_lower_is_better_so_is_the_verdict() -> None:
    rows = [row("shelfwise", "rmse", 0.5), row("ridge", "rmse", 0.45)]
    found = result(rows=rows, differences=[gap("ridge", 0.04, 0.06, "rmse")])

    text = section_of(found, ["retail"], DAY)

    assert [system for system, _ in systems_by_value(found, "match", "new")] == [
        "ridge",
        "shelfwise",
    ]
    assert "+.0500 [.0400, .0600]: worse" in text


@pytest.mark.parametrize(
    ("low", "high", "p_holm", "said"),
    [
        (0.01, 0.02, 0.04, "better"),
        (-0.02, -0.01, 0.04, "worse"),
        (-0.02, 0.01, 0.04, "no difference can be told"),
        (0.01, 0.02, 0.06, "better, but not once corrected for many comparisons"),
        (nan, nan, nan, "cannot be told"),
    ],
)
def test_what_may_be_claimed(low: float, high: float, p_holm: float, said: str) -> None:
    assert verdict({"low": low, "high": high, "p_holm": p_holm}, "ndcg@10") == said


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.1412, ".141"), (0.0361, ".0361"), (-0.0361, "-.0361"), (1.5, "1.500"), (12.34, "12.3")],
)
def test_figures_have_three_figures(value: float, written: str) -> None:
    assert figure(value) == written


def test_counts_among_the_figures_are_whole_numbers() -> None:
    text = section_of(result(figures={"queries left out": 0.0, "sd": 0.012}), ["retail"], DAY)

    assert "| queries left out | 0 |\n| sd | .0120 |" in text


def test_what_cannot_be_computed_is_a_dash() -> None:
    assert figure(nan) == figure(None) == "-"
    assert interval({"low": nan, "high": nan}) == ""


def test_only_the_benchmarks_own_section_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(
        "# Benchmarks\n\n"
        "<!-- benchmark: eshop -->\nkept\n<!-- end of benchmark -->\n\n"
        "<!-- benchmark: retail -->\nyesterday\n<!-- end of benchmark -->\n\n## Last\n"
    )

    write_section(page, result(), ["retail"], DAY)
    once = page.read_text()
    write_section(page, result(), ["retail"], DAY)

    assert page.read_text() == once  # a second time changes nothing
    assert "yesterday" not in once
    assert "kept\n<!-- end of benchmark -->" in once
    assert once.startswith("# Benchmarks\n")
    assert once.endswith("<!-- end of benchmark -->\n\n## Last\n")


def test_a_page_without_the_section_gains_it_at_the_end(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("# Benchmarks\n")

    write_section(page, result(), ["retail"], DAY)

    text = page.read_text()
    assert text.startswith("# Benchmarks\n\n<!-- benchmark: retail -->\n## retail\n")
    assert text.endswith("<!-- end of benchmark -->\n")


def test_a_benchmark_with_a_section_for_each_data_set_leaves_the_other_alone(
    tmp_path: Path,
) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("# Benchmarks\n")
    write_section(page, result(), ["retail"], DAY)
    first = page.read_text()

    write_section(page, replace(result(), section="retail on paper"), ["retail"], DAY)

    text = page.read_text()
    assert text.startswith(first.rstrip())
    assert "<!-- benchmark: retail on paper -->\n## retail on paper\n" in text


def test_a_section_without_an_end_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("<!-- benchmark: retail -->\nhalf\n")

    with pytest.raises(ConfigError, match="has no end"):
        write_section(page, result(), ["retail"], DAY)

    assert page.read_text() == "<!-- benchmark: retail -->\nhalf\n"


def test_a_command_is_told_without_where_things_lie() -> None:
    words = ["run.py", "retail", "--data", "some/where/shop", "--keep", "some/where/kept", "--json"]

    assert _command(words) == "run.py retail --data shop --json"
    assert _command(["run.py", "--keep=some/where/kept", "--budget", "1"]) == "run.py --budget 1"
