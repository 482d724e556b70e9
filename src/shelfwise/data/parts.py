"""Which part every request belongs to, for every kind of split; once, on the whole log.

A request belongs to one part with everything that was shown and matched at it. Nothing here looks
at the order of rows: ties are broken by the requests' own names.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from shelfwise.data.config import SplitOptions
from shelfwise.data.held_out import held_out_parts
from shelfwise.data.split import PARTS, Moments, part_of

_NO_PLACE = 2**31  # behind every place that a list can have


class Asked(NamedTuple):
    """What a split looks at; numbers of requests, items and queries are rows of their tables."""

    requests: pl.DataFrame  # request, request_id, owner, at, sequence, query (null or -1: none)
    impressions: pl.DataFrame  # request, item, position, clicked_at, purchased_at
    positives: pl.DataFrame  # request, item
    items: pl.DataFrame  # item_id; row i is item i
    queries: pl.DataFrame  # text; row i is query i


def assign_parts(asked: Asked, moments: Moments, options: SplitOptions) -> pl.DataFrame:
    """``requests`` in their own order with a column ``part``: "train", "validation", "test".

    A request of a rolling split that lies after the window's test is "later": in no part.

    time, rolling: by the request's own time. leave_last_out: an owner's last request with a match
    is the test, the last but one validation, all others training; fewer than three stay in training
    altogether. Requests without a match go with the owner's match before them. cold_queries: by
    the query; what has none is training. cold_items: see `_by_item`.
    """
    match options.kind:
        case "time" | "rolling":
            return asked.requests.with_columns(part_of(pl.col("at"), moments).alias("part"))
        case "leave_last_out":
            return _leave_last_out(asked)
        case "cold_items":
            return _by_item(asked)
        case "cold_queries":
            return _by_query(asked)


def item_places(items: pl.DataFrame) -> pl.DataFrame:
    """``item, item_place``: place in PARTS of the part that a cold test puts each item in."""
    return pl.DataFrame(
        {
            "item": pl.int_range(len(items), eager=True),
            "item_place": _places(held_out_parts(items["item_id"])),
        }
    )


def _places(parts: pl.Series) -> pl.Series:
    return parts.replace_strict(
        {part: place for place, part in enumerate(PARTS)}, return_dtype=pl.Int8
    )


def _named(place: pl.Expr) -> pl.Expr:
    return place.replace_strict(dict(enumerate(PARTS)), return_dtype=pl.String).alias("part")


def _leave_last_out(asked: Asked) -> pl.DataFrame:
    order = ["owner", "at", "sequence", "request_id"]
    rows = (
        asked.requests.select("request", *order)
        .with_columns(
            pl.col("request").is_in(asked.positives["request"].unique().implode()).alias("matched")
        )
        .sort(order, nulls_last=True)
    )
    owner_R = rows["owner"].to_numpy()
    before_R1 = np.concatenate([[0], rows["matched"].to_numpy().cumsum()])
    # Of each row's owner: where their rows begin and end.
    begin_R = np.searchsorted(owner_R, owner_R, side="left")
    end_R = np.searchsorted(owner_R, owner_R, side="right")
    later_R = before_R1[end_R] - before_R1[1:]  # 0 after the last match, 1 between the last two
    few_R = before_R1[end_R] - before_R1[begin_R] < len(PARTS)
    place_R = np.where(few_R, 0, (len(PARTS) - 1 - later_R).clip(0))
    found = rows.select("request", _named(pl.lit(pl.Series(place_R))))
    return asked.requests.join(found, on="request", how="left", maintain_order="left")


def _by_query(asked: Asked) -> pl.DataFrame:
    parts = held_out_parts(asked.queries["text"]).to_frame("part").with_row_index("query")
    known = parts.with_columns(pl.col("query").cast(asked.requests.schema["query"]))
    return asked.requests.join(known, on="query", how="left", maintain_order="left").with_columns(
        pl.col("part").fill_null("train")
    )


def _by_item(asked: Asked) -> pl.DataFrame:
    """The latest part of the items that were clicked, bought or matched at the request.

    Where nothing was, the item of the first place decides: so that each part keeps its share of
    lists without an answer. Unanswered rows of held-out items that training is left with are not
    shown to it, see `rows_of_parts`.
    """
    answers = pl.concat([asked.positives.select("request", "item"), _answered(asked.impressions)])
    first = asked.impressions.group_by("request").agg(_first_item(len(asked.items)))
    first = first.join(answers, on="request", how="anti")
    rows = pl.concat([answers.with_columns(pl.col("item").cast(pl.Int64)), first])
    found = (
        rows.join(item_places(asked.items), on="item")
        .group_by("request")
        .agg(pl.col("item_place").max())
        .select("request", _named(pl.col("item_place")))
    )
    return asked.requests.join(found, on="request", how="left", maintain_order="left").with_columns(
        pl.col("part").fill_null("train")
    )


def _first_item(items: int) -> pl.Expr:
    """The item of a request's first place; of several there, the one with the lowest number."""
    place = pl.col("position").cast(pl.Int64).fill_null(_NO_PLACE).clip(0, _NO_PLACE)
    return ((place * items + pl.col("item").cast(pl.Int64)).min() % items).alias("item")


def _answered(impressions: pl.DataFrame) -> pl.DataFrame:
    answered = pl.col("clicked_at").is_not_null() | pl.col("purchased_at").is_not_null()
    return impressions.filter(answered).select("request", "item")
