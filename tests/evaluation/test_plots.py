"""Where a value lands in a picture, worked out by hand from its scale."""

from __future__ import annotations

import re
from math import nan
from xml.etree import ElementTree

import pytest

from shelfwise.evaluation.plots import (
    Series,
    calibration_plot,
    difference_strip,
    forest_plot,
    learning_plot,
)
from shelfwise.evaluation.report import Difference, Reliability, Row

SVG = "{http://www.w3.org/2000/svg}"


def parts(picture: str, tag: str, class_: str) -> list[ElementTree.Element]:
    """Elements of a well-formed picture; the strip of a verdict has no namespace of its own."""
    root = ElementTree.fromstring(picture)
    return [e for e in root.iter() if e.tag in (tag, SVG + tag) and e.get("class") == class_]


def at(found: ElementTree.Element, *names: str) -> tuple[float, ...]:
    return tuple(float(found.get(name, "nan")) for name in names)


def row(system: str, value: float, low: float, high: float, support: int = 10) -> Row:
    return Row(system, "main", "match", "mrr", value, low, high, support)


ROWS = [
    row("shelfwise", 0.3, 0.2, 0.4),
    row("popularity", 0.1, 0.0, 0.2),
    row("<none>", nan, nan, nan, 0),
]


def test_forest_dots_and_intervals_by_hand() -> None:
    # The axis runs over 0.0, 0.1 .. 0.4 from x = 16 to 344: 0.1 is 82 wide.
    # Line i lies at y = 8 + 40 i + 26.
    picture = forest_plot(ROWS)
    dots = [at(dot, "cx", "cy") for dot in parts(picture, "circle", "dot")]
    assert dots == [(16 + 3 * 82, 34), (16 + 82, 74)]
    intervals = [at(line, "x1", "x2", "y1") for line in parts(picture, "line", "interval")]
    assert intervals == [(16 + 2 * 82, 344, 34), (16, 16 + 2 * 82, 74)]


def test_a_forest_names_every_system_marks_ours_and_says_what_is_missing() -> None:
    picture = forest_plot(ROWS)
    assert [group.get("class") for group in ElementTree.fromstring(picture).iter(SVG + "g")] == [
        "ours",
        "other",
        "other",
    ]
    figures = [words.text for words in parts(picture, "text", "figures")]
    assert figures == ["0.300 [0.200, 0.400]", "0.100 [0.000, 0.200]", "-"]
    assert "&lt;none&gt;: -, 0 users" in picture


def test_a_long_name_is_cut_in_the_picture_but_not_in_its_description() -> None:
    name = "popularity among the regulars of Sunday"
    picture = forest_plot([row(name, 0.5, 0.4, 0.6)])
    (shown,) = parts(picture, "text", "name")
    assert shown.text == "popularity among the regu…"
    assert f"{name} 0.500" in picture


def test_calibration_dots_by_hand() -> None:
    # The largest rate is 0.4, so both axes end there: x = 52 .. 344, y = 300 .. 8, 292 long.
    # (0.1, 0.2): x = 52 + 292 / 4, y = 300 - 292 / 2. (0.4, 0.3): x = 344, y = 300 - 292 * 3 / 4.
    # Area by count: a quarter of the rows has half the radius, 3.5 of 7.
    picture = calibration_plot(Reliability("click", [0.1, 0.4], [0.2, 0.3], [100, 400]))
    dots = [at(dot, "cx", "cy", "r") for dot in parts(picture, "circle", "bin")]
    assert dots == [(125, 154, 3.5), (344, 81, 7)]
    (diagonal,) = parts(picture, "line", "diagonal")
    assert at(diagonal, "x1", "y1", "x2", "y2") == (52, 300, 344, 8)


def test_the_strip_adds_up_rows_by_prediction() -> None:
    # 24 cells of 0.4 / 24 = 0.0167: 0.001 and 0.01 share the first, 0.4 ends in the last.
    # The fullest cell, 30 rows, is 28 high; 15 rows are 14.
    curve = Reliability("click", [0.001, 0.01, 0.4], [0.0, 0.0, 0.4], [15, 15, 15])
    bars = parts(calibration_plot(curve), "rect", "mass")
    width = (344 - 52) / 24
    assert [at(bar, "height") for bar in bars] == [(28,), (14,)]
    assert at(bars[0], "x") == (52.5,)
    assert at(bars[1], "x") == pytest.approx((344 - width + 0.5,), abs=0.01)


def test_a_curve_of_nothing_but_zeros_still_has_an_axis() -> None:
    (dot,) = parts(calibration_plot(Reliability("click", [0.0], [0.0], [5])), "circle", "bin")
    assert at(dot, "cx", "cy") == (52, 300)


def test_learning_points_and_best_step_by_hand() -> None:
    # Steps 0 .. 400 over x = 52 .. 332: 70 per 100 steps. Values 0.2 .. 0.4 over y = 124 .. 14.
    series = Series("ndcg@10", [200, 400], [0.4, 0.2])
    picture = learning_plot(series, best_step=200)
    points = [at(point, "cx", "cy") for point in parts(picture, "circle", "point")]
    assert points == [(192, 14), (332, 124)]
    (best,) = parts(picture, "circle", "dot")
    assert at(best, "cx", "cy") == (192, 14)
    (words,) = parts(picture, "text", "best-figure")
    assert (words.text, *at(words, "x")) == ("0.400", 192)
    assert "0.4 at the best step, 200" in picture


def test_losses_have_no_best_step() -> None:
    assert "best" not in learning_plot(Series("total", [1, 2], [3.0, 2.0]))


def test_difference_strip_by_hand() -> None:
    # -0.04 .. 0.04 over x = 6 .. 134: 16 per 0.01, 0 in the middle at 70.
    strip = difference_strip(Difference("a", "b", "main", "mrr", 0.03, 0.02, 0.04), 0.04)
    (zero,) = parts(strip, "line", "zero")
    (ends,) = parts(strip, "line", "interval")
    (dot,) = parts(strip, "circle", "dot")
    assert at(zero, "x1", "x2") == (70, 70)
    assert at(ends, "x1", "x2") == (102, 134)
    assert at(dot, "cx") == (118,)
    assert 'class="strip better"' in strip


def test_no_strip_without_an_interval() -> None:
    assert difference_strip(Difference("a", "b", "main", "mrr", nan, nan, nan), 0.0) == ""


def test_every_picture_says_what_it_shows() -> None:
    pictures = [
        forest_plot(ROWS),
        calibration_plot(Reliability("click", [0.1], [0.2], [100])),
        learning_plot(Series("total", [1, 2], [3.0, 2.0])),
    ]
    for picture in pictures:
        root = ElementTree.fromstring(picture)
        assert root.get("role") == "img"
        assert [child.tag for child in root][:2] == [SVG + "title", SVG + "desc"]
        assert all(child.text for child in root[:2])
        assert not re.search(r"\bnan\b", picture)
