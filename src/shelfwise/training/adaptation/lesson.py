"""What one step of domain adaptation is taught: pairs against everything else, and hidden words.

Shape suffixes in this file: B = pairs of the batch, L = tokens of the longest text, D = length of
a vector, K = hard negatives of a pair, M = different hard negatives of the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.losses.contrastive import FurtherItems, contrastive_loss
from shelfwise.training.adaptation.hard_negatives import HardNegatives
from shelfwise.training.adaptation.masked_words import (
    WordHead,
    Words,
    hide_words,
    masked_word_loss,
)
from shelfwise.training.adaptation.options import Adaptation, PairKind
from shelfwise.training.adaptation.pairs import Rights, TextPairs
from shelfwise.training.adaptation.variation import Variations
from shelfwise.training.device import half_precision
from shelfwise.training.text_bank import TextBank


class Drawn(NamedTuple):
    """Pairs of a step, and which of them are a title and its variation."""

    pairs: TextPairs
    varied_B: NDArray[np.bool_]


class AdaptationTerms(NamedTuple):
    """Losses of a step; 0 for what is not learned."""

    total: Tensor
    pairs: Tensor
    masked: Tensor


@dataclass(frozen=True, slots=True)
class Material:
    """What a shop's training part gives to learn from."""

    pairs: Mapping[PairKind, TextPairs]
    texts: NDArray[np.int64]  # items and queries that may be read
    rights: Rights
    hard: HardNegatives
    variations: Variations
    matryoshka: tuple[int, ...]  # shorter lengths at which vectors should do as well

    def drawn(self, size: int, rng: np.random.Generator) -> Drawn | None:
        """``size`` pairs, as many of each kind that there is; None if there is none."""
        kinds = [kind for kind, pairs in self.pairs.items() if len(pairs.left_P)]
        if not kinds:
            return None
        sizes = [len(part) for part in np.array_split(np.arange(size), len(kinds))]
        parts = []
        for kind, count in zip(kinds, sizes, strict=True):
            pairs = self.pairs[kind]
            parts.append(pairs.chosen(rng.integers(len(pairs.left_P), size=count)))
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        varied_B = np.repeat([kind == "title" for kind in kinds], sizes)
        return Drawn(TextPairs(*columns), varied_B)


class Teacher:
    """Computes the losses of a step from a bank's encoder and what the shop gives."""

    def __init__(
        self, bank: TextBank, material: Material, options: Adaptation, words: Words | None
    ) -> None:
        """``words``: the tokenizer's, where hidden words are to be guessed."""
        self.bank = bank
        self.material = material
        self.options = options
        self.words = words
        self.head = None if words is None else WordHead(bank.encoder).to(bank.device)

    def losses(self, rng: np.random.Generator, *, head_alone: bool) -> AdaptationTerms:
        """Losses of a step drawn with ``rng``, with gradient.

        ``head_alone``: what guesses hidden words learns, and the encoder does not learn from it.
        """
        nothing = torch.zeros((), device=self.bank.device)
        drawn = self.material.drawn(self.options.batch_pairs, rng)
        pairs = nothing if drawn is None else self.pair_loss(drawn, rng)
        masked = self._masked(rng, head_alone)
        total = pairs + self.options.masked_weight * masked
        penalty = self.bank.encoder.penalty()
        return AdaptationTerms(total if penalty is None else total + penalty, pairs, masked)

    def pair_loss(self, drawn: Drawn, rng: np.random.Generator) -> Tensor:
        """Each pair's texts should be nearer to each other than to the others of the batch."""
        pairs, rights = drawn.pairs, self.material.rights
        hard_M = self._hard(pairs, rng)
        left_BD, right_BD, hard_MD = self._vectors(drawn, hard_M, rng)
        left, owner = pairs.left_P[:, None], pairs.owner_P[:, None]
        device = self.bank.device
        same_BB = torch.from_numpy(rights.may_be_right(left, owner, pairs.right_P)).to(device)
        wrong_BM = torch.from_numpy(~rights.may_be_right(left, owner, hard_M)).to(device)
        losses = []
        for width in (left_BD.shape[1], *self.material.matryoshka):
            left_Bd, right_Bd, hard_Md = (
                F.normalize(vectors[:, :width], dim=-1) for vectors in (left_BD, right_BD, hard_MD)
            )
            loss = contrastive_loss(
                left_Bd,
                right_Bd,
                same_BB=same_BB,
                scale=1 / self.options.temperature,
                further=FurtherItems(hard_Md, wrong_BM),
            )
            losses.append(loss)
        return torch.stack(losses).sum()

    def _hard(self, pairs: TextPairs, rng: np.random.Generator) -> NDArray[np.int64]:
        count = self.options.hard_negatives
        if count == 0:
            return pairs.left_P[:0]
        hard_BK = self.material.hard.draw(pairs, self.bank.vectors_TH, count, rng)
        return np.unique(hard_BK[hard_BK >= 0])

    def _vectors(
        self, drawn: Drawn, hard_M: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Vectors of first texts, second texts and hard negatives, each text encoded once."""
        left_B, right_B, _ = drawn.pairs
        plain = np.flatnonzero(~drawn.varied_B)
        asked = np.concatenate([left_B[plain], right_B, hard_M])
        texts, place = np.unique(asked, return_inverse=True)
        vectors = self.bank.encode_many(texts)[torch.from_numpy(place).to(self.bank.device)]
        ends = (len(plain), len(plain) + len(right_B))
        first, right_BD, hard_MD = vectors.tensor_split(ends)
        varied = np.flatnonzero(drawn.varied_B)
        if len(varied):
            first = torch.cat([first, self._varied(left_B[varied], rng)])
        order = np.argsort(np.concatenate([plain, varied]))
        return first[torch.from_numpy(order).to(self.bank.device)], right_BD, hard_MD

    def _varied(self, items: NDArray[np.int64], rng: np.random.Generator) -> Tensor:
        ids_BL, mask_BL = self.material.variations.of(items, rng)
        device = self.bank.device
        with half_precision(device):
            vector_BD: Tensor = self.bank.encoder(
                torch.from_numpy(ids_BL).to(device), torch.from_numpy(mask_BL).to(device)
            )
        return vector_BD.float()

    def _masked(self, rng: np.random.Generator, head_alone: bool) -> Tensor:
        if self.words is None or self.head is None:
            return torch.zeros((), device=self.bank.device)
        texts = self.material.texts
        chosen = texts[rng.integers(len(texts), size=self.options.batch_pairs // 2)]
        read = self.bank.tokens.padded(chosen)
        masked = hide_words(*read, self.words, rng)
        with half_precision(self.bank.device):
            return masked_word_loss(
                self.bank.encoder, self.head, read, masked, head_alone=head_alone
            )
