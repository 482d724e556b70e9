"""What a batch's numbers point into: items and queries as vectors, and what is known beside them.

Shape suffixes in this file: V = items, Q = queries, H = text width, D = width, F = numbers of an
item, C = groups of an item, K = moments, G = figures of a trend, B = items encoded anew, N = pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.models.history.written import WrittenHistories
from shelfwise.models.neighbours import NeighbourTables

CATEGORY = 0  # which of an item's groups is its category

# What a query and an item of each pair share, from numbers of queries (-1 none) and of items.
WordsOfPairs = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float32]]


class Catalogue(NamedTuple):
    """The items and queries that a batch's numbers point into."""

    item_VD: Tensor  # as what was met: what a history is made of
    target_VD: Tensor  # as what comes next: what a request is matched with
    item_bias_V: Tensor
    welcome_V: Tensor  # what a ranking adds beyond how likely a match is: to items never met
    item_text_VH: Tensor
    item_number_VF: Tensor
    group_VC: Tensor  # int64 number of each item's category and brand, -1 none
    trend_KVG: Tensor  # how items are doing, at each of the moments that requests point to
    query_QD: Tensor
    query_text_QH: Tensor
    neighbours: NeighbourTables | None = None  # where matches are told what goes with what
    written: WrittenHistories | None = None  # where histories are read as text
    shared_words: WordsOfPairs | None = None  # where the heads are told of words in common


class Fresh(NamedTuple):
    """Text vectors of a few items, encoded anew with gradient; the others stand in a table."""

    table_VH: Tensor  # without gradient
    item_B: Tensor
    text_BH: Tensor


class ItemInputs(NamedTuple):
    """What is known of every item."""

    text_VH: Tensor
    number_VF: Tensor
    group_VC: Tensor  # as in the catalogue
    warm_V: Tensor  # bool: met in training
    trend_KVG: Tensor
    fresh: Fresh | None = None  # how ``text_VH`` came about, where a part of it is to learn
