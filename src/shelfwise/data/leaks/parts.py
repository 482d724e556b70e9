"""Rows that two parts of the split share, and parts that are not what their split says."""

from __future__ import annotations

import numpy as np
import polars as pl

from shelfwise.data.config import SplitOptions
from shelfwise.data.held_out import held_out_parts
from shelfwise.data.leaks.alike import alike
from shelfwise.data.leaks.leak import Leak, joined, leak_of_requests, leak_of_rows
from shelfwise.data.parts import Asked
from shelfwise.data.split import LATER, PARTS, Moments, part_of

_PLACE = {part: place for place, part in enumerate((*PARTS, LATER))}


def leaks_between_parts(asked: Asked, moments: Moments, options: SplitOptions) -> list[Leak]:
    """A request in two parts, a match in two parts, and what breaks the rule of the split.

    Args:
        asked: what was parted; its requests have a column ``part``.
        moments: where a split by time lies.
        options: the split.
    """
    requests = asked.requests
    return joined(
        [
            leak_of_requests("a request straddles the split", _straddling(requests), requests),
            leak_of_rows("the same match stands in two parts", _in_two_parts(asked, moments)),
            leak_of_requests(*_against_the_rule(asked, moments, options), requests),
        ]
    )


def _straddling(requests: pl.DataFrame) -> pl.Series:
    named = alike(requests.filter(pl.col("request_id").is_not_null()), ["request_id"])
    return (
        named.group_by("request_id")
        .agg(pl.col("part").n_unique().alias("parts"), pl.col("request").min())
        .filter(pl.col("parts") > 1)["request"]
    )


def _in_two_parts(asked: Asked, moments: Moments) -> pl.DataFrame:
    """Matches of one owner, item, kind and moment that two parts know of.

    Where the log itself tells two such matches apart, by sequence or by the request that each
    names, they are two: one day's clicks after two searches.
    """
    ends = pl.DataFrame(
        {"part": PARTS, "known_until": [moments.end_of(part) for part in PARTS]},
        schema={"part": pl.String, "known_until": pl.Int64},
    )
    requests = asked.requests.select(
        "request", "owner", "request_id", "sequence", pl.col("part").cast(pl.String)
    )
    key = ["owner", "item", "kind", "at"]
    known = (
        asked.positives.select("request", "item", "kind", "at")
        .join(requests, on="request")
        .join(ends, on="part")
        .filter(pl.col("at") < pl.col("known_until"))
    )
    return (
        alike(known, [*key, "request_id", "sequence"])
        .group_by(*key, "request_id", "sequence")
        .agg(pl.col("part").unique().sort())
        .filter(pl.col("part").list.len() > 1)
        .select(*key, pl.col("part").list.join(" and ").alias("parts"))
        .sort("at", "owner", "item", "kind")
    )


def _against_the_rule(
    asked: Asked, moments: Moments, options: SplitOptions
) -> tuple[str, pl.Series]:
    match options.kind:
        case "time" | "rolling":
            wrong = part_of(pl.col("at"), moments) != pl.col("part").cast(pl.String)
            return (
                "a request lies in another part than its own time",
                asked.requests.filter(wrong)["request"],
            )
        case "leave_last_out":
            return "training goes on after what it holds out of an owner", _after_held_out(asked)
        case "cold_items":
            return "a held-out item is answered in an earlier part", _known_items(asked)
        case "cold_queries":
            return "a held-out query is asked in an earlier part", _known_queries(asked)


def _place(part: pl.Expr) -> pl.Expr:
    return part.cast(pl.String).replace_strict(_PLACE, return_dtype=pl.Int8)


def _after_held_out(asked: Asked) -> pl.Series:
    """Requests that an owner makes after one of a later part."""
    order = ["owner", "at", "sequence", "request_id"]
    rows = asked.requests.with_columns(_place(pl.col("part")).alias("place")).sort(
        order, nulls_last=True
    )
    # Owners rise, so the running maximum of this key never reaches over from one to the next.
    key_R = rows["owner"].to_numpy() * len(_PLACE) + rows["place"].to_numpy()
    return rows["request"].filter(pl.Series(np.maximum.accumulate(key_R) > key_R, dtype=pl.Boolean))


def _known_items(asked: Asked) -> pl.Series:
    answered = asked.impressions.filter(
        pl.col("clicked_at").is_not_null() | pl.col("purchased_at").is_not_null()
    )
    answers = pl.concat([rows.select("request", "item") for rows in (answered, asked.positives)])
    held = asked.items.select(
        pl.int_range(pl.len()).alias("item"), held_out_parts(asked.items["item_id"]).alias("held")
    )
    return (
        answers.with_columns(pl.col("item").cast(pl.Int64))
        .join(held, on="item")
        .join(asked.requests.select("request", "part"), on="request")
        .filter(_place(pl.col("part")) < _place(pl.col("held")))["request"]
    )


def _known_queries(asked: Asked) -> pl.Series:
    held = asked.queries.select(
        pl.int_range(pl.len()).alias("query"), held_out_parts(asked.queries["text"]).alias("held")
    )
    return (
        asked.requests.with_columns(pl.col("query").cast(pl.Int64))
        .join(held, on="query")
        .filter(_place(pl.col("part")) < _place(pl.col("held")))["request"]
    )
