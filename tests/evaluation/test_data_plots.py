"""Where a value lands in a picture of the data report, worked out by hand."""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree

import pytest

from shelfwise.data.report.concentration import Concentration
from shelfwise.data.report.days import DayMark
from shelfwise.evaluation.data_plots import (
    Bar,
    bars_plot,
    columns_plot,
    day_plot,
    lorenz_plot,
    steps_plot,
)

from .test_plots import SVG, at, parts

MONDAY = date(2026, 1, 5)


def points(picture: str, tag: str) -> list[tuple[float, float]]:
    (found,) = ElementTree.fromstring(picture).iter(SVG + tag)
    pairs = [pair.split(",") for pair in str(found.get("points")).split()]
    return [(float(x), float(y)) for x, y in pairs]


def texts(picture: str) -> list[str]:
    return [str(found.text) for found in ElementTree.fromstring(picture).iter(SVG + "text")]


def test_bars_share_a_scale() -> None:
    # 352 wide for the most, so half of it is 176; a thousandth is still seen, 2 wide.
    picture = bars_plot(
        "Kinds",
        [
            Bar("view", 10, "10"),
            Bar("<cart>", 5, "5"),
            Bar("few", 0.01, "few"),
            Bar("none", 0, "0"),
        ],
    )

    bars = [at(bar, "x", "width") for bar in parts(picture, "rect", "bar")]
    assert bars == [(4, 352), (4, 176), (4, 2)]
    assert "&lt;cart&gt;" in picture
    assert texts(picture) == ["view", "10", "<cart>", "5", "few", "few", "none", "0"]


def test_columns_stand_on_the_axis() -> None:
    # Ticks of 0..4 are 0, 2, 4: 4 is 120 high, 1 a quarter of it. 296 / 2 wide each, less 2.
    picture = columns_plot("Grades", {"0": 4, "1": 1})

    assert [at(one, "x", "y", "width", "height") for one in parts(picture, "rect", "bar")] == [
        (53, 10, 146, 120),
        (201, 100, 146, 30),
    ]
    assert columns_plot("Grades", {"0": 0})  # nothing at all is still a picture


def test_a_line_skips_closed_days_and_marks_what_stands_out() -> None:
    # Five days from x = 52 to 344, so 73 a day; ticks 0, 5, 10: 10 lies at 12, 0 at 120.
    mark = DayMark("2026-01-09", "gap", 0, 5.0)
    picture = day_plot("View", MONDAY, [10, 5, None, 5, 0], [mark])

    assert points(picture, "polyline") == [(52, 12), (125, 66), (271, 66), (344, 120)]
    (dot,) = parts(picture, "circle", "marked gap")
    assert at(dot, "cx", "cy") == (344, 120)
    assert {"5 Jan 2026", "7 Jan 2026", "9 Jan 2026"} <= set(texts(picture))
    assert "gap, 0 moments where 5 are usual" in picture


@pytest.mark.parametrize("rows", [[0], [3], [1, 2]])
def test_a_short_log_has_a_picture_too(rows: list[int]) -> None:
    assert "5 Jan 2026" in day_plot("View", MONDAY, rows)


def test_the_lorenz_curve_by_hand() -> None:
    # From (52, 230) to (344, 10); half of the items have a quarter of the events.
    found = Concentration(
        "items", "all", 2, 4, 0.25, {"1 %": 0.75}, 0.5, 2.0, ((0.0, 0.0), (0.5, 0.25), (1.0, 1.0))
    )
    picture = lorenz_plot(found)

    assert points(picture, "polyline") == [(52, 230), (198, 175), (344, 10)]
    assert points(picture, "polygon")[-1] == (344, 230)
    assert "Gini 0.25; the top 1 % have 75.0%." in picture


def test_steps_are_evenly_set() -> None:
    # Two moments, at x = 60 and 336; .5 lies in the middle of 140 and 12.
    picture = steps_plot("Bought by then", [("1 h", 0.5), ("1 d", 1.0)])

    assert points(picture, "polyline") == [(60, 76), (336, 12)]
    assert {"1 h", "1 d", "50%"} <= set(texts(picture))
