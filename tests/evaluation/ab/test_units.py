from __future__ import annotations

import polars as pl

from shelfwise.evaluation.ab.units import units_of


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
