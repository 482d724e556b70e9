"""A cross-entropy that gives in where it is surest to be told something wrong.

Zhang and Sabuncu, 2018, arXiv:1805.07836.
"""

from __future__ import annotations

from torch import Tensor


def generalised_cross_entropy(loss: Tensor, doubt: float) -> Tensor:
    """``(1 - p^q) / q`` for ``loss = -log p`` of what was seen.

    Its gradient is that of the cross-entropy times ``p^q``: what the network finds very unlikely
    teaches little, be it noise or a rare truth. With q = 1 it is the mean absolute error, with 0
    the cross-entropy itself.

    Args:
        loss: of any shape, 0 or more.
        doubt: q, from 0 to 1.
    """
    if doubt == 0:
        return loss
    return -(-doubt * loss).expm1() / doubt
