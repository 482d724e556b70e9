"""Vectors of every text of a shop, computed as seldom as training allows.

What the frozen lower layers say of a text never changes, so it is kept; the vectors of all texts
stand in a table that is refreshed now and then; and in each step only a few texts go through the
learning layers with gradient.

Shape suffixes in this file: T = texts, B = texts of a batch, L = tokens of its longest, H = width.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.data.tokens import TokenTable
from shelfwise.models.crossing import SideBySide, side_by_side
from shelfwise.models.text_encoder import TextEncoder
from shelfwise.schema.progress import Progress
from shelfwise.training.device import half_precision
from shelfwise.training.mistyping import Mistyping

_BATCH_TOKENS = 4096  # tokens, padding included, encoded at a time
_KEPT_BYTES = 2 * 1024**3  # most memory that the lower layers' results may take


class TextBank:
    """The text encoder and its table of vectors, ``vectors_TH``."""

    def __init__(
        self,
        encoder: TextEncoder,
        tokens: TokenTable,
        device: torch.device,
        progress: Progress,
        *,
        like: TextBank | None = None,
        filled: bool = True,
    ) -> None:
        """Ready to encode any of its texts.

        Args:
            encoder: it learns, or not.
            tokens: of the texts.
            device: where all of it goes.
            progress: told of each step.
            like: a bank of the same texts whose encoder has the same frozen layers.
            filled: False leaves the table of vectors empty until `refresh` is asked for it.
        """
        self.encoder = encoder.to(device)
        self.tokens = tokens
        self.mistyping: Mistyping | None = None
        self.device = device
        self.vectors_TH = torch.zeros(len(tokens.lengths()), encoder.width, device=device)
        self._first_T: NDArray[np.int64] = tokens.firsts() if like is None else like._first_T
        self._distinct = np.unique(self._first_T)
        if len(self._distinct) == 1:
            # Ids alone: the encoder says the same of everything, and that teaches it nothing.
            self.encoder.requires_grad_(False)
        self._lower: KeptBelow | None = self._kept_below() if like is None else like._lower
        self._is_filled = False
        if filled:
            self.refresh(progress)

    @property
    def learns(self) -> bool:
        """Whether any of the encoder's weights do."""
        return any(parameter.requires_grad for parameter in self.encoder.parameters())

    @torch.no_grad()
    def refresh(self, progress: Progress) -> None:
        """Compute the whole table anew with the weights of this moment, if they can have moved."""
        if self._is_filled and not self.learns:
            return
        self._is_filled = True
        self.encoder.eval()
        if len(self._distinct) == 1:
            # One row that stands for all, in memory and in what is made of it.
            one_1H = self.encode(self._distinct).float()
            self.vectors_TH = one_1H.expand(len(self._first_T), -1)
            return
        with progress.step("Encoding texts", total=len(self._distinct)) as step:
            for rows in length_buckets(self.tokens, _BATCH_TOKENS, self._distinct):
                self.vectors_TH[torch.from_numpy(rows).to(self.device)] = self.encode(rows)
                step.advance(len(rows))
        again = np.flatnonzero(self._first_T != np.arange(len(self._first_T)))
        self.vectors_TH[again] = self.vectors_TH[self._first_T[again]]

    def encode(self, rows: NDArray[np.int64]) -> Tensor:
        """``[B, H]`` unit vectors of the chosen texts, with gradient where it is switched on."""
        with half_precision(self.device):
            return self.encoder.upper(*self._below(rows))

    def _below(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """``[B, L, H]`` states of texts below what learns, and ``[B, L]`` where tokens are."""
        ids_BL, mask_BL = self.tokens.padded(rows)
        mask = torch.from_numpy(mask_BL).to(self.device)
        if self._lower is None:
            return self.encoder.lower(torch.from_numpy(ids_BL).to(self.device), mask), mask
        return self._lower.of(self.encoder, rows, mask_BL), mask

    def encode_many(self, texts: NDArray[np.int64], *, learning: bool = False) -> Tensor:
        """As `encode`, in float32 and in the order of ``texts``, however many they are.

        As many go through the layers together as memory allows: each group has a gradient of its
        own for the whole table of words. Where they are learned from, some may be mistyped.
        """
        wrong_B = np.zeros(len(texts), bool)
        if learning and self.mistyping is not None:
            wrong_B = self.mistyping.chosen(len(texts))
        length_B = self.tokens.lengths()[texts]
        order = np.argsort(length_B, kind="stable")
        groups = _groups(length_B, order[~wrong_B[order]], _BATCH_TOKENS)
        pieces = [self.encode(texts[group]).float() for group in groups]
        if self.mistyping is not None and wrong_B.any():
            groups.append(np.flatnonzero(wrong_B))
            tokens = self.mistyping.of(texts[wrong_B])
            ids_BL, mask_BL = tokens.padded(np.arange(len(groups[-1])))
            both = (torch.from_numpy(side).to(self.device) for side in (ids_BL, mask_BL))
            pieces.append(self.read(*both).float())
        back_B = np.argsort(np.concatenate(groups))
        return torch.cat(pieces)[torch.from_numpy(back_B).to(self.device)]

    def pairs(self, first_B: NDArray[np.int64], second_B: NDArray[np.int64]) -> SideBySide:
        """Pairs of texts, each text read once, up to where the two of a pair meet."""
        text_T, place_2B = np.unique(np.stack([first_B, second_B]), return_inverse=True)
        sides = (torch.from_numpy(side).to(self.device) for side in place_2B.reshape(2, -1))
        with half_precision(self.device):
            lower_TLH, mask_TL = self._below(text_T)
            return side_by_side(self.encoder.middle(lower_TLH, mask_TL), mask_TL, *sides)

    def read(self, ids_BN: Tensor, mask_BN: Tensor) -> Tensor:
        """``[B, H]`` unit vectors of texts that are none of the bank's, given by their tokens."""
        with half_precision(self.device):
            vector_BH: Tensor = self.encoder(ids_BN, mask_BN)
        return vector_BH

    def _kept_below(self) -> KeptBelow | None:
        """Room for what the frozen layers say; None where there is nothing to keep, or too much."""
        total = len(self.tokens.ids)
        if not self.encoder.keeps_lower or total * self.encoder.hidden_width * 2 > _KEPT_BYTES:
            return None
        if len(self._distinct) == 1:  # asked once, and not again
            return None
        return KeptBelow(self.tokens, self.encoder.hidden_width, self.device)


class KeptBelow:
    """What the frozen layers say of each token, worked out when a text is first asked for."""

    def __init__(self, tokens: TokenTable, width: int, device: torch.device) -> None:
        self.tokens = tokens
        # Half precision: what is kept is read many times, and most memory is spent here.
        self.kept_KH = torch.empty(len(tokens.ids), width, dtype=torch.bfloat16, device=device)
        self.known_T = np.zeros(len(tokens.lengths()), bool)

    def of(
        self, encoder: TextEncoder, rows: NDArray[np.int64], mask_BL: NDArray[np.bool_]
    ) -> Tensor:
        """``[B, L, H]`` states of texts; anything where one has no token."""
        missing = np.unique(rows[~self.known_T[rows]])
        for group in length_buckets(self.tokens, _BATCH_TOKENS, missing):
            self._ask(encoder, group)
        place_BL = self.tokens.offset_T1[rows][:, None] + np.arange(mask_BL.shape[1])
        # Where there is no token, the text's own first one: of others nothing may be known yet.
        place_BL = np.where(mask_BL, place_BL, place_BL[:, :1])
        return self.kept_KH[torch.from_numpy(place_BL).to(self.kept_KH.device)].float()

    @torch.no_grad()
    def _ask(self, encoder: TextEncoder, rows: NDArray[np.int64]) -> None:
        device = self.kept_KH.device
        ids_BL, mask_BL = self.tokens.padded(rows)
        mask = torch.from_numpy(mask_BL).to(device)
        with half_precision(device):
            hidden_BLH = encoder.lower(torch.from_numpy(ids_BL).to(device), mask)
        place_BL = self.tokens.offset_T1[rows][:, None] + np.arange(mask_BL.shape[1])
        self.kept_KH[torch.from_numpy(place_BL[mask_BL]).to(device)] = hidden_BLH[mask].to(
            torch.bfloat16
        )
        self.known_T[rows] = True


def length_buckets(
    tokens: TokenTable, most_tokens: int, texts: NDArray[np.int64] | None = None
) -> list[NDArray[np.int64]]:
    """Texts in groups of like length, no group above ``most_tokens`` with its padding.

    ``texts`` left out: all of them.
    """
    length_T = tokens.lengths()
    asked = np.arange(len(length_T)) if texts is None else texts
    return _groups(length_T, asked[np.argsort(length_T[asked], kind="stable")], most_tokens)


def _groups(
    length_T: NDArray[np.int64], order: NDArray[np.int64], most_tokens: int
) -> list[NDArray[np.int64]]:
    """``order``: texts by length, the shortest first."""
    groups: list[NDArray[np.int64]] = []
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and (end + 1 - start) * length_T[order[end]] <= most_tokens:
            end += 1
        groups.append(order[start:end])
        start = end
    return groups
