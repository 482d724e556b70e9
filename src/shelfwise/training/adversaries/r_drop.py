"""R-Drop: two draws of dropout should say the same.

Liang et al., 2021, arXiv:2106.14448: the mean of both losses, and the mean of both Kullback-Leibler
divergences between their answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from shelfwise.models.places import Nudges
from shelfwise.training.adversaries.attempt import Attempt
from shelfwise.training.adversaries.options import RDrop


@dataclass(frozen=True, slots=True)
class TwoDropouts:
    """Learns a batch twice at once."""

    options: RDrop

    def learn(self, attempt: Attempt) -> None:
        """As `Adversary`."""
        first, second = Nudges(hears=True), Nudges(hears=True)
        loss = (attempt.loss(first) + attempt.loss(second, dropout=1)) / 2
        apart = disagreement(first.answers, second.answers)
        if apart is not None:
            loss = loss + attempt.share * self.options.agreement * apart
        attempt.add_gradient(loss)


def disagreement(
    one: Sequence[tuple[str, Tensor]], other: Sequence[tuple[str, Tensor]]
) -> Tensor | None:
    """The mean over answers of the symmetric divergence; None without answers.

    ``[N]`` logits are of a yes or no each; ``[N, C]`` logits of one out of C.
    """
    found = [
        _divergence(a, b).mean() for (_, a), (_, b) in zip(one, other, strict=True) if a.numel()
    ]
    return torch.stack(found).mean() if found else None


def _divergence(a: Tensor, b: Tensor) -> Tensor:
    """``[N]`` mean of both Kullback-Leibler divergences."""
    if a.dim() == 1:
        a, b = (torch.stack([logit, torch.zeros_like(logit)], dim=-1) for logit in (a, b))
    log_a, log_b = F.log_softmax(a.float(), dim=-1), F.log_softmax(b.float(), dim=-1)
    return ((log_a.exp() - log_b.exp()) * (log_a - log_b)).sum(-1) / 2
