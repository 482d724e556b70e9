"""The moments at which the ranker is asked: requests the log names, and those it implies.

A log with impressions says when a list was shown, and what of it was clicked. A search whose
request was answered by a click is a request too, whatever was shown. All other behaviour that
counts as a match implies a request just before it: a basket, or one click.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from shelfwise.data.config import MatchOptions
from shelfwise.schema.event import INTEREST_ORDER, EventKind, Surface


class Occasions(NamedTuple):
    """Requests, what was shown at them, and what turned out to match them."""

    requests: pl.DataFrame  # request, request_id, owner, at, sequence, query, surface
    impressions: pl.DataFrame  # request, item, position, propensity, at, times of outcomes, ...
    positives: pl.DataFrame  # request, item, kind, at


def match_kinds(counts: Mapping[str, int], options: MatchOptions) -> tuple[EventKind, ...]:
    """Behaviours that count as a match: those configured, else what the log holds.

    A log with impressions takes clicks and purchases; any other takes the strongest interest that
    makes up at least a tenth of its behaviour, so that a rare purchase does not leave the matcher
    with nothing to learn from.

    Args:
        counts: rows of each kind.
        options: what shop.toml says.
    """
    if options.events:
        return options.events
    if counts.get(EventKind.IMPRESSION) and counts.get(EventKind.CLICK):
        return (EventKind.CLICK, EventKind.PURCHASE)
    total = sum(counts.get(kind, 0) for kind in INTEREST_ORDER)
    common = [kind for kind in INTEREST_ORDER if counts.get(kind, 0) * 10 >= max(total, 1)]
    return (common[-1],) if common else ()


def find_occasions(
    events: pl.DataFrame,
    attributed: pl.DataFrame,
    kinds: tuple[EventKind, ...],
    by_sequence: bool,
) -> Occasions:
    """Number every request of the log, and say what was shown and what matched.

    Args:
        events: columns ``event, owner, item, query, at, sequence, request_id, surface``.
        attributed: impressions with outcome times, as `attribute` returns them.
        kinds: behaviours that make an item a positive.
        by_sequence: events of one owner and time but another ``sequence`` are different requests.
    """
    wanted = pl.col("event").is_in([kind.value for kind in kinds])
    matched = events.filter(wanted & pl.col("item").is_not_null())
    shown = _named_requests(events, attributed)
    shown = pl.concat([shown, _searches(events, matched, shown)], how="diagonal_relaxed")
    implied_rows = matched.filter(
        pl.col("request_id").is_null() | ~pl.col("request_id").is_in(shown["request_id"].implode())
    )
    order = ["owner", "at", "sequence"] if by_sequence else ["owner", "at"]
    implied = _implied_requests(implied_rows, order)
    requests = (
        pl.concat([shown, implied], how="diagonal")
        .sort("at", "owner", "sequence", "request_id", nulls_last=True)
        .with_row_index("request")
    )
    return Occasions(
        requests=requests,
        impressions=_join_request(attributed.filter(_from_request()), requests),
        positives=_positives(matched, implied_rows, requests, order),
    )


def _from_request() -> pl.Expr:
    return pl.col("request_id").is_not_null()


def _named_requests(events: pl.DataFrame, attributed: pl.DataFrame) -> pl.DataFrame:
    """One row for every request that showed something; its query is that of its search."""
    queries = (
        events.filter(_from_request() & pl.col("query").is_not_null())
        .group_by("request_id")
        .agg(pl.col("query").first())
    )
    return (
        attributed.filter(_from_request())
        .group_by("request_id")
        .agg(pl.col("owner").first(), pl.col("at").min(), pl.col("surface").drop_nulls().first())
        .join(queries, on="request_id", how="left")
        .with_columns(
            pl.col("surface").fill_null(
                pl.when(pl.col("query").is_not_null())
                .then(pl.lit(Surface.SEARCH.value))
                .otherwise(pl.lit(Surface.RECOMMENDATION.value))
            ),
            pl.lit(None, pl.Int64).alias("sequence"),
        )
    )


def _searches(events: pl.DataFrame, matched: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Requests of a log that says what was searched for and taken, but not what was shown."""
    searched = events.filter(
        (pl.col("event") == EventKind.SEARCH.value)
        & pl.col("query").is_not_null()
        & _from_request()
    )
    answered = searched.join(matched.select("request_id"), on="request_id", how="semi")
    return (
        answered.join(shown.select("request_id"), on="request_id", how="anti")
        .sort("at", "query")
        .group_by("request_id", maintain_order=True)
        .agg(pl.col("owner", "at", "query").first())
        .with_columns(
            pl.lit(Surface.SEARCH.value).alias("surface"),
            pl.lit(None, pl.Int64).alias("sequence"),
        )
    )


def _implied_requests(rows: pl.DataFrame, order: list[str]) -> pl.DataFrame:
    return (
        rows.select(order)
        .unique()
        .with_columns(
            pl.lit(Surface.RECOMMENDATION.value).alias("surface"),
            pl.lit(None, pl.Int64).alias("query"),
        )
    )


def _join_request(rows: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    numbers = requests.filter(_from_request()).select("request_id", "request")
    columns = ("item", "position", "propensity", "at", "clicked_at", "purchased_at", "returned_at")
    known = ("request_id", "owner", "surface", *columns)
    features = [name for name in rows.columns if name not in known]
    return rows.join(numbers, on="request_id", how="inner", maintain_order="left").select(
        "request", *columns, *features
    )


def _positives(
    matched: pl.DataFrame, implied_rows: pl.DataFrame, requests: pl.DataFrame, order: list[str]
) -> pl.DataFrame:
    """Distinct (request, item, kind), the earliest time each.

    What the log dates before its own request cannot be an answer to it: it may be in its history.
    """
    named = (
        matched.select("request_id", "item", "event", "at")
        .join(
            requests.filter(_from_request()).select(
                "request_id", "request", pl.col("at").alias("asked_at")
            ),
            on="request_id",
        )
        .filter(pl.col("at") >= pl.col("asked_at"))
    )
    implied = implied_rows.join(
        requests.filter(~_from_request()).select(*order, "request"), on=order, nulls_equal=True
    )
    columns = ["request", "item", "event", "at"]
    return (
        pl.concat([named.select(columns), implied.select(columns)])
        .group_by("request", "item", "event")
        .agg(pl.col("at").min())
        .rename({"event": "kind"})
        .sort("request", "item", "kind")
    )
