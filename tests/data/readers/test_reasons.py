"""Rows are kept, or left out for the first reason that is true of them."""

from __future__ import annotations

import polars as pl

from shelfwise.data.readers.reasons import missing, sort_out

ROWS = pl.DataFrame({"line": [1, 2, 3, 4], "a": [None, 0, 5, None], "b": ["x", "y", "z", "w"]})
REASONS = (("no a", missing("a")), ("small", pl.col("a") < 1))


def test_the_first_reason_counts_and_every_row_goes_somewhere() -> None:
    # Row 2 alone is small; rows 1 and 4 have no a, of which "small" is not known.
    kept, left_out = sort_out(ROWS, REASONS, ["line", "b"])

    assert kept.rows() == [(3, 5, "z")]
    assert left_out.rows() == [(1, "x", "no a"), (2, "y", "small"), (4, "w", "no a")]


def test_without_reasons_all_is_kept() -> None:
    kept, left_out = sort_out(ROWS, (), ["line"])

    assert kept.equals(ROWS)
    assert left_out.schema == {"line": pl.Int64, "reason": pl.String}
    assert left_out.is_empty()


def test_missing_is_any_empty_cell() -> None:
    rows = pl.DataFrame({"a": [1, None, 1], "b": [1, 1, None]})

    assert rows.select(missing("a", "b")).to_series().to_list() == [False, True, True]
