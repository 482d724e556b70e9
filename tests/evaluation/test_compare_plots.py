from __future__ import annotations

import re
from dataclasses import replace
from math import nan

import pytest

from shelfwise.evaluation.compare_plots import difference_forest

from .test_compare_report import ONE


def dots(svg: str) -> list[float]:
    return [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', svg)]


def test_right_of_0_the_first_is_better() -> None:
    # In half widths: +.012 / .008 = 1.5 to the right; a loss that is .012 lower as well; one that
    # is .012 higher, to the left.
    lower = replace(ONE, metric="log_loss", value=-0.012, low=-0.02, high=-0.004)
    higher = replace(ONE, metric="log_loss")

    svg = str(difference_forest([ONE, lower, higher]))

    first, second, third = dots(svg)
    zero = float(re.findall(r'<line x1="([\d.]+)"[^>]*class="zero"', svg)[0])
    assert first == second
    assert first - zero == pytest.approx(zero - third, abs=0.02)
    assert first > zero
    assert re.findall(r'<g class="(\w+)"', svg) == ["better", "better", "worse"]
    assert "+0.0120 [0.0040, 0.0200]" in svg or "+0.012 [0.004, 0.020]" in svg


def test_what_lies_far_out_keeps_its_interval_and_its_numbers() -> None:
    # 1.2 / .008 = 150 half widths: drawn at 12, where the axis still shows the others.
    far = replace(ONE, value=1.2, low=1.192, high=1.208)

    svg = str(difference_forest([ONE, far]))

    (near, there), ends = (
        dots(svg),
        re.findall(r'x1="([\d.]+)"[^>]*x2="([\d.]+)"[^>]*interval', svg),
    )
    widths = [float(end) - float(start) for start, end in ends]
    assert widths[0] == pytest.approx(widths[1], abs=0.02)
    assert near < there < 344
    assert "+1.200" in svg


def test_what_cannot_be_told_has_a_line_without_a_dot() -> None:
    unknown = replace(ONE, value=nan, low=nan, high=nan, p_holm=nan)

    svg = str(difference_forest([ONE, unknown]))

    assert len(dots(svg)) == 1
    assert 'class="unknown"' in svg
    assert dots(str(difference_forest([replace(ONE, value=0.0, low=0.0, high=0.0)]))) == []
