"""Tables that fit in memory, from rows that could be read to rows that can be learned from: one
way to write each text. (The log is cleaned part by part: `event_rows`, `order`, `visits`.)

A row that falls away here is counted as the reader would have counted it, and joins the rejects
with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from shelfwise.data.category_path import normalise_paths
from shelfwise.data.normalise import normalise
from shelfwise.data.source.read import ShopTables
from shelfwise.data.source.scan import REJECT_ROWS, TableCounts
from shelfwise.data.source.typed import as_json


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row cannot be used, in the words of the rejects file."""

    column: str
    code: str
    rule: str


_NO_TEXT = Refusal("text", "invisible-text", "a text holds something that can be seen")
_NO_QUERY = Refusal("query", "invisible-text", "a query holds something that can be seen")

_NO_TITLE = Refusal("title", "invisible-text", "a judged title holds something that can be seen")


def clean(tables: ShopTables) -> ShopTables:
    """The tables but the log with texts and category paths normalised."""
    pairs, no_text = refused(_normalised(tables.pairs, "text"), pl.col("text").is_null(), _NO_TEXT)
    judgements, no_query = refused(
        _normalised(tables.judgements, "query", "title"), pl.col("query").is_null(), _NO_QUERY
    )
    judgements, no_title = refused(
        judgements, pl.col("item_id").is_null() & pl.col("title").is_null(), _NO_TITLE
    )
    fallen = pl.concat([no_text, no_query, no_title])
    return replace(
        tables,
        catalogue=_with_paths(_normalised(tables.catalogue, "title", "category", "brand")),
        judgements=judgements,
        campaigns=_normalised(tables.campaigns, "title"),
        pairs=pairs,
        rejects=pl.concat([tables.rejects, fallen]),
        counts=recounted(tables.counts, rejected=fallen["file"].value_counts(name="len")),
    )


def _normalised(table: pl.DataFrame | None, *columns: str) -> pl.DataFrame | None:
    if table is None:
        return None
    texts = [normalise(table[column]) for column in columns]
    return table.with_columns(text.set(text == "", None) for text in texts)


def _with_paths(catalogue: pl.DataFrame | None) -> pl.DataFrame | None:
    if catalogue is None:
        return None
    return catalogue.with_columns(normalise_paths(catalogue["category"]).paths.alias("category"))


def refused(
    table: pl.DataFrame | None, bad: pl.Expr, why: Refusal
) -> tuple[pl.DataFrame | None, pl.DataFrame]:
    """The good rows of a table, and the bad ones as rejects."""
    if table is None:
        return None, pl.DataFrame(schema=REJECT_ROWS)
    rows = table.filter(bad)
    rejects = rows.select(
        "file",
        "row",
        pl.lit(why.column).alias("column"),
        pl.lit(why.code).alias("code"),
        pl.lit("(empty)").alias("found"),
        pl.lit(why.rule).alias("rule"),
        as_json(rows.drop("file", "row")).alias("raw"),
    )
    return table.filter(~bad), rejects


def recounted(
    counts: tuple[TableCounts, ...],
    *,
    rejected: pl.DataFrame | None = None,
    duplicates: pl.DataFrame | None = None,
) -> tuple[TableCounts, ...]:
    """What the reader counted as kept and did not last; both tables have ``file, len``."""
    lost, twice = _by_file(rejected), _by_file(duplicates)
    return tuple(
        replace(
            count,
            kept=count.kept - lost.get(count.file, 0) - twice.get(count.file, 0),
            rejected=count.rejected + lost.get(count.file, 0),
            duplicates=count.duplicates + twice.get(count.file, 0),
        )
        for count in counts
    )


def _by_file(table: pl.DataFrame | None) -> dict[str, int]:
    if table is None:
        return {}
    return dict(table.group_by("file").agg(pl.col("len").sum()).iter_rows())
