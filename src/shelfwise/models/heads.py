"""From a request and an item to the probabilities of a click and of a purchase after it.

A shared bottom feeds both heads (ESMM, Ma et al., 2018, arXiv:1804.07931). The position an item
was shown at has its own additive tower, left out when serving: what it explains in training is
examination, not worth (as in PAL, Guo et al., 2019).

Shape suffixes in this file: N = (request, item) pairs, D = width.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from shelfwise.models.config import HeadOptions

POSITIONS = 64  # places told apart; 0 stands for unknown, the last for all beyond


class PairFeatures(NamedTuple):
    """What the heads know of a request and an item."""

    request_ND: Tensor
    item_ND: Tensor
    query_ND: Tensor  # zeros where nothing was typed
    text_cosine_N: Tensor  # of query and item text; 0 where nothing was typed
    match_N: Tensor  # the retrieval score, scaled
    surface_N: Tensor  # int64


class ClickConvert(NamedTuple):
    """Logits of P(click | shown) and P(purchase | click)."""

    click_N: Tensor
    convert_N: Tensor


class ClickConvertHeads(nn.Module):
    """Two-layer shared bottom, one linear head per task, an additive tower for position."""

    def __init__(self, width: int, surfaces: int, options: HeadOptions) -> None:
        super().__init__()
        self.surface = nn.Embedding(surfaces, 8)
        self.bottom = nn.Sequential(
            nn.Linear(5 * width + 2 + 8, options.hidden),
            nn.GELU(),
            nn.Dropout(options.dropout),
            nn.Linear(options.hidden, options.hidden),
            nn.GELU(),
            nn.Dropout(options.dropout),
        )
        self.click = nn.Linear(options.hidden, 1)
        self.convert = nn.Linear(options.hidden, 1)
        self.position = nn.Embedding(surfaces * POSITIONS, 1)
        nn.init.zeros_(self.position.weight)

    def forward(self, pair: PairFeatures, position_N: Tensor | None) -> ClickConvert:
        """Logits of each pair.

        Args:
            pair: what is known of request and item.
            position_N: int64 place shown at, 1 the first, 0 unknown; None when serving, where the
                answer is that of an item certain to be looked at as the first of its list is.
        """
        inputs = [
            pair.request_ND,
            pair.item_ND,
            pair.request_ND * pair.item_ND,
            pair.query_ND,
            pair.query_ND * pair.item_ND,
            pair.text_cosine_N[:, None],
            pair.match_N[:, None],
            self.surface(pair.surface_N),
        ]
        shared = self.bottom(torch.cat(inputs, dim=-1))
        place_N = torch.ones_like(pair.surface_N) if position_N is None else position_N
        seen_N = self.position(pair.surface_N * POSITIONS + place_N.clamp(0, POSITIONS - 1))
        return ClickConvert(
            click_N=self.click(shared).squeeze(-1) + seen_N.squeeze(-1),
            convert_N=self.convert(shared).squeeze(-1),
        )
