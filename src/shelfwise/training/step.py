"""One step of training: losses of its batches, their gradients together, and one move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from shelfwise.data.batches import Batch, Examples
from shelfwise.data.loader import LoaderPlan, first_rows
from shelfwise.data.prepared import PreparedShop
from shelfwise.schema.errors import ShelfwiseError
from shelfwise.training.adversaries.attempt import Attempt
from shelfwise.training.adversaries.choice import Opponent
from shelfwise.training.averaging import Average
from shelfwise.training.clipping import clip_gradient
from shelfwise.training.config import TrainOptions
from shelfwise.training.match_task import final_kinds
from shelfwise.training.network import Network
from shelfwise.training.objective import Terms, batch_loss

_NAMED = 5  # requests of a bad batch that are named
_WAY_OUT = "lower train.learning_rate or train.clip"


class TrainingError(ShelfwiseError):
    """Training cannot go on; the message names the step."""


class Source(NamedTuple):
    """Where batches come from, so that one of them can be found again."""

    prepared: PreparedShop
    examples: Examples
    loading: LoaderPlan


@dataclass(frozen=True, slots=True)
class Learner:
    """A network, what moves it, and what it learns from."""

    network: Network
    optimizer: torch.optim.Optimizer
    average: Average | None
    source: Source
    options: TrainOptions
    steps: int  # that will be taken at most
    opponent: Opponent = field(default_factory=Opponent)

    def take(self, step: int, batches: Sequence[Batch]) -> Terms:
        """Learn from ``batches`` together, each counting the same; their mean losses.

        Raises:
            TrainingError: a loss or the gradient is not finite. Nothing has moved then.
        """
        self.network.model.train()
        self.network.bank.encoder.eval()  # no dropout: a fresh vector must agree with the table's
        found = []
        for part, batch in enumerate(batches):
            number = (step - 1) * self.options.accumulate + part + 1  # of the batch in its stream
            terms = self._learn(step, number, batch, 1 / len(batches))
            found.append([term.detach() for term in terms])
        with self.network.phases("optimiser"):
            self._move(step)
        return Terms(*(torch.stack(column).mean() for column in zip(*found, strict=True)))

    def _learn(self, step: int, number: int, batch: Batch, weight: float) -> Terms:
        """Add a batch's gradient, times ``weight``; its losses as they were first worked out."""
        found: list[Terms] = []

        def loss_of(dropout: int) -> Tensor:
            with self.network.phases("rest of the losses"):
                terms = self._losses(batch, number, dropout)
            self._refuse_what_is_not_finite(terms, step, number)
            found.append(terms)
            return weight * terms.total

        learning = [p for group in self.optimizer.param_groups for p in group["params"]]
        drawn = self._drawn(number, 3)
        networks = (self.network.model, self.network.bank.encoder)
        attempt = Attempt(loss_of, networks, learning, drawn, weight, self.network.phases)
        self.opponent.learn(step, attempt)
        return found[0]

    def _drawn(self, *numbers: int) -> int:
        """A seed of its own for each use that a batch has for one."""
        return int(np.random.default_rng([self.options.seed, *numbers]).integers(2**63))

    def _losses(self, batch: Batch, number: int, dropout: int) -> Terms:
        # Draws of each batch's own, whatever came before: a resumed run makes the same ones. The
        # third number keeps them apart from each other and from the order of epochs.
        seed = self.options.seed
        torch.manual_seed(self._drawn(number, 2, *[dropout] * (dropout > 0)))
        rng = np.random.default_rng([seed, number, 1])
        final = final_kinds(self.source.prepared)
        return batch_loss(self.network, batch, self.options, rng, final)

    def _move(self, step: int) -> None:
        encoder = self.network.bank.encoder
        penalty = encoder.penalty()
        if penalty is not None:
            penalty.backward()  # type: ignore[no-untyped-call]  # torch
        learning = [p for group in self.optimizer.param_groups for p in group["params"]]
        length = clip_gradient(learning, self.options.clip)
        if not torch.isfinite(length):
            number = step * self.options.accumulate
            raise TrainingError(
                f"train: the gradient of step {step} is {length.item()} long, though its loss is "
                f"finite; {self._requests_of(number)}; {_WAY_OUT}"
            )
        self.optimizer.step()
        encoder.after_step(step, self.steps)
        self.optimizer.zero_grad(set_to_none=True)
        if self.average is not None:
            self.average.follow()

    def _refuse_what_is_not_finite(self, terms: Terms, step: int, number: int) -> None:
        if torch.isfinite(terms.total):
            return
        values = {name: term.item() for name, term in terms._asdict().items()}
        parts = [name for name in values if name != "total" and not np.isfinite(values[name])]
        raise TrainingError(
            f"train: the loss of step {step} is {values.pop('total')} "
            f"({', '.join(f'{name} {value:.3g}' for name, value in values.items())}); "
            f"not finite: {', '.join(parts) or 'their sum alone'}; {self._requests_of(number)}; "
            f"{_WAY_OUT}"
        )

    def _requests_of(self, number: int) -> str:
        """The requests of a batch, the first few by name."""
        prepared, examples, loading = self.source
        rows = first_rows(prepared, examples, loading._replace(start_step=number - 1))
        requests = examples.request_R[rows]
        named = prepared.requests["request_id"].gather(requests[:_NAMED]).to_list()
        more = len(requests) - len(named)
        return f"requests of the batch: {', '.join(map(str, named))}" + (
            f" and {more} more" if more else ""
        )
