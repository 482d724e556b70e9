"""What an analyst would put into a click model by hand: figures of each row as of its own moment.

The point-in-time counts and rates that `prepare` wrote, and beside them place, shelf, price, words
shared with the query, and how well the shopper already knows the item, its category and its price.

Shape suffixes in this file: N = impressions, R = requests, V = items, W = words, F = features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from shelfwise.data.batches import Examples, examples_of
from shelfwise.data.features.point_in_time import SCHEMA, category_numbers
from shelfwise.data.history import History
from shelfwise.data.part_rows import rows_of_parts
from shelfwise.data.prepared import FEATURES, PreparedShop
from shelfwise.data.split import Part
from shelfwise.evaluation.baselines.past import items_between
from shelfwise.evaluation.baselines.words import ShopWords
from shelfwise.schema.event import Surface

_REQUESTS = 8_192  # looked up together: their histories are in memory meanwhile
_SMALL = 1e-3  # added to rates before their logarithm


@dataclass(frozen=True, slots=True)
class HandFeatures:
    """Impressions of some parts as a model of hand-made features sees them, some at a time."""

    prepared: PreparedShop
    examples: Examples
    place_N: NDArray[np.int64]  # row of each impression among all of the shop
    lookup: Lookup

    @classmethod
    def of(
        cls, prepared: PreparedShop, parts: Sequence[Part], lookup: Lookup | None = None
    ) -> HandFeatures:
        """Every impression of ``parts``, in the order of their `Examples`.

        ``lookup`` is the same for all parts of a shop, and reading its texts takes a while.
        """
        until = prepared.moments.known_until(parts)
        place_N = (
            rows_of_parts(prepared, prepared.impressions.with_row_index("place"), parts)
            .filter(pl.col("at") < until)
            .sort("request", maintain_order=True)["place"]
            .to_numpy()
            .astype(np.int64)
        )
        examples = examples_of(prepared, parts)
        assert len(place_N) == len(examples.shown_item_N), "the same rows"
        return cls(prepared, examples, place_N, lookup or Lookup.of(prepared))

    def blocks(self, requests: int = _REQUESTS) -> Iterator[Block]:
        """All rows in order, those of so many requests at a time."""
        for start in range(0, len(self.examples), requests):
            rows = slice(start, min(start + requests, len(self.examples)))
            columns = self._columns(rows)
            value_NF = np.stack([column.astype(np.float32) for column in columns.values()], axis=1)
            first = int(self.examples.shown_offset_R1[start])
            yield Block(first, tuple(columns), value_NF)

    def _columns(self, rows: slice) -> dict[str, NDArray[np.floating]]:
        """Each feature of the rows shown at the requests ``rows``."""
        offset_R1 = self.examples.shown_offset_R1[rows.start : rows.stop + 1]
        shown = slice(offset_R1[0], offset_R1[-1])
        request_N = np.repeat(np.arange(len(offset_R1) - 1), np.diff(offset_R1))
        item_N = self.examples.shown_item_N[shown]
        return {
            **_as_prepared(self.prepared, self.place_N[shown]),
            **_place_and_shelf(
                self.examples.position_N[shown], self.examples.surface_R[rows][request_N]
            ),
            "log_price": self.lookup.log_price_V[item_N],
            **self.lookup.shared(self.examples.query_R[rows][request_N], item_N),
            **self.lookup.met(self.examples, rows, request_N, item_N),
        }


class Block(NamedTuple):
    """Features of neighbouring rows; nan where there is nothing to say."""

    first: int  # place of the first row among all
    names: tuple[str, ...]
    value_NF: NDArray[np.float32]

    @property
    def stop(self) -> int:
        """Place after the last row."""
        return self.first + len(self.value_NF)


def _as_prepared(
    prepared: PreparedShop, place_N: NDArray[np.int64]
) -> dict[str, NDArray[np.floating]]:
    """Counts and rates that `prepare` wrote, as logarithms; nothing where it was told not to."""
    if not (prepared.folder / FEATURES).is_file():
        return {}
    if len(place_N) == 0:
        return {name: np.zeros(0, np.float32) for name in SCHEMA}
    first, last = int(place_N.min()), int(place_N.max())
    table = prepared.features().slice(first, last + 1 - first).collect().gather(place_N - first)
    found: dict[str, NDArray[np.floating]] = {}
    for name in SCHEMA:
        value_N = table[name].to_numpy()
        is_share = name.endswith(("_rate", "_share"))
        found[name] = np.log(value_N + _SMALL) if is_share else np.log1p(value_N)
    return found


def _place_and_shelf(
    position_N: NDArray[np.int64], surface_N: NDArray[np.int64]
) -> dict[str, NDArray[np.floating]]:
    return {
        "log_position": np.log(np.maximum(position_N, 1)),
        "position_unknown": (position_N == 0).astype(np.float32),
        **{
            f"on_{surface.value}": (surface_N == place).astype(np.float32)
            for place, surface in enumerate(Surface)
        },
    }


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is asked for each request: words, and what its shopper met before."""

    history: History
    words: ShopWords
    weight_VW: sparse.csr_array  # what a word of the query adds to an item's score
    log_price_V: NDArray[np.float32]
    category_V: NDArray[np.int64]  # 0: none

    @classmethod
    def of(cls, prepared: PreparedShop) -> Lookup:
        price_V = prepared.items["price"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        words = ShopWords.of(prepared)
        return cls(
            prepared.history,
            words,
            words.weight_WV.T.tocsr(),
            np.log(np.where(price_V > 0, price_V, np.nan)).astype(np.float32),
            category_numbers(prepared.items) + 1,
        )

    def shared(
        self, query_N: NDArray[np.int64], item_N: NDArray[np.int64]
    ) -> dict[str, NDArray[np.floating]]:
        """How well each item answers its query: BM25, and the share of its words in the title."""
        asked_N = query_N >= 0
        asked_NW = self.words.query_QW[query_N[asked_N]]
        weight_NW = self.weight_VW[item_N[asked_N]]
        in_title_NW = self.words.title_VW[item_N[asked_N]] > 0
        found: dict[str, NDArray[np.floating]] = {"query": asked_N.astype(np.float32)}
        for name, beside in (("bm25", weight_NW), ("title_share", in_title_NW)):
            total_N = np.zeros(len(query_N))
            total_N[asked_N] = asked_NW.multiply(beside).sum(axis=1)
            found[name] = total_N
        length_N = np.ones(len(query_N))
        length_N[asked_N] = np.maximum(asked_NW.sum(axis=1), 1)
        found["title_share"] = found["title_share"] / length_N
        return found

    def met(
        self,
        examples: Examples,
        rows: slice,
        request_N: NDArray[np.int64],
        item_N: NDArray[np.int64],
    ) -> dict[str, NDArray[np.floating]]:
        """How often the shopper met the item and its category, and how its price lies to theirs."""
        past = items_between(
            self.history,
            self.history.offset_U1[examples.owner_R[rows]],
            examples.end_R[rows],
            examples.at_R[rows],
        )
        ones = np.ones(len(past.item_E), np.float32)
        items = past.matrix(ones, len(self.category_V))
        category_E = self.category_V[past.item_E]
        categories = past._replace(item_E=category_E).matrix(
            ones, self.category_V.max(initial=0) + 1
        )
        price_E = self.log_price_V[past.item_E]
        priced_E = ~np.isnan(price_E)
        count_R = np.bincount(past.row_E[priced_E], minlength=past.rows)
        total_R = np.bincount(past.row_E[priced_E], price_E[priced_E], minlength=past.rows)
        none = np.full(past.rows, np.nan)
        mean_R = np.divide(total_R, count_R, out=none, where=count_R > 0)
        return {
            "item_before": np.log1p(_cells(items, request_N, item_N)),
            "category_before": np.log1p(_cells(categories, request_N, self.category_V[item_N])),
            "price_gap": self.log_price_V[item_N] - mean_R[request_N],
        }


def _cells(
    matrix: sparse.csr_array, row_N: NDArray[np.int64], column_N: NDArray[np.int64]
) -> NDArray[np.floating]:
    if len(row_N) == 0:
        return np.zeros(0)
    found: NDArray[np.floating] = np.asarray(matrix[row_N, column_N])
    return found
