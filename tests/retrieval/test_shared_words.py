from __future__ import annotations

import numpy as np

from shelfwise.retrieval.shared_words import SharedWords, figures_of_words
from shelfwise.retrieval.word_figures import WORD_FIGURES

ITEMS = ["red mug", "blue lamp of glass"]
AT = {name: place for place, name in enumerate(WORD_FIGURES)}


def test_pairs_are_told_what_they_share_and_nothing_without_a_query() -> None:
    words = SharedWords.of(ITEMS, ["red lamp", "lamp"])
    assert words is not None

    found = words(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 0]))

    # Of "red lamp" each item has one word of two; of "lamp" the second has all.
    np.testing.assert_allclose(found[:, AT["shared words"]], [0.5, 0.5, 1, 0])
    np.testing.assert_allclose(found[:, AT["words shared"]], [0.2, 0.2, 0.2, 0])
    assert (found[3] == 0).all()
    assert found.dtype == np.float32


def test_queries_of_a_batch_are_numbered_anew() -> None:
    words = SharedWords.of(ITEMS, ["red lamp", "tea", "lamp"])
    assert words is not None

    some = words.chosen([2, 0])

    pairs = np.array([0, 1]), np.array([1, 1])
    np.testing.assert_array_equal(some(*pairs), words(np.array([2, 0]), pairs[1]))


def test_where_nothing_was_typed_there_is_nothing_to_tell() -> None:
    assert SharedWords.of(ITEMS, []) is None
    assert figures_of_words(0) == 0
    assert figures_of_words(3) == len(WORD_FIGURES)
