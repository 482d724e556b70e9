from __future__ import annotations

from datetime import timedelta

import polars as pl

from shelfwise.evaluation.ab.analyse import AbOptions, analyse
from shelfwise.evaluation.ab.units import units_of

from .small_log import START


def test_sums_of_a_log_by_hand() -> None:
    log = pl.DataFrame(
        [
            ("impression", "u1", "s1", "a", None, None),
            ("click", "u1", "s1", "a", None, None),
            ("purchase", "u1", "s2", None, 5.0, 2.0),
            ("impression", "u2", "s3", "b", None, None),
            ("impression", "u3", "s4", "a", None, None),
            ("impression", "u3", "s4", "b", None, None),
            ("impression", "u4", "s5", None, None, None),
        ],
        schema=["event", "user_id", "session_id", "arm", "price", "quantity"],
        orient="row",
    )

    units = units_of(log, "arm", None)

    assert units.table["unit"].to_list() == ["u1", "u2"]
    one = units.table.row(0, named=True)
    assert (one["impressions"], one["clicks"], one["purchases"]) == (1, 1, 1)
    assert (one["revenue"], one["sessions"]) == (10, 2)
    assert (units.in_two_arms, units.without_arm, units.has_before) == (1, 1, False)
    assert [metric.name for metric in units.metrics()][:2] == ["ctr", "conversion"]


def test_what_is_left_out_is_counted_and_said() -> None:
    early, late = START - timedelta(days=1), START + timedelta(days=1)
    log = pl.DataFrame(
        [
            ("purchase", "u1", "a", late, 5.0),
            ("purchase", "u2", "b", late, 7.0),
            ("purchase", "u2", "b", late, None),
            ("purchase", "u2", "b", early, None),  # before the test: not its revenue
            ("impression", None, "b", late, None),
            ("impression", "u1", "a", None, None),
        ],
        schema=["event", "user_id", "arm", "timestamp", "price"],
        orient="row",
    )

    units = units_of(log, "arm", START)
    notes = analyse(units, AbOptions()).notes

    assert (units.nobodys_rows, units.undated_rows, units.unpriced) == (1, 1, 1)
    assert units.table["revenue"].to_list() == [5, 7]
    assert units.table["impressions"].to_list() == [0, 0]
    for said in ("1 rows name neither", "1 rows have no timestamp", "1 purchases have no price"):
        assert any(note.startswith(said) for note in notes)
