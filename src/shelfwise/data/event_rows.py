"""Rows of a log as they are kept on the way: texts written one way, and nobody's own name.

Whatever part of a log is looked at, a row comes out the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from shelfwise.data.config import DataOptions
from shelfwise.data.features.declared import typed_features
from shelfwise.data.normalise import normalise
from shelfwise.data.pseudonyms import Pseudonyms
from shelfwise.schema.event import EventKind, Surface

KIND = pl.Enum([kind.value for kind in EventKind])
SURFACE = pl.Enum([surface.value for surface in Surface])

# Columns that tell rows apart. Ids of requests and events stay as they are: the feedback loop
# and whoever knows the truth of a sample shop find rows by them.
STAGED: Mapping[str, pl.DataType] = pl.Schema(
    {
        "event": KIND,
        "user": pl.UInt64(),
        "visitor": pl.UInt64(),  # the session, where no user is known
        "session": pl.UInt64(),
        "at": pl.Int64(),  # microseconds since 1970; null where the row has order only
        "sequence": pl.Int64(),
        "item_id": pl.String(),
        "query": pl.String(),
        "request_id": pl.String(),
        "surface": SURFACE,
        "position": pl.Int64(),
        "propensity": pl.Float64(),
        "price": pl.Float64(),
        "quantity": pl.Float64(),
        "campaign_id": pl.String(),
        "event_id": pl.String(),
        "ip": pl.UInt64(),
    }
)


def event_rows(
    rows: pl.DataFrame, file: int, options: DataOptions, pseudonyms: Pseudonyms
) -> pl.DataFrame:
    """Rows of one file that kept the rules: ``STAGED``, the file's features, ``file``, ``row``.

    Args:
        rows: as the reader hands them out.
        file: number of the file.
        options: says which further columns are features.
        pseudonyms: of users, sessions and addresses.
    """
    sequence = pl.col("sequence")
    if options.events.rows_in_order:
        sequence = sequence.fill_null(pl.col("row"))
    nobody = pl.col("user_id").is_null()
    rows = rows.with_columns(
        normalise(rows["query"]).alias("query"),
        pseudonyms.numbers("user", rows["user_id"]).alias("user"),
        pseudonyms.numbers("ip", rows["ip"]).alias("ip"),
        pl.when(nobody).then(pl.col("session_id")).alias("visitor"),
    )
    return rows.select(
        pl.col("event").cast(KIND),
        "user",
        pseudonyms.numbers("session", rows["visitor"]).alias("visitor"),
        # Only ever compared with others of this run, and never written.
        pl.when(pl.col("session_id").is_not_null())
        .then(pl.col("session_id").hash(seed=0))
        .alias("session"),
        pl.col("timestamp").dt.epoch("us").alias("at"),
        sequence.alias("sequence"),
        "item_id",
        pl.when(pl.col("query") != "").then(pl.col("query")).alias("query"),
        "request_id",
        pl.col("surface").cast(SURFACE),
        "position",
        "propensity",
        "price",
        "quantity",
        "campaign_id",
        "event_id",
        "ip",
        *typed_features(rows, options.features.events),
        pl.lit(file, pl.UInt32).alias("file"),
        pl.col("row").cast(pl.Int64),
    )
