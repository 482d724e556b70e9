"""The page says what the report holds, in one file, and nothing that it does not hold."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from math import nan
from pathlib import Path

import pytest

from shelfwise.evaluation.page import report_page, write_page
from shelfwise.evaluation.report import (
    DataSummary,
    Difference,
    Example,
    Reliability,
    Report,
    Row,
    Shown,
)
from shelfwise.schema.errors import ConfigError

BARE = Report(
    protocol="Test requests of the last week.",
    data=DataSummary("Corner shop", False, "sha256:abc", {}, [], {}),
    tasks=[],
    rows=[],
    differences=[],
)
ATTACK = "<script>alert('x')</script>"


def full() -> Report:
    def figure(system: str, task: str, metric: str, value: float, view: str = "main") -> Row:
        return Row(system, view, task, metric, value, value - 0.01, value + 0.01, 1_449, seeds=3)

    return replace(
        BARE,
        data=DataSummary(
            "Corner shop",
            True,
            "sha256:abc",
            {"items": 4_000, "events": {"click": 31_200, "cart": 9_120}},
            [
                {
                    "file": "events.csv",
                    "rows_in": 1_010,
                    "kept": 990,
                    "rejected": 13,
                    "duplicates": 7,
                }
            ],
            {"test": "2026-06-15 to 2026-06-28"},
        ),
        tasks=["match (purchase)"],
        rows=[
            figure("shelfwise", "match", "ndcg@10", 0.0812),
            figure("popularity", "match", "ndcg@10", 0.0503),
            Row("popularity", "cold", "match", "recall@100", nan, nan, nan, 0),
            figure("shelfwise", "classification", "precision", 0.75, "garden"),
            figure("shelfwise", "classification", "precision", 0.8, "macro avg"),
            figure("shelfwise", "classification", "accuracy", 0.9),
        ],
        differences=[
            Difference("shelfwise", "popularity", "main", "ndcg@10", 0.0309, 0.0241, 0.0378, 3)
        ],
        figures={"search_p50_ms": 12.4},
        reliability=[Reliability("click", [0.1, 0.2], [0.12, 0.19], [500, 500])],
        curve={
            "losses": [
                {"step": 100, "total": 3.0, "purchase": 0.0},
                {"step": 200, "total": 2.0, "purchase": 0.0},
            ],
            "checks": [
                {"step": 100, "score": 0.5, "figures": {"ndcg@10": 0.06, "convert_auc": nan}},
                {"step": 200, "score": 0.4, "figures": {"ndcg@10": 0.05, "convert_auc": nan}},
            ],
        },
        examples=[
            Example(
                ["Linen dress", ATTACK],
                "coffee",
                [Shown("i1", "Dark roast", 2.5, True), Shown("i2", ATTACK, 1.25, False)],
                3,
            )
        ],
        notes=[f"Mind the {ATTACK}"],
        seconds=151.0,
        peak_mib=1_834.2,
        cores=2,
        versions={"torch": "2.13.0"},
    )


def words_of(page: str) -> str:
    """What a reader sees, with single spaces."""
    body = page[page.index("<body>") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def sections(page: str) -> list[str]:
    return re.findall(r'<section id="([^"]+)"', page)


class Balanced(HTMLParser):
    """Fails where a tag closes what is not open."""

    VOID = ("meta", "link", "br", "img", "input")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


@pytest.mark.parametrize("report", [BARE, full()], ids=["bare", "full"])
def test_tags_are_balanced_and_ids_unique(report: Report) -> None:
    page = report_page(report)
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    page = report_page(full())
    assert not re.search(r"https?://", page.replace('xmlns="http://www.w3.org/2000/svg"', ""))
    assert "<script" not in page
    assert "@import" not in page
    links = re.findall(r'\b(?:href|src)="([^"]+)"', page)
    assert all(link.startswith(("#", "data:image/svg+xml,")) for link in links)


def test_what_came_from_a_catalogue_is_text_not_markup() -> None:
    page = report_page(full())
    # In the history, in the ranking and in the note.
    assert page.count("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;") == 3


def test_sections_without_data_are_left_out() -> None:
    page = report_page(BARE)
    assert sections(page) == ["data"]
    assert re.findall(r'<li><a href="#([^"]+)"', page) == ["data"]
    assert "Rows of each file" not in page
    assert "Peak memory" not in page
    assert "Seed" not in page


def test_a_full_report_has_every_section_verdicts_first() -> None:
    names = ["verdicts", "data", "metrics", "calibration", "learning", "examples", "classes"]
    assert sections(report_page(full())) == [*names, "figures", "notes"]


def test_only_synthetic_data_is_called_so() -> None:
    assert 'class="banner"' in report_page(full())
    assert 'class="banner"' not in report_page(BARE)


@pytest.mark.parametrize(
    "words",
    [
        "Evaluation of Corner shop",
        "shelfwise is better than popularity at ndcg@10: +0.031 [0.024, 0.038], 1,449 users",
        "items 4,000",
        "Events 31,200 click 9,120 cart",
        "events.csv 1,010 990 13 7",
        "Test 2026-06-15 to 2026-06-28",
        "Every value rests on 1,449 users; mean of 3 seeds.",
        "shelfwise 0.081 [0.071, 0.091]",
        "Every value rests on 0 items.",
        "popularity - ",
        "garden 0.750 [0.740, 0.760] 1,449",
        "macro avg 0.800 [0.790, 0.810] 1,449",
        "accuracy 0.900 [0.890, 0.910] 1,449",
        "The dashed line marks step 100, where the validation score was best.",
        "1 of the 3 taken items in the top 2",
        "1 &#10003; Taken: Dark roast i1 2.500",
        "search p50 ms 12.4",
        "Took 2 min 31 s on 2 cores",
        "Peak memory 1,834 MiB",
        "Seeds per figure: 1, 3",
        "torch 2.13.0",
    ],
)
def test_values_are_shown_as_worked_out_by_hand(words: str) -> None:
    assert words in words_of(report_page(full()))


def test_nan_is_never_shown() -> None:
    assert not re.search(r"\bnan\b", report_page(full()))


def test_what_the_log_cannot_teach_has_no_curve() -> None:
    page = report_page(full())
    assert "convert_auc" not in page  # nan throughout
    assert "purchase over steps" not in page  # loss 0 throughout
    assert "total over steps" in page


def test_our_system_is_emphasised_and_tables_name_their_rows_and_columns() -> None:
    page = report_page(full())
    assert re.search(r'<tr class="ours"><th scope="row">shelfwise</th>', page)
    assert not re.search(r"<th(?![^>]*scope=)[ >]", page)


def test_write_page_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("older")
    write_page(BARE, file)
    assert file.read_text(encoding="utf-8") == report_page(BARE)
    assert list(tmp_path.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == 0o644


def test_write_page_names_the_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the folder .*nowhere does not exist"):
        write_page(BARE, tmp_path / "nowhere" / "report.html")


def test_write_page_refuses_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder"):
        write_page(BARE, tmp_path)


def test_a_failed_write_leaves_the_old_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "report.html"
    write_page(BARE, file)

    def full_disk(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OSError, match="no space left"):
        write_page(full(), file)
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_text(encoding="utf-8") == report_page(BARE)
