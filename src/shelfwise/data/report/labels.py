"""The plain case: texts and their classes, and queries with graded items."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shelfwise.data.report.spread import Spread, spread

_CLASSES = 30


@dataclass(frozen=True, slots=True)
class Labels:
    """A table of text and label."""

    rows: int
    distinct_texts: int
    classes: dict[str, int]  # the largest first
    class_count: int
    contradicted: int  # distinct texts that have two labels or more
    examples: tuple[tuple[str, tuple[str, ...]], ...]  # such a text and its labels
    letters: Spread  # of a text


@dataclass(frozen=True, slots=True)
class Judgements:
    """Queries whose items somebody graded."""

    rows: int
    queries: int
    items: int  # distinct items judged, or titles where no id is given
    per_query: Spread
    grades: dict[str, int]  # lowest first
    one_grade: int  # queries whose items all have the same grade: they cannot tell rankings apart


def labels(pairs: pl.DataFrame) -> Labels | None:
    """None where the table is empty."""
    if pairs.is_empty():
        return None
    sizes = pairs["label"].value_counts().sort("count", "label", descending=[True, False])
    texts = pairs.group_by("text").agg(pl.col("label").unique().sort())
    several = texts.filter(pl.col("label").list.len() > 1).sort("text")
    return Labels(
        len(pairs),
        len(texts),
        dict(sizes.head(_CLASSES).iter_rows()),
        len(sizes),
        len(several),
        tuple((text, tuple(told)) for text, told in several.head(5).iter_rows()),
        spread(pairs["text"].str.len_chars().to_numpy()),
    )


def judgements(table: pl.DataFrame) -> Judgements | None:
    """None where the table is empty."""
    if table.is_empty():
        return None
    judged = pl.coalesce(pl.col("item_id").cast(pl.String), "title")
    queries = table.group_by("query").agg(
        pl.len().alias("rows"), pl.col("grade").n_unique().alias("grades")
    )
    grades = table["grade"].value_counts().sort("grade")
    return Judgements(
        len(table),
        len(queries),
        table.select(judged.n_unique()).item(),
        spread(queries["rows"].to_numpy()),
        {f"{grade:g}": count for grade, count in grades.iter_rows()},
        int((queries["grades"] == 1).sum()),
    )
