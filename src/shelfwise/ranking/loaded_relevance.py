"""A trained grader of texts, checked and ready to answer: how well an item answers a query.

Shape suffixes in this file: N = (query, item) pairs, V = items, Q = queries, D = length of a text's
vector, B = texts of a batch, L = tokens, F = figures of the words in common.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.data.pair_tokens import tokenise_pairs
from shelfwise.data.tokens import TokenTable, tokenise
from shelfwise.models.config import ModelOptions
from shelfwise.models.relevance import BiEncoder, CrossEncoder
from shelfwise.models.text_encoder import TextEncoder
from shelfwise.models.weights import ENCODER, load_encoder, load_tensors
from shelfwise.retrieval.word_figures import WORD_FIGURES, WordFigures
from shelfwise.schema.errors import ArtifactError
from shelfwise.schema.manifest import Manifest
from shelfwise.schema.run_files import ITEMS, MODEL, TABLES

_AT_A_TIME = 64


class LoadedRelevance:
    """Grades of any query for the items of a run's catalogue."""

    def __init__(self, run: Path, manifest: Manifest) -> None:
        options = ModelOptions.model_validate(manifest.facts["model"])
        self.manifest = manifest
        self.options = options
        self.items = pl.read_parquet(run / ITEMS, glob=False)
        self.lowest, self.highest = manifest.facts["grades"]
        self.tokenizer_file = run / ENCODER / "tokenizer.json"
        self.max_tokens = int(manifest.facts["data"]["text"]["max_tokens"])
        self._texts: list[str] = self.items["text"].to_list()
        self._words = WordFigures(self._texts) if options.relevance.words else None
        self.model = _model_of(run, options)
        # None: a cross-encoder has nothing that could wait for a query.
        self.item_VD: Tensor | None = None
        if isinstance(self.model, BiEncoder):
            self.item_VD = load_tensors(run / TABLES)["item_text_VH"]

    def retitled(self, text_of: Mapping[int, str]) -> LoadedRelevance:
        """The same run, to which some items (by row) are told by other texts."""
        other = copy.copy(self)
        other._texts = [text_of.get(row, text) for row, text in enumerate(self._texts)]
        if self._words is not None:
            other._words = WordFigures(other._texts)
        if self.item_VD is not None:
            changed = sorted(text_of)
            prefix = self.options.encoder.item_prefix
            texts = [prefix + other._texts[row] for row in changed]
            with torch.no_grad():
                vector_BD = self.read(texts)
            other.item_VD = self.item_VD.index_copy(0, torch.tensor(changed), vector_BD)
        return other

    @torch.no_grad()
    def grades(
        self, queries: Sequence[str], query_N: NDArray[np.int64], item_N: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """``[N]`` the grade expected of each pair.

        Args:
            queries: as `data.text.query_text` writes them.
            query_N: place of each pair's query in ``queries``.
            item_N: row of each pair's item in the run's catalogue.
        """
        share_N = self.logits(queries, query_N, item_N).sigmoid().double().numpy()
        grade_N: NDArray[np.float64] = self.lowest + share_N * (self.highest - self.lowest)
        return grade_N

    def logits(
        self, queries: Sequence[str], query_N: NDArray[np.int64], item_N: NDArray[np.int64]
    ) -> Tensor:
        """``[N]`` logits of the place of each pair's grade between the lowest and the highest.

        Args:
            queries: as `data.text.query_text` writes them.
            query_N: place of each pair's query in ``queries``.
            item_N: row of each pair's item in the run's catalogue.
        """
        figure_NF = self._figures(queries, query_N, item_N)
        match self.model:
            case BiEncoder():
                assert self.item_VD is not None
                query_QD = self._read_queries(queries)
                return self.model.from_vectors(
                    query_QD[torch.from_numpy(query_N.copy())],
                    self.item_VD[torch.from_numpy(item_N.copy())],
                    figure_NF,
                )
            case CrossEncoder():
                return self.model.from_vectors(
                    self._read_together(queries, query_N, item_N), figure_NF
                )

    @torch.no_grad()
    def encode_queries(self, queries: Sequence[str]) -> Tensor:
        """``[Q, D]`` unit vectors of queries."""
        return self._read_queries(queries)

    def _read_queries(self, queries: Sequence[str]) -> Tensor:
        prefix = self.options.encoder.query_prefix
        return self.read([prefix + query for query in queries])

    def read(self, texts: Sequence[str]) -> Tensor:
        """``[B, D]`` unit vectors of texts as they are."""
        tokens = tokenise(texts, self.tokenizer_file, self.max_tokens)
        return _encoded(self.model.encoder, tokens)

    def _figures(
        self, queries: Sequence[str], query_N: NDArray[np.int64], item_N: NDArray[np.int64]
    ) -> Tensor:
        if self._words is None:
            return torch.zeros(len(query_N), 0)
        return torch.from_numpy(self._words.of(queries, query_N, item_N).astype(np.float32))

    def _read_together(
        self, queries: Sequence[str], query_N: NDArray[np.int64], item_N: NDArray[np.int64]
    ) -> Tensor:
        encoder = self.options.encoder
        pairs = tokenise_pairs(
            [encoder.query_prefix + queries[query] for query in query_N.tolist()],
            [encoder.item_prefix + self._texts[item] for item in item_N.tolist()],
            self.tokenizer_file,
            self.max_tokens,
        )
        self.model.encoder.tell_apart(pairs.separator)
        return _encoded(self.model.encoder, pairs.table)


def _model_of(run: Path, options: ModelOptions) -> BiEncoder | CrossEncoder:
    encoder = load_encoder(run, options)
    figures = len(WORD_FIGURES) if options.relevance.words else 0
    kind = BiEncoder if options.relevance.kind == "bi_encoder" else CrossEncoder
    model = kind(encoder, figures, options.heads)
    left = model.load_state_dict(load_tensors(run / MODEL), strict=False)
    missing = [name for name in left.missing_keys if not name.startswith("encoder.")]
    if missing or left.unexpected_keys:
        raise ArtifactError(
            f"{run / MODEL}: its weights are not those of this version's network; train again, or "
            "use the version that wrote it"
        )
    return model.eval()


def _encoded(encoder: TextEncoder, tokens: TokenTable) -> Tensor:
    """``[B, D]`` vectors of all texts, those of like length together."""
    order = np.argsort(tokens.lengths(), kind="stable")
    pieces = [torch.zeros(0, encoder.width)]
    for start in range(0, len(order), _AT_A_TIME):
        ids_BL, mask_BL = tokens.padded(order[start : start + _AT_A_TIME])
        pieces.append(encoder(torch.from_numpy(ids_BL), torch.from_numpy(mask_BL)))
    return torch.cat(pieces)[torch.from_numpy(np.argsort(order))]
