"""Hand-made figures of a query and a title: words in common and the frozen encoder's cosine.

Shape suffixes: N = pairs, Q = distinct queries, D = distinct titles, H = text width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.tokens import tokenise
from shelfwise.models.config import EncoderOptions, Frozen
from shelfwise.models.pretrained import encoder_folder
from shelfwise.retrieval.word_figures import WORD_FIGURES, WordFigures
from shelfwise.schema.progress import Progress

_BATCH_TOKENS = 8_192

FIGURES = (*WORD_FIGURES, "cosine")  # of the frozen encoder's vectors


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
    words = WordFigures(texts.titles).of(texts.queries, texts.query_N, texts.title_N)
    return np.column_stack([words, cosine_N])


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
