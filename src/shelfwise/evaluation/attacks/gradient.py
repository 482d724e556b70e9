"""Attacks that know the network: rows are moved to where right answers are least likely.

Steps by the sign of the gradient, kept within a box about each row (Madry et al., 2018,
arXiv:1706.06083): another norm and other steps than adversaries train with by default.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from shelfwise.models.places import Nudges, Place, PlaceName, laid
from shelfwise.training.adversaries.moves import climb

RADIUS = "share of a vector's root mean square"  # how strong such an attack is
_REACH = 2.5  # radii that all steps together could go
_Answer = TypeVar("_Answer")


def hardest(
    loss_of: Callable[[], Tensor],
    places: Sequence[Place],
    at: PlaceName,
    *,
    radius: float,
    steps: int,
) -> Nudges:
    """What is added at ``at`` that raises a loss most, as far as so many steps find it.

    Args:
        loss_of: works the loss out; no draw may differ from one time to the next.
        places: of the network.
        at: which of them is attacked.
        radius: as a share of a row's root mean square.
        steps: of the search.
    """
    nudges = Nudges(frozenset((at,)))
    for _ in range(steps):
        with laid(places, nudges), torch.enable_grad():
            loss = loss_of()
        if not loss.requires_grad:  # nothing that passes the place is told of in the loss
            break
        found = torch.autograd.grad(loss, list(nudges.added.values()), allow_unused=True)
        climb(nudges, list(found), radius * _REACH / steps, radius, "linf")
    return nudges.settled()


def under(places: Sequence[Place], nudges: Nudges, answer: Callable[[], _Answer]) -> _Answer:
    """What a network answers with ``nudges`` laid at its places."""
    with laid(places, nudges), torch.no_grad():
        return answer()
