"""Frozen encoder: items whose texts mean what the query means or, with none typed, the past."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets
from shelfwise.data.token_cache import TOKEN_CACHE
from shelfwise.data.tokens import tokenise
from shelfwise.evaluation.baselines.past import past_items
from shelfwise.evaluation.baselines.role import Family, Learned
from shelfwise.models.config import EncoderOptions, Frozen
from shelfwise.models.pretrained import encoder_folder
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.schema.progress import Progress
from shelfwise.training.device import choose_device
from shelfwise.training.text_bank import length_buckets

MOST_ITEMS = 20_000  # a CPU reads some hundred short texts a second
_BATCH_TOKENS = 4_096


class LastMean(NamedTuple):
    """How many of the shopper's last items are averaged."""

    items: int


SETTINGS = tuple(LastMean(items) for items in (10, 1, 3, 20, 50))


class TextVectors(NamedTuple):
    """What an encoder that never saw the shop says of its texts; H = the encoder's width."""

    item_VH: NDArray[np.float32]  # unit length
    query_QH: NDArray[np.float32]  # unit length; 0 for queries that no target asks

    @classmethod
    def of(cls, prepared: PreparedShop, options: EncoderOptions, progress: Progress) -> TextVectors:
        """Encode items and the queries that are judged, with the pre-trained weights.

        Raises:
            ConfigError, ArtifactError: the encoder is not on this machine, or is not what it was.
        """
        items = [options.item_prefix + text for text in prepared.items["text"]]
        asked = _judged_queries(prepared)
        queries = [options.query_prefix + text for text in prepared.queries["text"].gather(asked)]
        vector_TH = _encoded(prepared, [*items, *queries], options, progress)
        query_QH = np.zeros((len(prepared.queries), vector_TH.shape[1]), np.float32)
        query_QH[asked] = vector_TH[len(items) :]
        return cls(vector_TH[: len(items)], query_QH)


def _judged_queries(prepared: PreparedShop) -> NDArray[np.int64]:
    """Numbers of the queries that stand in targets of validation and test."""
    if prepared.options.match.target == "period":
        return np.empty(0, np.int64)
    late = prepared.requests["part"].is_in(["validation", "test"])
    query_R = prepared.requests["query"].filter(late).to_numpy().astype(np.int64)
    return np.unique(query_R[query_R >= 0])


@torch.no_grad()
def _encoded(
    prepared: PreparedShop, texts: Sequence[str], options: EncoderOptions, progress: Progress
) -> NDArray[np.float32]:
    """``[T, H]``"""
    source = encoder_folder(options.name)
    frozen = options.model_copy(update={"tuning": Frozen()})
    device = choose_device("auto")
    encoder = load_text_encoder(source, frozen).to(device).eval()
    tokens = tokenise(
        texts,
        source / "tokenizer.json",
        prepared.options.text.max_tokens,
        prepared.folder / TOKEN_CACHE,
    )
    found_TH = np.zeros((len(texts), encoder.width), np.float32)
    with progress.step("Encoding texts as the encoder came", total=len(texts)) as step:
        for rows in length_buckets(tokens, _BATCH_TOKENS):
            inputs = (torch.from_numpy(side).to(device) for side in tokens.padded(rows))
            found_TH[rows] = encoder(*inputs).cpu().numpy()
            step.advance(len(rows))
    return found_TH


@dataclass(frozen=True, slots=True)
class NearTexts:
    """Cosine between each item's text and the query, or the mean of the last items' texts."""

    learned: Learned
    vectors: TextVectors
    last: LastMean
    popularity_V: NDArray[np.float32]

    def scores(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]``"""
        past = past_items(self.learned.history, targets, rows).latest(self.last.items)
        last_BV = past.matrix(np.ones(len(past.item_E), np.float32), len(self.popularity_V))
        asked_BH = (last_BV @ self.vectors.item_VH).astype(np.float32)
        query_B = targets.query_T[rows]
        asked_BH[query_B >= 0] = self.vectors.query_QH[query_B[query_B >= 0]]
        length_B = np.linalg.norm(asked_BH, axis=1, keepdims=True)
        asked_BH /= np.maximum(length_B, 1e-9)
        found: NDArray[np.float32] = asked_BH @ self.vectors.item_VH.T
        nothing_B = (length_B == 0)[:, 0]
        found[nothing_B] = self.popularity_V
        return found


def near_texts(vectors: TextVectors) -> Family[LastMean]:
    """A search by its query's vector, anybody else by their last items' mean."""

    def fit(learned: Learned, settings: Sequence[LastMean]) -> Iterator[NearTexts]:
        for setting in settings:
            yield NearTexts(learned, vectors, setting, learned.taken.popularity())

    return Family("frozen encoder (cosine)", SETTINGS, fit)
