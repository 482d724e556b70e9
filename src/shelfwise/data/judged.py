"""Judgements under the numbers of their queries and items, parted by query."""

from __future__ import annotations

import polars as pl

from shelfwise.data.held_out import judgement_parts

JUDGED = pl.Schema({"query": pl.Int64, "item": pl.Int64, "grade": pl.Float64, "part": pl.String})


def judgement_rows(
    judged: pl.DataFrame | None, items: pl.DataFrame, queries: pl.DataFrame
) -> pl.DataFrame:
    """Rows of ``JUDGED`` in the order of query and item; none where nothing was judged.

    Args:
        judged: columns ``query, item_id, grade``.
        items: ``item_id``; row i is item i.
        queries: ``text``; row i is query i.
    """
    if judged is None:
        return pl.DataFrame(schema=JUDGED)
    rows = judged.with_columns(judgement_parts(judged["query"]).alias("part"))
    number = queries.select(pl.col("text").alias("query"), pl.int_range(pl.len()).alias("number"))
    return (
        rows.join(items.select("item_id", pl.int_range(pl.len()).alias("item")), on="item_id")
        .join(number, on="query")
        .select(pl.col("number").alias("query"), "item", "grade", "part")
        .sort("query", "item", "grade")
    )
