"""Which texts of a shop belong together, as far as given parts of the log tell.

A text's number is its item's, or the number of items plus its query's: as in the text bank.

Shape suffixes in this file: P = pairs, N = takes (an owner took an item), V = items, T = texts,
K = distinct keys; A... = any shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.item_facts import met_in
from shelfwise.data.part_rows import LEARNED, taken_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.training.adaptation.options import PairKind

# Takes that follow, with which each is paired: a basket of n items makes 5 n pairs, not n * n.
_FOLLOWING = 5
_HOUR = 3_600_000_000  # microseconds
_NOBODY = -1


class TextPairs(NamedTuple):
    """Pairs of texts, the second one always an item's."""

    left_P: NDArray[np.int64]
    right_P: NDArray[np.int64]
    owner_P: NDArray[np.int64]  # whose behaviour says so; -1: nobody's

    def chosen(self, rows: NDArray[np.integer]) -> TextPairs:
        """The pairs of these rows."""
        return TextPairs(self.left_P[rows], self.right_P[rows], self.owner_P[rows])


class Takes(NamedTuple):
    """Items taken, each with whoever took it; those without text are left out."""

    owner_N: NDArray[np.int64]
    item_N: NDArray[np.int64]
    at_N: NDArray[np.int64]  # microseconds
    query_N: NDArray[np.int64]  # -1: nothing typed
    validation_N: NDArray[np.bool_]  # whether the request belongs to validation

    def chosen(self, rows: NDArray[np.integer]) -> Takes:
        """The takes of these rows."""
        return Takes(
            self.owner_N[rows],
            self.item_N[rows],
            self.at_N[rows],
            self.query_N[rows],
            self.validation_N[rows],
        )


def takes_of(prepared: PreparedShop, parts: Sequence[Part]) -> Takes:
    """What was taken at requests of ``parts``, as far as it was known when the last one ended.

    Rows of weight 0, suspected fraud, say nothing of what belongs together.
    """
    requests = prepared.requests.select("owner", "query", "part").with_row_index("request")
    taken = taken_of_parts(prepared, parts)
    told = has_text(prepared)[taken["item"].to_numpy()]
    rows = (
        taken.filter(pl.col("weight") > 0, pl.Series(told, dtype=pl.Boolean))
        .select(pl.col("request").cast(pl.UInt32), pl.col("item").cast(pl.Int64), "at")
        .join(requests, on="request")
        .sort("owner", "at", "request", "item")
    )
    return Takes(
        owner_N=rows["owner"].cast(pl.Int64).to_numpy(),
        item_N=rows["item"].to_numpy(),
        at_N=rows["at"].to_numpy(),
        query_N=rows["query"].cast(pl.Int64).fill_null(_NOBODY).to_numpy(),
        validation_N=(rows["part"] == "validation").to_numpy(),
    )


def has_text(prepared: PreparedShop) -> NDArray[np.bool_]:
    """``[V]`` whether the shop says anything of an item; the others are written as their id."""
    told = prepared.items["text"] != prepared.items["item_id"]
    return told.to_numpy()


def learnable_texts(prepared: PreparedShop, parts: Sequence[Part]) -> NDArray[np.bool_]:
    """``[T]`` items with a text that ``parts`` have met, and queries typed in them."""
    item_V = met_in(prepared, parts) & has_text(prepared)
    typed = prepared.requests.filter(
        pl.col("part").is_in(list(parts)), pl.col("query").fill_null(_NOBODY) >= 0
    )
    query_Q = np.zeros(len(prepared.queries), dtype=bool)
    query_Q[typed["query"].to_numpy()] = True
    return np.concatenate([item_V, query_Q])


def query_pairs(takes: Takes, items: int) -> TextPairs:
    """What was typed and what was taken for it, once for each owner."""
    asked = np.flatnonzero(takes.query_N >= 0)
    pairs = TextPairs(takes.query_N[asked] + items, takes.item_N[asked], takes.owner_N[asked])
    return _once_an_owner(pairs)


def together_pairs(takes: Takes, hours: float, seed: int) -> TextPairs:
    """An item and one that the same owner took next to it, not more than ``hours`` later.

    Items taken at the same moment stand in a random order; a pair stands once for each owner,
    whichever came first.
    """
    early, late = _neighbours(takes, hours, seed)
    one, other = takes.item_N[early], takes.item_N[late]
    low, high = np.minimum(one, other), np.maximum(one, other)
    keys = np.stack([takes.owner_N[early], low, high])
    _, first = np.unique(keys, axis=1, return_index=True)
    first.sort()
    return TextPairs(one[first], other[first], takes.owner_N[early][first])


def title_pairs(learnable_V: NDArray[np.bool_]) -> TextPairs:
    """An item and itself: the first text is to be varied."""
    items = np.flatnonzero(learnable_V)
    return TextPairs(items, items, np.full(len(items), _NOBODY))


def training_pairs(
    prepared: PreparedShop, kinds: Sequence[PairKind], hours: float, seed: int
) -> dict[PairKind, TextPairs]:
    """Pairs of each kind as the training part alone tells them."""
    takes = takes_of(prepared, ("train",))
    found: dict[PairKind, TextPairs] = {}
    for kind in kinds:
        match kind:
            case "query":
                found[kind] = query_pairs(takes, len(prepared.items))
            case "together":
                found[kind] = together_pairs(takes, _hours(prepared, hours), seed)
            case "title":
                learnable_T = learnable_texts(prepared, ("train",))
                found[kind] = title_pairs(learnable_T[: len(prepared.items)])
    return found


def judged_pairs(prepared: PreparedShop, hours: float, seed: int) -> dict[PairKind, TextPairs]:
    """What validation is asked: its queries with what was taken, and takes that came next in it.

    The earlier of two takes may lie in training, as everything that came before may be looked at;
    the later one, the answer, never does.
    """
    takes = takes_of(prepared, LEARNED)
    asked = takes.chosen(np.flatnonzero(takes.validation_N))
    early, late = _neighbours(takes, _hours(prepared, hours), seed)
    inside = takes.validation_N[late]
    early, late = early[inside], late[inside]
    together = TextPairs(takes.item_N[early], takes.item_N[late], takes.owner_N[late])
    return {"query": query_pairs(asked, len(prepared.items)), "together": together}


class Rights:
    """What must not be called wrong for a pair's first text."""

    def __init__(
        self, pairs: Mapping[PairKind, TextPairs], takes: Takes, first_T: NDArray[np.int64]
    ) -> None:
        """``first_T``: number of the first text that reads the same, for each text."""
        self._first_T = first_T
        self._texts = len(first_T)
        left_P, right_P = (
            np.concatenate([np.empty(0, np.int64), *(some[side] for some in pairs.values())])
            for side in (0, 1)
        )
        both = self._key(left_P, right_P), self._key(right_P, left_P)
        self._together_K = np.unique(np.concatenate(both))
        self._taken_K = np.unique(self._taken_key(takes.owner_N, takes.item_N))

    def may_be_right(
        self, left: NDArray[np.int64], owner: NDArray[np.int64], right: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Whether the texts are the same, belong together, or the owner took the second one.

        Args:
            left: ``[A...]`` first texts.
            owner: ``[A...]`` of the pair; -1 for nobody's.
            right: ``[A...]`` texts to be told apart from the first; the three are broadcast.
        """
        same = self._first_T[left] == self._first_T[right]
        known = _among(self._key(left, right), self._together_K)
        taken = (owner >= 0) & _among(self._taken_key(owner, right), self._taken_K)
        found: NDArray[np.bool_] = same | known | taken
        return found

    def _key(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
        return self._first_T[left] * self._texts + self._first_T[right]

    def _taken_key(self, owner: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
        return owner * self._texts + self._first_T[right]


def _among(keys: NDArray[np.int64], sorted_K: NDArray[np.int64]) -> NDArray[np.bool_]:
    if len(sorted_K) == 0:
        return np.zeros(keys.shape, dtype=bool)
    place = np.minimum(np.searchsorted(sorted_K, keys), len(sorted_K) - 1)
    found: NDArray[np.bool_] = sorted_K[place] == keys
    return found


def _neighbours(
    takes: Takes, hours: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of takes of one owner, at most five places and ``hours`` apart, of different items."""
    tie_N = np.random.default_rng(seed).random(len(takes.owner_N))
    order = np.lexsort([tie_N, takes.at_N, takes.owner_N])
    early, late = [order[:0]], [order[:0]]
    for places in range(1, min(_FOLLOWING, max(len(order) - 1, 0)) + 1):
        one, other = order[:-places], order[places:]
        near = takes.owner_N[one] == takes.owner_N[other]
        near &= takes.at_N[other] - takes.at_N[one] <= hours * _HOUR
        near &= takes.item_N[one] != takes.item_N[other]
        early.append(one[near])
        late.append(other[near])
    return np.concatenate(early), np.concatenate(late)


def _once_an_owner(pairs: TextPairs) -> TextPairs:
    _, first = np.unique(np.stack(pairs), axis=1, return_index=True)
    first.sort()
    return pairs.chosen(first)


def _hours(prepared: PreparedShop, hours: float) -> float:
    # Where the log knows order alone, moments count events and say nothing of time.
    return float("inf") if prepared.manifest.facts.get("clock") == "order" else hours
