"""How tasks that are told the same share what they make of it.

All of them answer with one representation a task. Which is best depends on how much the tasks
agree, so each has the same budget: its experts together are as wide as the shared bottom.

Shape suffixes in this file: N = rows, F = features, H = width of a representation, E = experts,
W = width of one, X = of all together.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shelfwise.models.config import (
    HeadOptions,
    MixtureOfExperts,
    ProgressiveLayers,
    SharedBottom,
)


class Experts(Protocol):
    """From what is known of a row to what each task reads, in the order of the tasks."""

    def __call__(self, feature_NF: Tensor) -> tuple[Tensor, ...]: ...


def experts_of(features: int, tasks: int, options: HeadOptions) -> nn.Module:
    """The network that ``options`` names; it follows `Experts`."""
    match options.experts:
        case SharedBottom():
            return OneBottom(features, tasks, options)
        case MixtureOfExperts(experts=experts):
            return GatedExperts(features, tasks, experts, options)
        case ProgressiveLayers() as layers:
            return ProgressiveExperts(features, tasks, layers, options)


class OneBottom(nn.Sequential):
    """Every task reads one representation (Caruana, 1997): least to learn, nothing apart."""

    def __init__(self, features: int, tasks: int, options: HeadOptions) -> None:
        super().__init__(
            nn.Dropout(options.dropout),
            nn.Linear(features, options.hidden),
            nn.GELU(),
            nn.Dropout(options.dropout),
            nn.Linear(options.hidden, options.hidden),
            nn.GELU(),
            nn.Dropout(options.dropout),
        )
        self.tasks = tasks

    def forward(self, feature_NF: Tensor) -> tuple[Tensor, ...]:
        """``[N, H]`` for each task: the same one."""
        read_NH: Tensor = super().forward(feature_NF)  # type: ignore[no-untyped-call]  # torch
        return (read_NH,) * self.tasks


class GatedExperts(nn.Module):
    """Experts that all tasks share, each task weighing them by its own gate.

    MMoE (Ma et al., 2018, KDD): ``f_k(x) = sum_e softmax(G_k x)_e f_e(x)``. Gates begin at 0: each
    task starts from the plain mean of all experts.
    """

    def __init__(self, features: int, tasks: int, experts: int, options: HeadOptions) -> None:
        super().__init__()
        self.before = nn.Dropout(options.dropout)
        self.experts = ExpertBank(features, experts, _width(experts, options), options)
        self.gates = nn.ModuleList(_gate(features, experts) for _ in range(tasks))
        self.after = nn.Dropout(options.dropout)

    def forward(self, feature_NF: Tensor) -> tuple[Tensor, ...]:
        """``[N, H]`` for each task."""
        feature_NF = self.before(feature_NF)
        expert_NEH = self.experts(feature_NF)
        return tuple(self.after(mixed(gate(feature_NF), expert_NEH)) for gate in self.gates)


class ProgressiveExperts(nn.Module):
    """Experts of a task's own beside shared ones, in levels that part the tasks step by step.

    PLE (Tang et al., 2020, RecSys). In each level a task's gate weighs its own experts and the
    shared ones, asked of what the level below made for it; a gate of all experts makes what the
    shared ones of the next level read. With one level (CGC) a task's own experts learn from it
    alone; with more, those below the last also learn from others through the shared path.
    """

    def __init__(
        self, features: int, tasks: int, layers: ProgressiveLayers, options: HeadOptions
    ) -> None:
        super().__init__()
        self.tasks = tasks
        self.before = nn.Dropout(options.dropout)
        inputs = [features] + [options.hidden] * (layers.levels - 1)
        self.levels = nn.ModuleList(
            ExtractionLevel(read, tasks, layers, options, is_last=level == layers.levels - 1)
            for level, read in enumerate(inputs)
        )
        self.after = nn.Dropout(options.dropout)

    def forward(self, feature_NF: Tensor) -> tuple[Tensor, ...]:
        """``[N, H]`` for each task."""
        shared_N = self.before(feature_NF)
        task_N = (shared_N,) * self.tasks
        for level in self.levels:
            task_N, shared_N = level(task_N, shared_N)
        return tuple(self.after(one_NH) for one_NH in task_N)


class ExtractionLevel(nn.Module):
    """One level of PLE: experts of every task, shared experts, and the gates over them."""

    def __init__(
        self,
        features: int,
        tasks: int,
        layers: ProgressiveLayers,
        options: HeadOptions,
        *,
        is_last: bool,
    ) -> None:
        super().__init__()
        self.tasks = tasks
        total = layers.shared + layers.own * tasks
        width = _width(total, options)
        self.own = nn.ModuleList(
            ExpertBank(features, layers.own, width, options) for _ in range(tasks)
        )
        self.shared = ExpertBank(features, layers.shared, width, options)
        self.gates = nn.ModuleList(
            _gate(features, layers.own + layers.shared) for _ in range(tasks)
        )
        # What the last level's shared path would make, nobody reads.
        self.shared_gate = None if is_last else _gate(features, total)

    def forward(
        self, task_N: tuple[Tensor, ...], shared_NF: Tensor
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """What each task, and the shared path, hand to the next level: ``[N, H]`` each.

        Args:
            task_N: ``[N, F]`` what the level below made for each task.
            shared_NF: the same of the shared path.
        """
        shared_NEH = self.shared(shared_NF)
        own_N = [bank(read_NF) for bank, read_NF in zip(self.own, task_N, strict=True)]
        made_N = tuple(
            mixed(gate(read_NF), torch.cat([own_NEH, shared_NEH], dim=1))
            for gate, read_NF, own_NEH in zip(self.gates, task_N, own_N, strict=True)
        )
        if self.shared_gate is None:
            return made_N, shared_NF
        every_NEH = torch.cat([*own_N, shared_NEH], dim=1)
        return made_N, mixed(self.shared_gate(shared_NF), every_NEH)


class ExpertBank(nn.Module):
    """Two-layer networks beside each other, computed together."""

    def __init__(self, features: int, experts: int, width: int, options: HeadOptions) -> None:
        super().__init__()
        self.inner = nn.Linear(features, experts * width)
        self.outer_EWH = nn.Parameter(torch.empty(experts, width, options.hidden))
        self.bias_EH = nn.Parameter(torch.empty(experts, options.hidden))
        # Modules, so that a diagnosis can look for units that died.
        self.bend_inner, self.bend_outer = nn.GELU(), nn.GELU()
        self.dropout = nn.Dropout(options.dropout)
        bound = 1 / math.sqrt(width)  # as nn.Linear begins
        nn.init.uniform_(self.outer_EWH, -bound, bound)
        nn.init.uniform_(self.bias_EH, -bound, bound)

    def forward(self, feature_NF: Tensor) -> Tensor:
        """``[N, E, H]`` what each expert makes of each row."""
        inner_NX: Tensor = self.dropout(self.bend_inner(self.inner(feature_NF)))
        inner_NEW = inner_NX.view(len(inner_NX), *self.outer_EWH.shape[:2])
        outer_NEH: Tensor = self.bend_outer(
            torch.einsum("new,ewh->neh", inner_NEW, self.outer_EWH) + self.bias_EH
        )
        return outer_NEH


def mixed(gate_NE: Tensor, expert_NEH: Tensor) -> Tensor:
    """``[N, H]`` mean of the experts, weighed by the softmax of the gate's logits."""
    return torch.einsum("ne,neh->nh", F.softmax(gate_NE, dim=-1), expert_NEH)


def _gate(features: int, experts: int) -> nn.Linear:
    gate = nn.Linear(features, experts, bias=False)
    nn.init.zeros_(gate.weight)
    return gate


def _width(experts: int, options: HeadOptions) -> int:
    """Of each of so many experts that together are as wide as the shared bottom."""
    return max(1, options.hidden // experts)
