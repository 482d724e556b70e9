"""The page says what the data report holds, in one file, and nothing that it does not hold."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from data.report.small_report import BARE, small_report, small_tables

from shelfwise.data.config import DataOptions
from shelfwise.data.report.report import DataReport, data_report
from shelfwise.evaluation.data_page import data_page, write_data_page
from shelfwise.schema.errors import ConfigError

from .test_page import ATTACK, Balanced, sections, words_of


def bare() -> DataReport:
    return data_report(BARE, DataOptions())


@pytest.mark.parametrize("report", [bare(), small_report()], ids=["bare", "full"])
def test_tags_are_balanced_and_ids_unique(report: DataReport) -> None:
    page = data_page(report)
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    links = re.findall(r'href="#([^"]+)"', page)
    assert set(links) <= set(ids)


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    page = data_page(small_report())
    assert not re.search(r"https?://", page.replace('xmlns="http://www.w3.org/2000/svg"', ""))
    assert "<script" not in page
    assert "@import" not in page
    assert "url(" not in page


def test_what_came_from_a_catalogue_is_text_not_markup() -> None:
    # In the shop's name, a refused cell, a title, a reason and a note.
    page = data_page(small_report(ATTACK))
    assert page.count("&lt;script&gt;") >= 5


def test_sections_without_data_are_left_out() -> None:
    assert sections(data_page(bare())) == ["summary", "rows", "tasks"]


def test_all_sections_in_order_and_each_says_what_to_do() -> None:
    page = data_page(small_report())
    found = sections(page)
    assert found == [
        "summary", "rows", "tasks", "funnel", "days", "head", "visits", "delays", "catalogue",
        "labels", "judgements", "split", "machines", "columns", "notes",
    ]  # fmt: skip
    # The days' hours have a sentence of their own; the summary and the notes have none.
    assert page.count('<p class="lead ') == len(found) - 2 + 1
    assert page.count('class="said"') >= len(found) - 2


@pytest.mark.parametrize(
    "words",
    [
        "Synthetic data",
        # 8 + 3 rows, of which 5 + 3 were kept: 8/11.
        "rows read 11",
        "kept 72.7 %",
        "2 of 11 rows (18.2 %) were refused",
        "1 row repeats an earlier one.",
        "all files 11 8 2 1",
        "(a personal id, not shown)",
        # Of the two pairs shown one was clicked.
        "50.0 % [9.5, 90.5] of 2 impression pairs",
        "search 2 50.0 %",
        "Home|Mugs becomes Home &gt; Mugs",
        "1 item like TV/Video",
        "1 have no title",
        "t: a, b",
        "head of items 1 3 60.0 % 40.0 %",
        "train 2026-01-05 01:00 2026-01-05 02:00 1,200 2 2 1 1 800",
        "Shopper with 3 events , score 0.93 awake in 24 of 24 hours",
        "Not in the files: session_id, sequence",
    ],
)
def test_values_are_shown_as_worked_out_by_hand(words: str) -> None:
    assert words in words_of(data_page(small_report()))


def test_nan_is_never_shown() -> None:
    assert not re.search(r"\bnan\b|\bNone\b", words_of(data_page(small_report())))


def test_a_shop_that_cannot_be_prepared_says_why() -> None:
    report = replace(data_report(small_tables(), DataOptions()), unprepared="no test part")
    assert "Nothing can be said of the split: no test part" in words_of(data_page(report))


def test_write_replaces_the_file_whole(tmp_path: Path) -> None:
    file = tmp_path / "data.html"
    file.write_text("older")
    write_data_page(bare(), file)
    assert file.read_text(encoding="utf-8") == data_page(bare())
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(ConfigError, match="is a folder"):
        write_data_page(bare(), tmp_path)
