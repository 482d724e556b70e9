from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.baselines.words import LastTitles, ShopWords, shared_words
from shelfwise.retrieval.text_index import TextIndex

from .small import ALL_ROWS, INDEX, LEARNED, TARGETS, WORDS, ints

# Items 0 and 1 were taken twice, item 2 once: what the rest is ranked by, below 0.
REST = np.array([2, 2, 1, 0]) / 3 - 1


def scores(last: int, query: int = -1) -> np.ndarray:
    fitted = next(shared_words(WORDS).fit(LEARNED, [LastTitles(last)]))
    return fitted.scores(replace(TARGETS, query_T=ints(query, -1, -1)), ALL_ROWS)


def test_the_last_title_is_the_query() -> None:
    found = scores(last=1)

    # Owner 0 ended with "red shoe", owner 1 with a view of it; no word of "blue lamp" and "tea".
    asked = INDEX.scores("red shoe")
    assert (asked > 0).tolist() == [True, True, False, False]
    expected = np.where(asked > 0, asked, REST)
    assert found[:2] == pytest.approx(np.stack([expected, expected]))
    assert found[2] == pytest.approx(REST)


def test_several_titles_are_one_query() -> None:
    found = scores(last=100)

    # Owner 0: items 0, 1, 0; owner 1: items 1, 2, 0.
    for row, titles in enumerate(["red shoe blue shoe red shoe", "blue shoe blue lamp red shoe"]):
        asked = INDEX.scores(titles)
        assert found[row] == pytest.approx(np.where(asked > 0, asked, REST), rel=1e-5)


def test_a_search_asks_its_own_words_alone() -> None:
    lamp, nothing = scores(last=100, query=0), scores(last=100, query=1)

    asked = INDEX.scores("lamp")
    assert lamp[0] == pytest.approx(np.where(asked > 0, asked, REST))
    assert nothing[0] == pytest.approx(REST)
    assert (lamp[1] == nothing[1]).all()


def test_the_words_of_a_shop(prepared_sample: PreparedShop) -> None:
    words = ShopWords.of(prepared_sample)

    index = TextIndex(prepared_sample.items["text"].to_list())
    query = prepared_sample.queries["text"][0]
    assert (words.query_QW[[0]] @ words.weight_WV).toarray()[0] == pytest.approx(
        index.scores(query), rel=1e-5
    )
    assert words.title_VW.shape == (len(prepared_sample.items), words.weight_WV.shape[0])
