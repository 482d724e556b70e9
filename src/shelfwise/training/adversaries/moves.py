"""How adversaries climb: from the batch as it is, up the gradient at every place."""

from __future__ import annotations

import torch
from torch import Tensor

from shelfwise.models.places import Nudges, kept_within, steepest
from shelfwise.training.adversaries.attempt import Attempt
from shelfwise.training.adversaries.options import Norm


def learn_as_it_is(attempt: Attempt, nudges: Nudges, weight: float) -> list[Tensor | None]:
    """Learn from the batch with ``weight``; the gradient at each place by the way."""
    loss = attempt.loss(nudges)
    if weight == 0:
        return further_gradients(attempt, loss, nudges)
    attempt.add_gradient(weight * loss)
    return [delta.grad for delta in nudges.added.values()]


def further_gradients(attempt: Attempt, loss: Tensor, nudges: Nudges) -> list[Tensor | None]:
    """At each place alone: no weight's gradient is worked out."""
    return attempt.gradients(loss, list(nudges.added.values()))


def learn_moved(attempt: Attempt, nudges: Nudges, weight: float) -> None:
    """Learn from the batch with what was added to it, with ``weight``."""
    attempt.add_gradient(weight * attempt.loss(nudges.settled()))


def climb(
    nudges: Nudges, gradients: list[Tensor | None], step: float, radius: float, norm: Norm
) -> None:
    """Move what is added by ``step`` up its gradient, and back within ``radius``."""
    for (key, delta), gradient in zip(list(nudges.added.items()), gradients, strict=True):
        if gradient is None:  # the loss does not depend on it
            continue
        ball = nudges.balls[key]
        with torch.no_grad():
            moved = delta + step * steepest(gradient, ball, norm)
            nudges.put(key, kept_within(moved, ball, radius, norm))
