"""Items that the encoder of the last check took to be near a text, and that nobody took for it.

In-batch negatives are mostly easy to tell apart; near ones teach more (Xiong et al., 2021,
arXiv:2007.00808). The very nearest are passed over: many of them are right answers that nobody
happened to see (Qu et al., 2021, arXiv:2010.08191).

Shape suffixes in this file: B = pairs of a batch, T = texts, H = width, C = candidates of a pair,
X = items that may be drawn, K = hard negatives of a pair.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.training.adaptation.pairs import Rights, TextPairs

_DRAWN_FROM = 20  # near items of a pair, after those passed over, that one is drawn from
_ROOM = 64  # more candidates than needed, since right ones are taken out


class HardNegatives:
    """Draws hard negatives from the table of vectors as it is at the moment."""

    def __init__(self, rights: Rights, candidate_X: NDArray[np.int64], passed: int) -> None:
        """``candidate_X``: items that may be drawn; ``passed``: nearest ones that are not."""
        self._rights = rights
        self._candidate_X = candidate_X
        self._passed = passed

    def draw(
        self, pairs: TextPairs, vectors_TH: Tensor, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """``[B, K]`` items; -1 where a pair has no more.

        Args:
            pairs: the batch.
            vectors_TH: unit vectors of all texts.
            count: K.
            rng: draws among the near ones.
        """
        near_BC = self._near(pairs, vectors_TH)
        right_BC = self._rights.may_be_right(pairs.left_P[:, None], pairs.owner_P[:, None], near_BC)
        # Place of each candidate among the wrong ones, nearest first.
        place_BC = (~right_BC).cumsum(1) - 1
        end = self._passed + max(_DRAWN_FROM, count)
        drawn_BC = ~right_BC & (place_BC >= self._passed) & (place_BC < end)
        # The smallest of random numbers: a draw without replacement, whole rows at a time.
        lot_BC = np.where(drawn_BC, rng.random(near_BC.shape), np.inf)
        chosen_BK = np.argsort(lot_BC, axis=1, kind="stable")[:, :count]
        found_BK = np.take_along_axis(near_BC, chosen_BK, 1)
        none_BK = np.isinf(np.take_along_axis(lot_BC, chosen_BK, 1))
        return np.where(none_BK, -1, found_BK)

    @torch.no_grad()
    def _near(self, pairs: TextPairs, vectors_TH: Tensor) -> NDArray[np.int64]:
        most = min(self._passed + _DRAWN_FROM + _ROOM, len(self._candidate_X))
        candidate_X = torch.from_numpy(self._candidate_X).to(vectors_TH.device)
        left_B = torch.from_numpy(pairs.left_P).to(vectors_TH.device)
        score_BX = vectors_TH[left_B] @ vectors_TH[candidate_X].T
        nearest_BC = score_BX.topk(most, dim=1).indices
        near_BC: NDArray[np.int64] = candidate_X[nearest_BC].cpu().numpy()
        return near_BC
