"""Lines that hold a user and the user's items, as research publishes sequences and pairs."""

from __future__ import annotations

import polars as pl

_ROWS = pl.Schema(
    {"line": pl.Int64, "user_id": pl.String, "sequence": pl.Int64, "item_id": pl.String}
)


def user_lines(text: str) -> pl.DataFrame:
    """``user item item ...`` a line, as a row an item: line, user_id, sequence (from 1), item_id.

    A user without items is no row. Whether ``sequence`` is an order of time, the publisher knows.
    """
    lines = pl.Series("words", text.split("\n"), dtype=pl.String).str.strip_chars()
    table = lines.to_frame().with_row_index("line", offset=1).filter(pl.col("words") != "")
    words = pl.col("words").str.split(" ")
    return (
        table.select(
            "line",
            words.list.first().alias("user_id"),
            words.list.slice(1).alias("item_id"),
            pl.int_ranges(1, words.list.len()).alias("sequence"),
        )
        .explode("item_id", "sequence", empty_as_null=False)
        .select(_ROWS.names())
        .cast(_ROWS)
    )
