"""The slow and certain way: what a metric is, on average over every order of tied items."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby, permutations, product

import numpy as np
from hypothesis import strategies as st

# Three users of at most six items: (score, relevant) pairs, with ties.
ITEMS = st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6)
CUTOFFS = st.integers(1, 7)


def orders(items: list[tuple[int, bool]]) -> Iterator[np.ndarray]:
    """Every ranking that falling scores allow, each as the relevance of its places."""
    falling = sorted(items, key=lambda item: -item[0])
    ties = [[relevant for _, relevant in tie] for _, tie in groupby(falling, lambda item: item[0])]
    for order in product(*(permutations(tie) for tie in ties)):
        yield np.array([relevant for tie in order for relevant in tie])


def expectation(
    items: list[tuple[int, bool]], metric_of_places: Callable[[np.ndarray], float]
) -> float:
    return float(np.mean([metric_of_places(places) for places in orders(items)]))
