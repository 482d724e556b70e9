"""The training loop: steps, schedule, checks, early stopping, and the best state seen."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from shelfwise.data.batches import Batch, Examples
from shelfwise.data.loader import LoaderPlan, training_batches
from shelfwise.data.prepared import PreparedShop
from shelfwise.schema.errors import ShelfwiseError
from shelfwise.schema.progress import Progress, Silent, Step
from shelfwise.training.config import TrainOptions
from shelfwise.training.match_task import final_kinds
from shelfwise.training.network import Network
from shelfwise.training.objective import Terms, batch_loss
from shelfwise.training.optimizer import optimizer_of
from shelfwise.training.schedule import rate_share, set_rates
from shelfwise.training.validation import Check


class TrainingError(ShelfwiseError):
    """Training cannot go on; the message names the step."""


@dataclass(slots=True)
class LearningCurve:
    """What training saw of itself: mean losses between checks, and the checks."""

    losses: list[dict[str, float]] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    @property
    def best(self) -> Check:
        known = [check for check in self.checks if not math.isnan(check.score)]
        # Where validation cannot say anything, the longest training is as good as any.
        return max(known, key=lambda check: check.score) if known else self.checks[-1]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many steps the schedule is drawn for, how many are taken, and when to look up."""

    scheduled: int
    taken: int
    per_check: int

    @classmethod
    def of(cls, examples: Examples, options: TrainOptions) -> Plan:
        per_epoch = max(1, math.ceil(len(examples) / options.batch_requests))
        total = per_epoch * options.epochs
        return cls(total, total, max(1, per_epoch // options.checks_per_epoch))


class Lessons(NamedTuple):
    """What is learned from, and for how long."""

    prepared: PreparedShop
    examples: Examples
    plan: Plan


def fit(
    network: Network,
    lessons: Lessons,
    options: TrainOptions,
    *,
    look: Callable[[int], Check] | None,
    progress: Progress,
) -> LearningCurve:
    """Train until the plan, patience or the clock ends it; leave the best state in the network.

    Without ``look`` nothing is checked and the last state stays: the way a refit is done.

    Raises:
        TrainingError: there is nothing to learn from, or a loss was not a number; the message
            names the step.
    """
    plan = lessons.plan
    if len(lessons.examples) == 0:
        raise TrainingError("train: no request lies in the training part; see [split] in shop.toml")
    optimizer = optimizer_of(network.model.parameters(), network.bank.encoder, options)
    rates = [group["lr"] for group in optimizer.param_groups]
    curve = LearningCurve()
    best_state, since_best = None, 0
    began = time.monotonic()
    window: list[Terms] = []
    loading = LoaderPlan(options.batch_requests, options.seed, workers=options.loader_workers)
    stream = training_batches(lessons.prepared, lessons.examples, loading)
    with progress.step("Training", total=plan.taken) as bar, closing(stream):
        for step, batch in enumerate(stream, start=1):
            set_rates(optimizer, rates, rate_share(step, plan.scheduled, options.warmup_share))
            window.append(_take_step(network, batch, optimizer, options, (step, lessons)))
            _tell(bar, window, step)
            late = time.monotonic() - began > options.minutes * 60
            if step % options.refresh_steps == 0:
                network.bank.refresh(Silent())
            if step % plan.per_check == 0 or step == plan.taken or late:
                curve.losses.append(_mean_terms(window, step))
                window = []
                if look is not None:
                    network.bank.refresh(Silent())
                    curve.checks.append(look(step))
                    improved = curve.best.step == step
                    best_state = _copy_state(network) if improved else best_state
                    since_best = 0 if improved else since_best + 1
            if step >= plan.taken or late or (look is not None and since_best > options.patience):
                break
    if best_state is not None:
        _load_state(network, best_state)
    network.bank.refresh(progress)
    return curve


def _take_step(
    network: Network,
    batch: Batch,
    optimizer: torch.optim.Optimizer,
    options: TrainOptions,
    context: tuple[int, Lessons],
) -> Terms:
    step, lessons = context
    # A draw of each step's own: a resumed run lets the same texts learn. The third number keeps it
    # apart from the order of epochs.
    rng = np.random.default_rng([options.seed, step, 1])
    network.model.train()
    network.bank.encoder.eval()  # no dropout: a fresh vector must agree with the table's others
    terms = batch_loss(network, batch, options, rng, final_kinds(lessons.prepared))
    if not torch.isfinite(terms.total):
        raise TrainingError(
            f"train: the loss of step {step} is {terms.total.item()} "
            f"({', '.join(f'{k} {v.item():.3g}' for k, v in terms._asdict().items())}); "
            "lower train.learning_rate or train.clip"
        )
    if terms.total.requires_grad:
        terms.total.backward()  # type: ignore[no-untyped-call]  # torch
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, options.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return Terms(*(term.detach() for term in terms))


def _mean_terms(window: list[Terms], step: int) -> dict[str, float]:
    means = {
        name: float(torch.stack([getattr(terms, name) for terms in window]).mean())
        for name in Terms._fields
    }
    return {"step": step, **means}


def _tell(bar: Step, window: list[Terms], step: int) -> None:
    bar.advance()
    if step % 10 == 0:
        bar.note(f"loss {float(window[-1].total):.3f}")


def _copy_state(network: Network) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    learning = {n for n, p in network.bank.encoder.named_parameters() if p.requires_grad}
    encoder = {n: v for n, v in network.bank.encoder.state_dict().items() if n in learning}
    return copy.deepcopy(network.model.state_dict()), copy.deepcopy(encoder)


def _load_state(network: Network, state: tuple[dict[str, Tensor], dict[str, Tensor]]) -> None:
    network.model.load_state_dict(state[0])
    network.bank.encoder.load_state_dict(state[1], strict=False)
