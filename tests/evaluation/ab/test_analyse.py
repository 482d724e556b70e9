from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import polars as pl
import pytest

from shelfwise.evaluation.ab.analyse import AbOptions, Gap, analyse
from shelfwise.evaluation.ab.units import units_of
from shelfwise.schema.errors import DataError

from .small_log import START, two_arms


def _gap(log: pl.DataFrame, metric: str, start: datetime | None = START) -> Gap:
    report = analyse(units_of(log, "arm", start), AbOptions())
    return next(gap for gap in report.gaps if gap.metric == metric)


def test_a_difference_is_found_and_cuped_narrows_it() -> None:
    log = two_arms(600, lift=0.3)

    with_before = _gap(log, "ctr")
    without = _gap(log.filter(pl.col("timestamp") >= START), "ctr")

    for gap in (with_before, without):
        assert gap.low < 0.25 * 0.3 < gap.high
        assert gap.always_low < gap.low < gap.high < gap.always_high
    assert with_before.variance_left < 0.85
    assert without.variance_left == 1
    assert with_before.high - with_before.low < 0.95 * (without.high - without.low)
    assert "more" in with_before.sentence
    assert with_before.p_holm >= with_before.p


def test_arms_that_lost_units_are_not_trusted() -> None:
    log = two_arms(300, lift=0.0)
    lost = log.filter((pl.col("arm") == "a") | (pl.col("user_id").str.len_chars() < 4))

    report = analyse(units_of(lost, "arm", START), AbOptions())

    assert not report.trusted
    assert "planned shares" in report.notes[0]
    assert analyse(units_of(log, "arm", START), AbOptions()).trusted


def test_what_is_missing_is_said() -> None:
    log = two_arms(4, lift=0)
    with pytest.raises(DataError, match="group"):
        units_of(log, "group", None)
    with pytest.raises(DataError, match="two arms"):
        analyse(units_of(log.filter(pl.col("arm") == "a"), "arm", None), AbOptions())
    with pytest.raises(DataError, match="'c'"):
        analyse(units_of(log, "arm", None), AbOptions(control="c"))
    with pytest.raises(DataError, match="each arm"):
        analyse(units_of(log, "arm", None), AbOptions(shares=(1.0,)))


def test_what_is_significant_by_itself_alone_is_said_to_be_so() -> None:
    gap = _gap(two_arms(600, lift=0.3), "ctr")

    assert "none that so many" in replace(gap, p=0.03, p_holm=0.2).sentence
    assert "no difference can be told" in replace(gap, p=0.3, p_holm=1.0).sentence
    assert "cannot be told" in replace(gap, p=float("nan"), p_holm=float("nan")).sentence
