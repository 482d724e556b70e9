"""Items by the words of a query: BM25 (Robertson and Zaragoza, 2009), for English and Chinese."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

# CJK ideographs and kana are written without spaces; neighbouring pairs stand for words.
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_IS_CJK = re.compile(f"[{_CJK}]")


def terms(text: str) -> list[str]:
    """Words in lower case, plural s dropped; runs of Chinese as characters and pairs of them.

    >>> terms("White Hanging Hearts")
    ['white', 'hanging', 'heart']
    >>> terms("白色T恤")
    ['白', '色', '白色', 't', '恤']
    """
    found: list[str] = []
    for run in _TOKEN.findall(text.casefold()):
        if _IS_CJK.match(run):
            found += [*run, *(run[at : at + 2] for at in range(len(run) - 1))]
        else:
            found.append(_singular(run))
    return found


def _singular(word: str) -> str:
    plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if plural else word


def _library() -> Any:
    """bm25s, imported as if there were no jax.

    It computes with jax as it is imported, where there is one, and jax then takes three quarters
    of the GPU's memory for itself: what training would be short of.
    """
    had = sys.modules.get("jax")
    if had is None:
        sys.modules["jax"] = None  # type: ignore[assignment]  # what Python's import takes for none
    try:
        import bm25s
    finally:
        if had is None:
            sys.modules.pop("jax", None)
    return bm25s


class TextIndex:
    """BM25 over the items' texts, in memory."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        self._index = _library().BM25()
        corpus = [terms(text) or [""] for text in texts]
        self._index.index(corpus, show_progress=False)
        self._vocabulary = set(self._index.vocab_dict)

    def scores(self, query: str) -> NDArray[np.float32]:
        """``[V]`` BM25 score of every item; 0 where no word is shared."""
        known = [term for term in terms(query) if term in self._vocabulary]
        if not known:
            return np.zeros(self._size, np.float32)
        found: NDArray[np.float32] = self._index.get_scores(known)
        return found

    def word_weights(self) -> sparse.csr_array:
        """``[W, V]`` what each word of the vocabulary adds to each item's score."""
        cells = self._index.scores
        shape = (len(cells["indptr"]) - 1, self._size)
        return sparse.csr_array((cells["data"], cells["indices"], cells["indptr"]), shape=shape)

    def word_counts(self, texts: Sequence[str]) -> sparse.csr_array:
        """``[T, W]`` how often each known word stands in each text.

        Its product with `word_weights` is `scores` of every text at once.
        """
        number = self._index.vocab_dict
        known = [[number[term] for term in terms(text) if term in number] for text in texts]
        row_E = np.repeat(np.arange(len(known)), [len(words) for words in known])
        word_E = np.fromiter((word for words in known for word in words), np.int64)
        ones = np.ones(len(word_E), np.float32)
        shape = (len(known), len(self._index.scores["indptr"]) - 1)
        return sparse.coo_array((ones, (row_E, word_E)), shape=shape).tocsr()
