from __future__ import annotations

from math import log

import numpy as np
import pytest

from shelfwise.retrieval.text_index import TextIndex
from shelfwise.retrieval.word_figures import WORD_FIGURES, WordFigures

ITEMS = ["lamp lamp shade", "red rug"]


def figure(name: str, found: np.ndarray) -> list[float]:
    return found[:, WORD_FIGURES.index(name)].tolist()


def test_words_that_no_item_has_count_against_a_query() -> None:
    found = WordFigures(ITEMS).of(["red gold"], np.array([0, 0]), np.array([0, 1]))

    assert figure("shared words", found) == [0, 1 / 2]
    # red stands in one item of two: log(1 + 1.5 / 1.5); gold in none: log(1 + 2.5 / .5).
    rare, strange = log(2), log(6)
    assert figure("shared rarity", found) == [0, pytest.approx(rare / (rare + strange))]
    assert figure("words of the query", found) == [2, 2]
    assert figure("words of the title", found) == [3, 2]
    # " go", "gol", "old", "ld " are in no item; " re", "red", "ed " are in the rug's.
    assert figure("shared letters", found) == [0, pytest.approx(3 / 7)]


def test_the_same_figures_alone_and_among_other_queries() -> None:
    figures = WordFigures([*ITEMS, "红色台灯"])
    queries = ["red", "lamp shade", "红灯", ""]
    query, item = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)

    together = figures.of(queries, query, item)

    for place, (q, v) in enumerate(zip(query, item, strict=True)):
        alone = figures.of([queries[q]], np.array([0]), np.array([v]))
        np.testing.assert_allclose(alone[0], together[place])
    assert np.isfinite(together).all()
    assert figures.of(queries, query[:0], item[:0]).shape == (0, len(WORD_FIGURES))


def test_bm25_orders_as_the_index_does() -> None:
    items = ["red lamp", "red red rug with a lamp", "blue mug", "lamp", "red mug of steel"]
    bm25 = figure(
        "bm25",
        WordFigures(items).of(["red lamp"], np.zeros(5, np.int64), np.arange(5)),
    )

    # bm25s leaves the constant k1 + 1 out of its scores.
    np.testing.assert_allclose(bm25, 2.5 * TextIndex(items).scores("red lamp"), rtol=1e-5)
