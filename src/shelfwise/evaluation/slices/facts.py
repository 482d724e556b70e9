"""What may set one impression apart from another, in words: the columns that slices are cut by.

Shape suffixes in this file: N = impressions, V = items, R = requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.item_facts import met_in
from shelfwise.data.part_rows import taken_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.evaluation.slices.columns import impression_columns

_MOST_VALUES = 12  # of a column of words; rarer ones are one slice, "other"
_BANDS = 5  # of a number, of equal mass
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
OTHER, NOT_SAID = "other", "not said"


def slice_table(
    prepared: PreparedShop, shown: pl.DataFrame, learned: Sequence[Part]
) -> pl.DataFrame:
    """``[N]`` rows of words: in which slice of each column every row of ``shown`` lies.

    Args:
        prepared: the shop.
        shown: ``request`` and ``item`` of each row, and ``position`` where it is known.
        learned: parts that the run has learned from: they say what is head, tail or cold.
    """
    request_N = shown["request"].cast(pl.Int64)
    item_N = shown["item"].cast(pl.Int64)
    columns = [
        _popularity(prepared, learned)[item_N].alias("item popularity"),
        *(column[request_N] for column in _of_requests(prepared, learned)),
        *(column[item_N] for column in _of_items(prepared)),
    ]
    if "position" in shown.columns:
        columns.append(_places(shown["position"]))
    told = impression_columns(prepared, shown)
    columns += [
        _in_slices(told[name].alias(name.removeprefix("catalogue.")))
        for name in told.columns
        if name not in ("catalogue.category", "catalogue.language")
    ]
    return pl.DataFrame(columns)


def head_items(count_V: NDArray[np.int64]) -> NDArray[np.bool_]:
    """``[V]`` the most taken items that make up half of all that was taken."""
    order = np.argsort(-count_V, kind="stable")
    before = np.concatenate([[0], count_V[order].cumsum()[:-1]])
    head_V = np.zeros(len(count_V), bool)
    head_V[order] = (before < count_V.sum() / 2) & (count_V[order] > 0)
    return head_V


def _popularity(prepared: PreparedShop, learned: Sequence[Part]) -> pl.Series:
    taken = taken_of_parts(prepared, learned)["item"].to_numpy()
    count_V = np.bincount(taken, minlength=len(prepared.items))
    head_V = head_items(count_V)
    met_V = met_in(prepared, learned)
    words = np.select(
        [head_V, count_V > 0, met_V],
        ["head (half of what is taken)", "tail", "met, never taken"],
        "not met in training",
    )
    return pl.Series("item popularity", words)


def _of_requests(prepared: PreparedShop, learned: Sequence[Part]) -> list[pl.Series]:
    requests = prepared.requests
    owner_R = requests["owner"].to_numpy()
    past_R = requests["history_end"].to_numpy() - prepared.history.offset_U1[owner_R]
    found = [
        pl.Series("shopper's history", _bands_of_history(past_R)),
        requests["surface"].cast(pl.String).alias("surface"),
        *_of_queries(prepared, learned),
    ]
    if prepared.manifest.facts.get("clock") != "order":
        at = requests["at"].cast(pl.Datetime("us"))
        block = (at.dt.hour() // 6 * 6).cast(pl.Int64)
        hours = [f"{hour:02}:00 to {hour + 6:02}:00" for hour in block]
        found.append(pl.Series("hour (UTC)", hours, pl.String))
        days = [WEEKDAYS[day - 1] for day in at.dt.weekday()]
        found.append(pl.Series("weekday", days, pl.String))
    return found


def _bands_of_history(past_R: NDArray[np.int64]) -> NDArray[np.str_]:
    return np.select(
        [past_R == 0, past_R < 5, past_R < 20], ["none", "1 to 4", "5 to 19"], "20 or more"
    )


def _of_queries(prepared: PreparedShop, learned: Sequence[Part]) -> list[pl.Series]:
    query_R = prepared.requests["query"].to_numpy()
    if not (query_R >= 0).any():
        return []
    asked_before = np.zeros(len(prepared.queries), bool)
    in_training = prepared.requests.filter(
        pl.col("part").is_in(list(learned)) & (pl.col("query") >= 0)
    )
    asked_before[in_training["query"].to_numpy()] = True
    words = prepared.queries["text"].str.count_matches(r"\S+").to_numpy()
    length = np.select([words <= 1, words == 2], ["1 word", "2 words"], "3 words or more")
    seen = np.where(asked_before, "asked in training", "new")
    none = query_R < 0
    return [
        pl.Series("query length", np.where(none, "no query", length[query_R])),
        pl.Series("query seen", np.where(none, "no query", seen[query_R])),
    ]


def _of_items(prepared: PreparedShop) -> list[pl.Series]:
    items = prepared.items
    broad = items["category"].fill_null("").str.split(" > ").list.first()
    blank = (items["title"].fill_null("").str.strip_chars() == "").to_list()
    return [
        _in_slices(broad.replace("", None).alias("department")),
        _in_slices(items["category"]),
        _in_slices(items["language"].alias("language of title")),
        pl.Series("title", ["missing" if one else "given" for one in blank]),
    ]


def _places(position: pl.Series) -> pl.Series:
    place_N = position.fill_null(0).to_numpy()
    words = np.select(
        [place_N == 0, place_N == 1, place_N <= 3, place_N <= 10],
        [NOT_SAID, "1", "2 to 3", "4 to 10"],
        "11 or later",
    )
    return pl.Series("place", words)


def _in_slices(column: pl.Series) -> pl.Series:
    """Words as they are, rare ones together; numbers in bands of equal mass."""
    if column.dtype.is_numeric() and column.n_unique() > _BANDS + 1:
        return _bands(column)
    words = column.cast(pl.String).fill_null(NOT_SAID)
    common = words.value_counts(sort=True)[words.name].head(_MOST_VALUES)
    return words.set(~words.is_in(common.implode()), OTHER)


def _bands(column: pl.Series) -> pl.Series:
    number_N = column.cast(pl.Float64).fill_nan(None)
    known = number_N.drop_nulls().to_numpy()
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _BANDS + 1)))
    band_N = np.searchsorted(edges[1:-1], number_N.fill_null(0).to_numpy(), side="right")
    names = [f"{low:,.4g} to {high:,.4g}" for low, high in pairwise(edges)]
    words = [
        NOT_SAID if missing else names[min(band, len(names) - 1)]
        for band, missing in zip(band_N.tolist(), number_N.is_null().to_list(), strict=True)
    ]
    return pl.Series(column.name, words, pl.String)
