"""Judged pairs read by an encoder that learns: apart, each text once, or together.

Shape suffixes in this file: N = judged rows, B = rows of a batch, T = texts, D = length of a text's
vector, F = figures of the words in common.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shelfwise.data.prepared import PreparedJudgements
from shelfwise.data.token_cache import TOKEN_CACHE
from shelfwise.data.tokens import TokenTable, open_tokenizer, tokenise
from shelfwise.models.config import ModelOptions
from shelfwise.models.relevance import BiEncoder, CrossEncoder
from shelfwise.models.text_encoder import TextEncoder
from shelfwise.retrieval.word_figures import WORD_FIGURES, WordFigures
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.progress import Progress
from shelfwise.training.device import half_precision
from shelfwise.training.judged_pairs import JudgedPairs
from shelfwise.training.mistyping import Mistyping
from shelfwise.training.remembered import Remembered
from shelfwise.training.text_bank import TextBank


class Source(NamedTuple):
    """What a reader is made of."""

    prepared: PreparedJudgements
    pairs: JudgedPairs
    options: ModelOptions
    encoder: TextEncoder
    tokenizer_file: Path
    device: torch.device
    progress: Progress
    remembered: Remembered
    typos: float = 0.0  # share of texts that are read with typos in training


class PairReader(Protocol):
    """Logits of the grades of judged rows, with gradient where it is switched on."""

    bank: TextBank

    @property
    def model(self) -> BiEncoder | CrossEncoder:
        """Encoder and head, for their parameters and modes."""

    def logits(self, rows: NDArray[np.int64]) -> Tensor:
        """``[B]`` in the order of ``rows``."""


def reader_of(source: Source) -> PairReader:
    """The reader that the options ask for, its first guess the mean grade of training."""
    reader: PairReader
    match source.options.relevance.kind:
        case "bi_encoder":
            reader = ReadApart(source)
        case "cross_encoder" if source.typos:
            raise ConfigError("train.typos: a cross-encoder reads none; leave it at 0")
        case "cross_encoder":
            reader = ReadTogether(source)
    return reader


class ReadApart:
    """A bi-encoder over judged rows: a text of several rows of a batch is encoded once."""

    def __init__(self, source: Source) -> None:
        options, prepared, pairs = source.options.encoder, source.prepared, source.pairs
        limit = prepared.options.text.max_tokens
        self.bank = _bank_apart(source)
        if source.typos:
            plain = [*prepared.queries["text"], *prepared.items["text"]]
            prefixes = [options.query_prefix] * len(prepared.queries)
            prefixes += [options.item_prefix] * len(prepared.items)
            tokenizer = open_tokenizer(source.tokenizer_file, limit)
            self.bank.mistyping = Mistyping(prefixes, plain, tokenizer, source.typos)
        self.query_N = pairs.query_N
        self.item_N = pairs.item_N + len(prepared.queries)
        self.figure_NF = _figures(source)
        self._model = BiEncoder(source.encoder, self.figure_NF.shape[1], source.options.heads)
        self._model.to(source.device)
        _start(self._model, self.figure_NF, pairs)

    @property
    def model(self) -> BiEncoder:
        return self._model

    def logits(self, rows: NDArray[np.int64]) -> Tensor:
        text_T, place_2B = np.unique(
            np.stack([self.query_N[rows], self.item_N[rows]]), return_inverse=True
        )
        vector_TD = self.bank.encode_many(text_T, learning=self._model.training)
        query_B, item_B = (torch.from_numpy(side) for side in place_2B.reshape(2, -1))
        figure_BF = self.figure_NF[torch.from_numpy(rows)]
        return self._model.from_vectors(vector_TD[query_B], vector_TD[item_B], figure_BF)


class ReadTogether:
    """A cross-encoder over judged rows: each text is read once, up to where the two meet."""

    def __init__(self, source: Source) -> None:
        source.encoder.let_meet(source.options.relevance.crossing)
        self.bank = TextBank(
            source.encoder, _tokens(source), source.device, source.progress, filled=False
        )
        self.query_N = source.pairs.query_N
        self.item_N = source.pairs.item_N + len(source.prepared.queries)
        self.figure_NF = _figures(source)
        self._model = CrossEncoder(source.encoder, self.figure_NF.shape[1], source.options.heads)
        self._model.to(source.device)
        _start(self._model, self.figure_NF, source.pairs)

    @property
    def model(self) -> CrossEncoder:
        return self._model

    def logits(self, rows: NDArray[np.int64]) -> Tensor:
        with half_precision(self.bank.device):
            pairs = self.bank.pairs(self.query_N[rows], self.item_N[rows])
            sides = self._model.read(pairs)
        return self._model.from_vectors(*sides, self.figure_NF[torch.from_numpy(rows)])


def _bank_apart(source: Source) -> TextBank:
    """What the same frozen layers said in the training before is not asked again."""
    options, encoder, tokens = source.options.encoder, source.encoder, _tokens(source)
    frozen = (options.name, len(encoder.layers), encoder.learning_layers, str(source.device))
    texts = (str(source.prepared.folder), source.prepared.options.text.max_tokens)
    key = (*frozen, *texts, options.item_prefix, options.query_prefix, tokens.ids.tobytes())
    like = source.remembered.bank(key)
    bank = TextBank(encoder, tokens, source.device, source.progress, like=like, filled=False)
    source.remembered.keep_bank(key, bank)
    return bank


def _tokens(source: Source) -> TokenTable:
    """Of queries, then items."""
    options, prepared = source.options.encoder, source.prepared
    texts = [options.query_prefix + text for text in prepared.queries["text"]]
    texts += [options.item_prefix + text for text in prepared.items["text"]]
    limit = prepared.options.text.max_tokens
    return tokenise(texts, source.tokenizer_file, limit, prepared.folder / TOKEN_CACHE)


def _figures(source: Source) -> Tensor:
    """``[N, F]`` figures of every judged row; no columns where they are not asked for."""
    pairs, prepared = source.pairs, source.prepared
    if not source.options.relevance.words:
        return torch.zeros(len(pairs.query_N), 0, device=source.device)

    def counted() -> NDArray[np.float32]:
        with source.progress.step("Words in common"):
            figures = WordFigures(prepared.items["text"].to_list())
            queries = prepared.queries["text"].to_list()
            found_NF = figures.of(queries, pairs.query_N, pairs.item_N)
        assert found_NF.shape[1] == len(WORD_FIGURES)
        return found_NF.astype(np.float32)

    rows = (pairs.query_N.tobytes(), pairs.item_N.tobytes())
    found_NF = source.remembered.words((prepared.manifest.data_fingerprint, *rows), counted)
    return torch.from_numpy(found_NF).to(source.device)


def _start(model: BiEncoder | CrossEncoder, figure_NF: Tensor, pairs: JudgedPairs) -> None:
    rows = pairs.rows_of("train")
    model.head.graded.start_from(
        figure_NF[torch.from_numpy(rows)], share=float(pairs.share_of(rows).mean())
    )
    nn.Module.train(model)
