"""`shelfwise check --html`: the page, and the same numbers for a program."""

from __future__ import annotations

from pathlib import Path

import pytest
from data.small_log import event, moment, write_table

from .command import shelfwise

ROWS = [
    event("impression", "u1", 1, "a", request_id="r", surface="search"),
    event("click", "u1", 2, "a", request_id="r"),
    event("purchase", "u1", 3, "a"),
    event("click", "u1", 70, "b"),
    event("click", "u2", 99, "a"),
]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    write_table(folder, "events", [*ROWS, event("nonsense", "u2", 99, "a")])
    (folder / "shop.toml").write_text(
        f'[split]\nvalidation_start = "{moment(60).isoformat()}"\n'
        f'test_start = "{moment(80).isoformat()}"\n'
    )
    return folder


def test_the_page_and_the_numbers(shop: Path, tmp_path: Path) -> None:
    html = tmp_path / "data.html"

    ended = shelfwise("check", shop, "--html", html, "--json")

    assert ended.code == 1  # one row is refused
    report = ended.json["report"]
    rows = report["rows"]
    assert (rows["rows_in"], rows["kept"], rows["rejected"], rows["duplicates"]) == (6, 5, 1, 0)
    assert {kind["kind"]: kind["rows"] for kind in report["behaviour"]["kinds"]} == {
        "impression": 1,
        "click": 3,
        "purchase": 1,
    }
    assert [part["part"] for part in report["prepared"]["parts"]] == ["train", "validation", "test"]
    assert f"report: {html}" in ended.out
    page = html.read_text(encoding="utf-8")
    assert "1 of 6 rows (16.7 %) were refused" in page
    assert sorted(one.name for one in tmp_path.iterdir()) == ["data.html", "shop"]


def test_without_html_there_is_no_report(shop: Path) -> None:
    assert "report" not in shelfwise("check", shop, "--json").json


def test_a_page_without_a_place_is_refused_before_the_work(shop: Path, tmp_path: Path) -> None:
    ended = shelfwise("check", shop, "--html", tmp_path / "nowhere" / "data.html")

    assert ended.code == 1
    assert "does not exist; make it first" in ended.err
    assert ended.out == ""


def test_a_table_of_texts_has_a_report_too(tmp_path: Path) -> None:
    pairs = [{"text": f"text {n}", "label": "ab"[n % 2]} for n in range(40)]
    write_table(tmp_path / "in", "pairs", pairs)
    html = tmp_path / "data.html"

    ended = shelfwise("check", tmp_path / "in" / "pairs.csv", "--html", html, "--json")

    assert ended.code == 0, ended.err
    assert ended.json["report"]["labels"]["classes"] == {"a": 20, "b": 20}
    assert ended.json["report"]["behaviour"] is None
    assert "40 texts of 2 classes" in html.read_text(encoding="utf-8")
