"""Two texts laid behind each other, so that upper layers read them together.

Lower layers read each text by itself: what they say of it is computed once, however many pairs it
stands in, and is what the encoder was pre-trained to say (precomputed term representations, PreTTR;
MacAvaney et al., 2020, arXiv:2004.14255).

Shape suffixes in this file: T = texts, L = tokens of the longest, B = pairs, W = tokens of the
longest pair, H = width.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class SideBySide(NamedTuple):
    """Hidden states of pairs, first text before second, filled up on the right."""

    hidden_BWH: Tensor
    first_BW: Tensor  # bool: tokens of the first text
    second_BW: Tensor

    @property
    def there_BW(self) -> Tensor:  # noqa: N802  # a shape, as everywhere
        return self.first_BW | self.second_BW


def side_by_side(
    hidden_TLH: Tensor, mask_TL: Tensor, first_B: Tensor, second_B: Tensor
) -> SideBySide:
    """Pairs of texts from the states of each.

    Args:
        hidden_TLH: of each text by itself.
        mask_TL: True for tokens, which stand before all padding.
        first_B: int64 which text is the first of each pair.
        second_B: int64 which one is the second.
    """
    length_T = mask_TL.sum(1)
    first_B1, second_B1 = length_T[first_B][:, None], length_T[second_B][:, None]
    longest = int((first_B1 + second_B1).max()) if len(first_B) else 1
    place_W = torch.arange(longest, device=mask_TL.device)
    is_first_BW = place_W < first_B1
    is_second_BW = (place_W < first_B1 + second_B1) & ~is_first_BW
    tokens = hidden_TLH.shape[1]
    of_first_BW = first_B[:, None] * tokens + place_W
    of_second_BW = second_B[:, None] * tokens + place_W - first_B1
    place_BW = torch.where(is_first_BW, of_first_BW, of_second_BW)
    place_BW = place_BW * (is_first_BW | is_second_BW)
    flat_KH = hidden_TLH.flatten(0, 1)
    hidden = flat_KH.index_select(0, place_BW.flatten()).view(*place_BW.shape, -1)
    return SideBySide(hidden, is_first_BW, is_second_BW)
