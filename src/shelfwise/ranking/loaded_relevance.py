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

from shelfwise.data.tokens import TokenTable, tokenise
from shelfwise.models.config import ModelOptions
from shelfwise.models.crossing import side_by_side
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
        self,
        queries: Sequence[str],
        query_N: NDArray[np.int64],
        item_N: NDArray[np.int64],
        *,
        anew: bool = False,
    ) -> Tensor:
        """``[N]`` logits of the place of each pair's grade between the lowest and the highest.

        Args:
            queries: as `data.text.query_text` writes them.
            query_N: place of each pair's query in ``queries``.
            item_N: row of each pair's item in the run's catalogue.
            anew: items are read again, with gradient where that is switched on, instead of taken
                from the index.
        """
        figure_NF = self._figures(queries, query_N, item_N)
        match self.model:
            case BiEncoder():
                assert self.item_VD is not None
                query_QD = self._read_queries(queries)
                return self.model.from_vectors(
                    query_QD[torch.from_numpy(query_N.copy())],
                    self._read_items(item_N)
                    if anew
                    else self.item_VD[torch.from_numpy(item_N.copy())],
                    figure_NF,
                )
            case CrossEncoder():
                return self._read_together(self.model, queries, (query_N, item_N), figure_NF)

    @torch.no_grad()
    def encode_queries(self, queries: Sequence[str]) -> Tensor:
        """``[Q, D]`` unit vectors of queries."""
        return self._read_queries(queries)

    def _read_items(self, item_N: NDArray[np.int64]) -> Tensor:
        item_T, place_N = np.unique(item_N, return_inverse=True)
        prefix = self.options.encoder.item_prefix
        vector_TD = self.read([prefix + self._texts[item] for item in item_T.tolist()])
        return vector_TD[torch.from_numpy(place_N)]

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
        self,
        model: CrossEncoder,
        queries: Sequence[str],
        pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
        figure_NF: Tensor,
    ) -> Tensor:
        """``[N]`` logits; of some pairs at a time each text is read once."""
        pieces = [torch.zeros(0)]
        for start in range(0, len(figure_NF), _AT_A_TIME):
            query_B, item_B = (side[start : start + _AT_A_TIME] for side in pairs)
            query_Q, first_B = np.unique(query_B, return_inverse=True)
            item_T, second_B = np.unique(item_B, return_inverse=True)
            prefixes = self.options.encoder
            texts = [prefixes.query_prefix + queries[query] for query in query_Q.tolist()]
            texts += [prefixes.item_prefix + self._texts[item] for item in item_T.tolist()]
            tokens = tokenise(texts, self.tokenizer_file, self.max_tokens)
            ids_TL, mask_TL = map(torch.from_numpy, tokens.padded(np.arange(len(texts))))
            hidden_TLH = model.encoder.middle(model.encoder.lower(ids_TL, mask_TL), mask_TL)
            first, second = torch.from_numpy(first_B), torch.from_numpy(second_B + len(query_Q))
            told = side_by_side(hidden_TLH, mask_TL, first, second)
            pieces.append(model.from_states(told, figure_NF[start : start + _AT_A_TIME]))
        return torch.cat(pieces)


def _model_of(run: Path, options: ModelOptions) -> BiEncoder | CrossEncoder:
    encoder = load_encoder(run, options)
    if options.relevance.kind == "cross_encoder":
        encoder.let_meet(options.relevance.crossing)
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
