from __future__ import annotations

from dataclasses import replace
from math import nan
from pathlib import Path

import pytest
from serving.chromium import chromium

from evaluation.test_page import BARE, full
from shelfwise.evaluation.cross_validation import CrossValidation, spreads_of
from shelfwise.evaluation.fold_page import data_section, folds_section
from shelfwise.evaluation.fold_plots import data_plot, folds_plot
from shelfwise.evaluation.learning_curve import LearningCurves, curves_of
from shelfwise.evaluation.page import report_page, write_page
from shelfwise.evaluation.pieces import MeasuredPiece
from shelfwise.evaluation.report import Row


def piece(name: str, requests: int, ours: float, theirs: float) -> MeasuredPiece:
    def row(system: str, value: float) -> Row:
        return Row(system, "new", "match", "ndcg@10", value, value - 0.02, value + 0.02, 90)

    unknown = Row("shelfwise", "main", "conversion", "cvr_auc", nan, nan, nan, 0)
    other_view = Row("shelfwise", "all", "match", "ndcg@10", 0.9, 0.8, 1.0, 90)
    rows = [row("shelfwise", ours), row("popularity", theirs), unknown, other_view]
    return MeasuredPiece(name, 0, requests, "new", rows, {}, 1.0)


def folds() -> CrossValidation:
    pieces = [piece(f"fold-{at:02}", 900, 0.1 + at / 100, 0.05) for at in range(3)]
    return CrossValidation("user", "Three folds.", "f", "new", pieces, spreads_of(pieces))


def curves() -> LearningCurves:
    sizes = (1_000, 2_000, 4_000, 8_000)
    pieces = [piece(f"share-{n}", n, 0.3 - 3 * n**-0.5, 0.05) for n in sizes]
    return LearningCurves("Four sizes.", "f", "new", pieces, curves_of(pieces, 0))


def test_a_section_shows_the_headline_view_alone() -> None:
    section = folds_section(folds())

    assert section is not None
    assert [plot.about for plot in section.plots] == ["ndcg@10"]  # of `new`; cvr_auc is unknown
    assert section.about.startswith("Three folds.")
    assert folds_section(None) is None
    assert data_section(None) is None


def test_a_picture_says_its_figures_in_words() -> None:
    svg = folds_plot([s for s in folds().spreads if s.view == "new"])

    # .10, .11, .12: mean .11, sd .01, half width 4.303 * .01 / sqrt 3 = .0248.
    assert "shelfwise 0.110 [0.085, 0.135]; popularity 0.050" in svg
    assert svg.count('class="fold"') == 6


def test_a_curve_shows_what_twice_the_data_would_bring() -> None:
    curve = next(c for c in curves().curves if c.view == "new")

    svg = data_plot(curve)

    # 3 (8000^-.5 - 16000^-.5) = .0098
    assert "twice the 8,000 training requests would bring +0.009" in curve.sentence
    assert curve.sentence in svg
    assert 'class="guess"' in svg
    assert svg.count('class="dot"') == 4
    assert "16k" in svg
    assert data_section(curves()).sentences[0].startswith("Match, ndcg@10")  # type: ignore[union-attr]  # not None


def test_the_page_has_sections_for_what_there_is() -> None:
    bare = report_page(BARE)
    page = report_page(replace(full(), folds=folds(), data_curve=curves(), reproduce={"Data": "f"}))

    for title in ("Cross-validation", "More data?", "Make it again"):
        assert title in page
        assert title not in bare


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_a_phone_and_a_desk(tmp_path: Path, width: int) -> None:
    file = tmp_path / "report.html"
    report = replace(
        full(),
        folds=folds(),
        data_curve=curves(),
        reproduce={"Command": "shelfwise evaluate " + "x" * 200, "Data": "f" * 64},
    )
    write_page(report, file)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.goto(file.as_uri())
        wide = page.evaluate("document.documentElement.scrollWidth")
        outside = page.evaluate(
            """() => [...document.querySelectorAll("#folds svg text, #data_curve svg text")].filter(
              text => {
                const box = text.getBoundingClientRect();
                const frame = text.closest("svg").getBoundingClientRect();
                return box.left < frame.left - 6 || box.right > frame.right + 6;
              }).map(text => text.textContent)"""
        )

    assert wide == width
    assert outside == []
