"""What the words of a query and of an item have in common, as a handful of figures.

A language model that reads words in pieces and in context is sure of what they mean and unsure of
whether they are the same; these figures are the other way round.

Shape suffixes: N = pairs, Q = queries, V = items, W = words, F = figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from shelfwise.retrieval.text_index import terms

# Of Robertson and Zaragoza (2009), as bm25s has them.
_K1, _B = 1.5, 0.75

WORD_FIGURES = (
    "shared words",  # share of the query's words that the item has
    "words shared",  # their number
    "shared rarity",  # the same share, each word weighing its idf among the items
    "bm25",
    "shared letters",  # share of the query's runs of three letters
    "words of the query",
    "words of the title",
)


class WordFigures:
    """The words of a catalogue, ready to be compared with those of queries."""

    def __init__(self, texts: Sequence[str]) -> None:
        """``texts``: of the items; pairs name them by their place here."""
        self.word_number, self.letters_number = _numbers(texts, terms), _numbers(texts, _runs)
        item_VW = _counted(texts, terms, self.word_number)
        self.had_VW = _binary(item_VW)
        self.letters_VW = _binary(_counted(texts, _runs, self.letters_number))
        self.length_V = _total(item_VW)
        self.saturated_VW = _saturated(item_VW, self.length_V)
        found_W = np.asarray(self.had_VW.sum(axis=0)).ravel()
        self.idf_W = np.log1p((len(texts) - found_W + 0.5) / (found_W + 0.5))
        self.strange_idf = float(np.log1p((len(texts) + 0.5) / 0.5))  # of a word that no item has

    def of(
        self, queries: Sequence[str], query_N: NDArray[np.int64], item_N: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """``[N, F]`` in the order of ``WORD_FIGURES``; pairs name queries and items by place."""
        asked_QW = _binary(_counted(queries, terms, self.word_number))
        letters_QW = _binary(_counted(queries, _runs, self.letters_number))
        rare_QW = sparse.csr_array(asked_QW.multiply(self.idf_W[None, :]))
        words_Q = np.array([len(set(terms(query))) for query in queries], np.float64)
        runs_Q = np.array([len(set(_runs(query))) for query in queries], np.float64)
        strange_Q = words_Q - _total(asked_QW)
        rarity_Q = _total(rare_QW) + strange_Q * self.strange_idf
        shared_N = _products(asked_QW, self.had_VW, query_N, item_N)
        rare_N = _products(rare_QW, self.had_VW, query_N, item_N)
        letters_N = _products(letters_QW, self.letters_VW, query_N, item_N)
        return np.column_stack(
            [
                _share(shared_N, words_Q[query_N]),
                shared_N,
                _share(rare_N, rarity_Q[query_N]),
                _products(rare_QW, self.saturated_VW, query_N, item_N),
                _share(letters_N, runs_Q[query_N]),
                np.array([len(terms(query)) for query in queries], np.float64)[query_N],
                self.length_V[item_N],
            ]
        )


def _runs(text: str) -> list[str]:
    """Runs of three letters within words, their edges marked; Chinese words are short enough."""
    return [f" {word} "[at : at + 3] for word in terms(text) for at in range(max(1, len(word)))]


def _numbers(texts: Sequence[str], words_of: Callable[[str], list[str]]) -> dict[str, int]:
    number: dict[str, int] = {}
    for text in texts:
        for word in words_of(text):
            number.setdefault(word, len(number))
    return number


def _counted(
    texts: Sequence[str], words_of: Callable[[str], list[str]], number: dict[str, int]
) -> sparse.csr_array:
    """``[texts, W]`` how often each known word stands in each text."""
    cells = [
        (row, number[word])
        for row, text in enumerate(texts)
        for word in words_of(text)
        if word in number
    ]
    row_E, word_E = np.array(cells, np.int64).reshape(-1, 2).T
    shape = (len(texts), max(len(number), 1))
    return sparse.coo_array((np.ones(len(row_E)), (row_E, word_E)), shape=shape).tocsr()


def _binary(count: sparse.csr_array) -> sparse.csr_array:
    return sparse.csr_array((np.ones_like(count.data), count.indices, count.indptr), count.shape)


def _saturated(item_VW: sparse.csr_array, length_V: NDArray[np.float64]) -> sparse.csr_array:
    """BM25's part of a word's count that its item's length allows."""
    norm_V = _K1 * (1 - _B + _B * length_V / max(length_V.mean(), 1e-9))
    norm_C = np.repeat(norm_V, np.diff(item_VW.indptr))
    data_C = item_VW.data * (_K1 + 1) / (item_VW.data + norm_C)
    return sparse.csr_array((data_C, item_VW.indices, item_VW.indptr), item_VW.shape)


def _products(
    query_QW: sparse.csr_array,
    item_VW: sparse.csr_array,
    query_N: NDArray[np.int64],
    item_N: NDArray[np.int64],
) -> NDArray[np.float64]:
    """``[N]`` inner product of each pair's query and item."""
    if len(query_N) == 0:
        return np.zeros(0)
    found: NDArray[np.float64] = np.asarray(
        query_QW[query_N].multiply(item_VW[item_N]).sum(axis=1)
    ).ravel()
    return found


def _total(count: sparse.csr_array) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.asarray(count.sum(axis=1)).ravel()
    return found


def _share(part_N: NDArray[np.float64], whole_N: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part_N, whole_N, out=np.zeros(len(part_N)), where=whole_N > 0)
