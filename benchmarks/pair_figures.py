"""Hand-made figures of a query and a title: shared words, BM25, letters, lengths, cosine.

Shape suffixes: N = pairs, Q = distinct queries, D = distinct titles, W = words, H = text width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from shelfwise.data.tokens import tokenise
from shelfwise.models.config import EncoderOptions, Frozen
from shelfwise.models.pretrained import encoder_folder
from shelfwise.retrieval.text_index import terms
from shelfwise.schema.progress import Progress

# Of Robertson and Zaragoza (2009), as bm25s has them.
_K1, _B = 1.5, 0.75
_BATCH_TOKENS = 8_192

FIGURES = (
    "shared words",  # share of the query's words that the title has
    "words shared",  # their number
    "shared rarity",  # the same share, each word weighing its idf
    "bm25",
    "shared letters",  # share of the query's runs of three letters
    "words of the query",
    "words of the title",
    "cosine",  # of the frozen encoder's vectors
)


class PairTexts(NamedTuple):
    """Every distinct text once, and which of them each pair holds."""

    queries: Sequence[str]
    titles: Sequence[str]
    query_N: NDArray[np.int64]
    title_N: NDArray[np.int64]

    @classmethod
    def of(cls, rows: pl.DataFrame) -> PairTexts:
        """From columns ``query`` and ``title``."""
        queries, query_N = np.unique(rows["query"].to_numpy().astype(str), return_inverse=True)
        titles, title_N = np.unique(rows["title"].to_numpy().astype(str), return_inverse=True)
        return cls(queries.tolist(), titles.tolist(), query_N, title_N)


def pair_figures(texts: PairTexts, cosine_N: NDArray[np.float32]) -> NDArray[np.float64]:
    """``[N, figures]`` in the order of ``FIGURES``; words' rarity is that among the titles."""
    query_QW, title_DW = _counted(texts, terms)
    letters_QW, letters_DW = _counted(texts, _runs)
    asked_QW, had_DW = _binary(query_QW), _binary(title_DW)
    found_D = np.asarray(had_DW.sum(axis=0)).ravel()
    idf_W = np.log1p((len(texts.titles) - found_D + 0.5) / (found_D + 0.5))
    rare_QW = sparse.csr_array(asked_QW.multiply(idf_W[None, :]))
    shared_N = _products(asked_QW, had_DW, texts)
    return np.column_stack(
        [
            _share(shared_N, _total(asked_QW)[texts.query_N]),
            shared_N,
            _share(_products(rare_QW, had_DW, texts), _total(rare_QW)[texts.query_N]),
            _products(rare_QW, _saturated(title_DW), texts),
            _share(
                _products(_binary(letters_QW), _binary(letters_DW), texts),
                _total(_binary(letters_QW))[texts.query_N],
            ),
            _total(query_QW)[texts.query_N],
            _total(title_DW)[texts.title_N],
            cosine_N,
        ]
    )


def frozen_cosine(
    texts: PairTexts, options: EncoderOptions, max_tokens: int, progress: Progress
) -> NDArray[np.float32]:
    """``[N]`` cosine of query and title by the pre-trained encoder as it is."""
    queries = [options.query_prefix + text for text in texts.queries]
    titles = [options.item_prefix + text for text in texts.titles]
    vector_TH = _vectors([*queries, *titles], options, max_tokens, progress)
    query_QH, title_DH = vector_TH[: len(queries)], vector_TH[len(queries) :]
    cosine_N: NDArray[np.float32] = np.einsum(
        "nh,nh->n", query_QH[texts.query_N], title_DH[texts.title_N]
    )
    return cosine_N


def _vectors(
    texts: Sequence[str], options: EncoderOptions, max_tokens: int, progress: Progress
) -> NDArray[np.float32]:
    import torch

    from shelfwise.models.text_encoder import load_text_encoder
    from shelfwise.training.text_bank import length_buckets

    source = encoder_folder(options.name)
    encoder = load_text_encoder(source, options.model_copy(update={"tuning": Frozen()})).eval()
    tokens = tokenise(texts, source / "tokenizer.json", max_tokens)
    found = np.zeros((len(texts), encoder.width), np.float32)
    with torch.no_grad(), progress.step("Encoding texts", total=len(texts)) as step:
        for rows in length_buckets(tokens, _BATCH_TOKENS):
            ids, mask = tokens.padded(rows)
            found[rows] = encoder(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
            step.advance(len(rows))
    return found


def _runs(text: str) -> list[str]:
    """Runs of three letters within words, their edges marked; Chinese words are short enough."""
    return [f" {word} "[at : at + 3] for word in terms(text) for at in range(max(1, len(word)))]


def _counted(
    texts: PairTexts, words_of: Callable[[str], list[str]]
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """How often each word stands in each query and in each title."""
    number: dict[str, int] = {}
    cells = [
        [
            (row, number.setdefault(word, len(number)))
            for row, text in enumerate(side)
            for word in words_of(text)
        ]
        for side in (texts.queries, texts.titles)
    ]
    found = []
    for pairs, side in zip(cells, (texts.queries, texts.titles), strict=True):
        places = np.array(pairs, np.int64).reshape(-1, 2).T
        shape = (len(side), max(len(number), 1))
        ones = np.ones(places.shape[1])
        found.append(sparse.coo_array((ones, (places[0], places[1])), shape=shape).tocsr())
    return found[0], found[1]


def _binary(count: sparse.csr_array) -> sparse.csr_array:
    return sparse.csr_array((np.ones_like(count.data), count.indices, count.indptr), count.shape)


def _saturated(title_DW: sparse.csr_array) -> sparse.csr_array:
    """BM25's part of a word's count that its title's length allows."""
    length_D = _total(title_DW)
    norm_D = _K1 * (1 - _B + _B * length_D / max(length_D.mean(), 1e-9))
    norm_C = np.repeat(norm_D, np.diff(title_DW.indptr))
    data_C = title_DW.data * (_K1 + 1) / (title_DW.data + norm_C)
    return sparse.csr_array((data_C, title_DW.indices, title_DW.indptr), title_DW.shape)


def _products(
    query_QW: sparse.csr_array, title_DW: sparse.csr_array, texts: PairTexts
) -> NDArray[np.float64]:
    """``[N]`` inner product of each pair's query and title."""
    both = query_QW[texts.query_N].multiply(title_DW[texts.title_N])
    found: NDArray[np.float64] = np.asarray(both.sum(axis=1)).ravel()
    return found


def _total(count: sparse.csr_array) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.asarray(count.sum(axis=1)).ravel()
    return found


def _share(part_N: NDArray[np.float64], whole_N: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part_N, whole_N, out=np.zeros(len(part_N)), where=whole_N > 0)
