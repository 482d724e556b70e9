"""Point-in-time figures as the leakage guard looks at them: against raw events and against labels.

Shape suffixes in this file: N = rows of a sample, V = items.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from shelfwise.data.features.behaviour import KINDS_OF, TIMES_OF, Log
from shelfwise.data.features.point_in_time import (
    SCHEMA,
    Standings,
    category_numbers,
    rows_of_impressions,
)
from shelfwise.data.history import KINDS
from shelfwise.data.leaks.counts import Counted
from shelfwise.data.leaks.labels import Offered

_RECOUNTED = 500  # rows
_OF_EACH_LABEL = 5_000  # rows of each outcome, spread over the log
# Below, a figure that grows with time may tell by chance clicks that only came late.
_FEWEST = 200
_RECOUNTED_FIGURES = (
    *("user_shown", "user_taken", "item_shown", "item_clicked", "item_looked"),
    *("category_bought", "category_wanted", "query_shown", "query_searched"),
)


def counted_figures(log: Log, standings: Standings) -> Iterator[Counted]:
    """A sample of rows with some of the counts they were told, and the raw events of each."""
    rows = _some(_asked_rows(log), _RECOUNTED)
    if rows.is_empty():
        return
    category_V = pl.Series(np.append(category_numbers(log.items), -1))
    rows = pl.concat([rows, standings.figures(rows)], how="horizontal").with_columns(
        category_V.gather(rows["item"]).alias("category")
    )
    for figure in _RECOUNTED_FIGURES:
        entity, behaviour = figure.split("_")
        key = "owner" if entity == "user" else entity
        told = rows.select(pl.col(key).cast(pl.Int64).alias("key"), "at", count=figure)
        told = told.filter(pl.col("key") >= 0).drop_nulls("count")
        events = _raw(log, behaviour, key, category_V)
        yield Counted(figure, told, events.filter(pl.col("key").is_in(told["key"].implode())))


def _asked_rows(log: Log) -> pl.DataFrame:
    """``owner, item, query, at`` of what was shown or, where the log does not say, of events."""
    if log.impressions.height:
        return rows_of_impressions(log, log.impressions)
    return _events(log).filter(pl.col("item") >= 0)


def _events(log: Log) -> pl.DataFrame:
    """``owner, item, query, at`` of all behaviour."""
    history = log.history
    return pl.DataFrame(
        {
            "owner": np.repeat(np.arange(log.owners), np.diff(history.offset_U1)),
            "item": history.item_E,
            "query": history.query_E,
            "at": history.at_E,
        }
    )


def _some(rows: pl.DataFrame, most: int) -> pl.DataFrame:
    """Rows spread evenly, so that the sample is the same wherever it is drawn."""
    if rows.height <= most:
        return rows
    return rows[np.linspace(0, rows.height - 1, most).astype(np.int64)]


def _raw(log: Log, behaviour: str, key: str, category_V: pl.Series) -> pl.LazyFrame:
    """``key, at`` of every event of a behaviour, whoever did it."""
    if behaviour in TIMES_OF:
        time = pl.col(TIMES_OF[behaviour]).alias("at")
        rows = log.impressions.lazy().select("request", "item", time).drop_nulls("at")
        for name in ("owner", "query"):
            told = pl.lit(log.requests[name]).gather(pl.col("request"))
            rows = rows.with_columns(told.alias(name)) if key == name else rows
    else:
        kinds = [KINDS.index(kind) for kind in KINDS_OF[behaviour]]
        of_kind = pl.Series(np.isin(log.history.kind_E, kinds), dtype=pl.Boolean)
        rows = _events(log).filter(of_kind).lazy()
    if key == "category":
        rows = rows.with_columns(pl.lit(category_V).gather(pl.col("item")).alias("category"))
    return rows.select(pl.col(key).cast(pl.Int64).alias("key"), "at")


def offered_figures(log: Log, standings: Standings) -> tuple[Offered, ...]:
    """A sample of impressions with every figure; labels as those of declared features."""
    clicked = pl.col("clicked_at").is_not_null()
    bought = pl.col("purchased_at").is_not_null()
    outcomes = (bought, clicked & ~bought, ~clicked)
    some = pl.concat([_some(log.impressions.filter(one), _OF_EACH_LABEL) for one in outcomes])
    figures = standings.figures(rows_of_impressions(log, some))
    labels = some.select(clicked.alias("clicked"), pl.when(clicked).then(bought).alias("purchased"))
    told = tuple(
        name
        for name in labels.columns
        if min((labels[name] == answer).sum() for answer in (True, False)) >= _FEWEST
    )
    rows = pl.concat([labels, figures], how="horizontal")
    return (Offered(rows, told, tuple(SCHEMA)),) if told else ()
