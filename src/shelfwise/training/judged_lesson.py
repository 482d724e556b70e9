"""What a batch of judged rows is learned by.

Shape suffixes in this file: B = rows of a batch, Q = queries of a batch, P = most rows of a query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.losses.lambda_loss import lambda_loss
from shelfwise.losses.list_net import list_net_loss
from shelfwise.training.adversaries.attempt import Attempt
from shelfwise.training.config import TrainOptions
from shelfwise.training.judged_pairs import JudgedPairs, places_of
from shelfwise.training.pair_readers import PairReader
from shelfwise.training.relevance_options import RelevanceOptions
from shelfwise.training.step import TrainingError


@dataclass(frozen=True, slots=True)
class JudgedLesson:
    """A step's batch; its loss is the same as often as it is asked for."""

    reader: PairReader
    pairs: JudgedPairs
    options: TrainOptions
    step: int
    rows: NDArray[np.int64]
    losses: list[float] = field(default_factory=list)  # in the order in which they were asked for

    def attempt(self, learning: Sequence[torch.nn.Parameter]) -> Attempt:
        """As an adversary is handed it."""
        return Attempt(self, (self.reader.model,), learning, self._drawn(3))

    def __call__(self, dropout: int) -> Tensor:
        """The loss, with gradient.

        Raises:
            TrainingError: it is not finite.
        """
        torch.manual_seed(self._drawn(2, dropout))
        logit_B = self.reader.logits(self.rows)
        loss = relevance_loss(logit_B, self.rows, self.pairs, self.options.relevance)
        self.losses.append(float(loss.detach()))
        if not torch.isfinite(loss):
            raise TrainingError(
                f"train: the loss of step {self.step} is {loss.item()}; lower train.learning_rate "
                "or train.clip"
            )
        return loss

    def _drawn(self, *numbers: int) -> int:
        """A seed of its own for each use that a step has for one."""
        drawn = np.random.default_rng([self.options.seed, self.step, *numbers])
        return int(drawn.integers(2**63))


def relevance_loss(
    logit_B: Tensor, rows: NDArray[np.int64], pairs: JudgedPairs, options: RelevanceOptions
) -> Tensor:
    """The weighted sum of what the options ask for, of one batch.

    Args:
        logit_B: as a reader gives them.
        rows: the batch.
        pairs: where grades and queries are.
        options: the losses' weights.
    """
    share_B = torch.from_numpy(pairs.share_of(rows)).to(logit_B.device)
    # Of all predictions the mean grade has the least cross-entropy, as it has the least square.
    loss = options.grade_weight * F.binary_cross_entropy_with_logits(logit_B, share_B)
    if not options.list_net_weight + options.lambda_weight:
        return loss
    row_B, place_B, shape = places_of(pairs.query_N[rows])
    at = (torch.from_numpy(row_B).to(logit_B.device), torch.from_numpy(place_B).to(logit_B.device))
    grade_B = torch.from_numpy((pairs.grade_N[rows] - pairs.lowest).astype(np.float32))
    score_QP = logit_B.new_zeros(shape).index_put(at, logit_B)
    grade_QP = logit_B.new_zeros(shape).index_put(at, grade_B.to(logit_B.device))
    known_QP = torch.zeros(shape, dtype=torch.bool, device=logit_B.device)
    known_QP[at] = True
    if options.list_net_weight:
        loss = loss + options.list_net_weight * list_net_loss(score_QP, grade_QP, known_QP)
    if options.lambda_weight:
        loss = loss + options.lambda_weight * lambda_loss(score_QP, grade_QP, known_QP)
    return loss
