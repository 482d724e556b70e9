"""What each task asks of the weights that it shares with others, batch by batch.

Shape suffixes in this file: P = shared weights, flat.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from shelfwise.data.batches import gather
from shelfwise.evaluation.diagnosis.case import Case
from shelfwise.training.answers import evenly_spread
from shelfwise.training.config import TrainOptions
from shelfwise.training.match_task import final_kinds
from shelfwise.training.objective import batch_loss

TASKS = ("match", "click", "purchase")
_BATCHES = 12
_REQUESTS = 64
_OWN = ("heads.click", "heads.convert", "heads.position")  # of one task alone


class Asked(NamedTuple):
    """One batch's gradients."""

    of_task: dict[str, Tensor]  # [P]; a task without loss in this batch is not there
    norm_of: dict[str, float]  # length of all tasks' gradients together, by weight


def gradients_of(case: Case) -> list[Asked]:
    """Gradients of every task at the saved state, on batches spread over the training part."""
    network, model = case.network, case.network.model
    options = TrainOptions.model_validate(case.run.manifest.facts["train"])
    examples = case.heard["train"].examples
    rows = evenly_spread(len(examples), _BATCHES * _REQUESTS)
    final = final_kinds(case.prepared)
    found = []
    with _learning(model):
        named = dict(model.named_parameters())
        # A batch of its own for each stretch of rows, drawn through the whole of training.
        for start in range(min(_BATCHES, len(rows))):
            batch = gather(case.prepared, examples, rows[start::_BATCHES])
            rng = np.random.default_rng(start)
            terms = batch_loss(network, batch, options, rng, final)
            of_task: dict[str, tuple[Tensor | None, ...]] = {}
            for task in TASKS:
                term = getattr(terms, task)
                if term.requires_grad and float(term.detach()) != 0:
                    of_task[task] = torch.autograd.grad(
                        term, list(named.values()), retain_graph=True, allow_unused=True
                    )
            found.append(_asked(named, of_task))
    return found


def _asked(named: dict[str, nn.Parameter], of_task: dict[str, tuple[Tensor | None, ...]]) -> Asked:
    shared = [place for place, name in enumerate(named) if not name.startswith(_OWN)]
    sizes = list(named.values())

    def flat(gradients: tuple[Tensor | None, ...]) -> Tensor:
        return torch.cat(
            [
                torch.zeros(sizes[place].numel())
                if (g := gradients[place]) is None
                else g.flatten()
                for place in shared
            ]
        )

    norm_of = {}
    for place, name in enumerate(named):
        parts = [g for gradients in of_task.values() if (g := gradients[place]) is not None]
        norm_of[name] = float(sum(float(part.norm()) ** 2 for part in parts) ** 0.5)
    return Asked({task: flat(gradients) for task, gradients in of_task.items()}, norm_of)


@contextmanager
def _learning(model: nn.Module) -> Iterator[None]:
    """Weights ask for gradients inside the block, without dropout."""
    wanted = [p.requires_grad for p in model.parameters()]
    nn.Module.eval(model)
    model.requires_grad_(True)
    try:
        yield
    finally:
        for parameter, was in zip(model.parameters(), wanted, strict=True):
            parameter.requires_grad_(was)
