"""Weights of tasks that are learned beside them (Kendall et al., 2018, arXiv:1705.07115)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

_LARGEST = 4.0  # a task counts between e^-4 and e^4


class TaskWeights(nn.Module):
    """The more uncertain a task is, the less it counts; to call it uncertain costs something.

    ``sum of exp(-s) * loss + s / 2`` over the tasks, ``s`` the logarithm of a task's variance: its
    best value is where ``exp(s) = 2 * loss``, so that tasks of large and small losses come to count
    alike.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        self.tasks = tuple(tasks)
        self.log_variance = nn.ParameterDict({task: torch.zeros(()) for task in tasks})

    def start_from(self, weights: Mapping[str, float]) -> None:
        """Let each task count for its given weight, above 0, at first."""
        with torch.no_grad():
            for task, parameter in self.log_variance.items():
                parameter.copy_(-torch.tensor(weights[task]).log())

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Sum of the losses, weighted; a loss of 0 had nothing to learn from and says nothing."""
        total = torch.stack([torch.zeros_like(loss) for loss in losses.values()]).sum()
        for task, loss in losses.items():
            s = self.log_variance[task].clamp(-_LARGEST, _LARGEST)
            has_labels = (loss.detach() != 0).to(loss.dtype)
            total = total + has_labels * (torch.exp(-s) * loss + s / 2)
        return total

    def weights(self) -> dict[str, float]:
        """What each task counts for now."""
        return {
            task: float(torch.exp(-s.detach().clamp(-_LARGEST, _LARGEST)))
            for task, s in self.log_variance.items()
        }
