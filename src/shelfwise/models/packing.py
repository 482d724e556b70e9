"""Short texts laid one behind another into rows, so that layers run over tokens and little padding.

Each token attends to its own text alone, so a text's vectors are what they would be in a row of its
own (Krell et al., 2021, arXiv:2107.02027, for BERT's pre-training).

Shape suffixes in this file: B = texts, L = tokens of the longest, R = rows, W = tokens of a row,
H = width.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass

import torch
from torch import Tensor

_ROW = 64  # least tokens of a row: short rows leave more over, long ones attend to more
_WORTH = 0.9  # share of tokens among the places from which on padding is left as it is


@dataclass(frozen=True, slots=True)
class Rows:
    """Where each token of a padded batch goes."""

    token_RW: Tensor  # int64 place of each token in the padded batch laid flat; 0 where none is
    text_RW: Tensor  # int64 which text it is of; -1 where none is
    place_BL: Tensor  # int64 place of each token in the rows laid flat; 0 where none is

    def packed(self, hidden_BLH: Tensor) -> Tensor:
        """``[R, W, H]`` of ``[B, L, H]``."""
        return _chosen(hidden_BLH, self.token_RW)

    def apart(self, hidden_RWH: Tensor) -> Tensor:
        """``[B, L, H]`` of ``[R, W, H]``; anything where a text has no token."""
        return _chosen(hidden_RWH, self.place_BL)

    def attends(self) -> Tensor:
        """``[R, W, W]`` whether a token attends to another: to those of its text."""
        return self.text_RW[:, :, None] == self.text_RW[:, None, :]


def rows_for(mask_BL: Tensor) -> Rows | None:
    """Rows for a batch, its texts longest first into the fullest row with room; None where they
    would save too little.

    Args:
        mask_BL: True for tokens, which stand before all padding.
    """
    length_B = mask_BL.sum(1).tolist()
    texts, longest = mask_BL.shape
    width = max(longest, _ROW)
    if sum(length_B) >= _WORTH * texts * longest:
        return None
    begin_B, rows = _filled(length_B, width)
    if rows * width >= texts * longest:
        return None
    device = mask_BL.device
    begin = torch.tensor(begin_B, device=device)
    place_BL = (begin[:, None] + torch.arange(longest, device=device)) * mask_BL
    there = mask_BL.bool()
    token_RW = torch.zeros(rows * width, dtype=torch.long, device=device)
    text_RW = torch.full((rows * width,), -1, dtype=torch.long, device=device)
    token_RW[place_BL[there]] = there.flatten().nonzero().squeeze(1)
    text_RW[place_BL[there]] = there.nonzero()[:, 0]
    return Rows(token_RW.view(rows, width), text_RW.view(rows, width), place_BL)


def _filled(length_B: list[int], width: int) -> tuple[list[int], int]:
    """Where each text begins in the rows laid flat, and how many rows there are."""
    begin_B = [0] * len(length_B)
    room: list[tuple[int, int]] = []  # left over, row; the fullest first
    rows = 0
    for text in sorted(range(len(length_B)), key=lambda text: (-length_B[text], text)):
        length = length_B[text]
        found = next((at for at, (left, _) in enumerate(room) if left >= length), None)
        left, row = (width, rows) if found is None else room.pop(found)
        rows += found is None
        begin_B[text] = row * width + width - left
        if left > length:
            insort(room, (left - length, row))
    return begin_B, rows


def _chosen(hidden: Tensor, place: Tensor) -> Tensor:
    flat = hidden.flatten(0, 1).index_select(0, place.flatten())
    return flat.view(*place.shape, -1)
