"""What shop.toml says about learning against an adversary; defaults live here and nowhere else."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from shelfwise.models.places import PlaceName
from shelfwise.schema.options import Options
from shelfwise.schema.search import Span

Norm = Literal["l2", "linf"]


class NoAdversary(Options):
    """What is learned from stays as it is."""

    kind: Literal["none"] = "none"


class _Adversary(Options):
    after_epochs: NonNegativeFloat = 0.0
    """Passes over the training rows before it joins."""
    steps_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the steps from then on that it takes part in, evenly spread."""


class _Perturbing(_Adversary):
    places: Annotated[tuple[PlaceName, ...], Field(min_length=1)] = ("words",)
    """What is moved: embeddings of words, vectors of items, id embeddings, what a history tells."""
    norm: Norm = "l2"
    """Whether a row (a text, an item, a history) is moved so far in all, or each of its numbers."""
    radius: Annotated[PositiveFloat, Span(0.01, 1.0, log=True)] = 0.1
    """How far, as a share of the row's own length (l2) or of its numbers' root mean square."""


class _Beside(_Perturbing):
    weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the gradient that comes from the moved rows; the rest from the rows as they are."""


class _InSteps(_Perturbing):
    steps: PositiveInt = 3
    step_size: PositiveFloat | None = None
    """Of one step; left out, 1.5 times the radius over the steps."""

    @property
    def each_step(self) -> float:
        """How far a step goes."""
        return self.step_size or 1.5 * self.radius / self.steps


class Fgm(_Beside):
    """One step up the gradient: two passes (fast gradient method)."""

    kind: Literal["fgm"] = "fgm"


class Pgd(_Beside, _InSteps):
    """Several steps, each brought back within the radius: the worst that is found counts."""

    kind: Literal["pgd"] = "pgd"


class FreeLb(_InSteps):
    """Several steps from a random start, whose gradients all teach the weights."""

    kind: Literal["free_lb"] = "free_lb"


class Awp(_Adversary):
    """The weights themselves are moved to where the loss is larger (weight perturbation)."""

    kind: Literal["awp"] = "awp"
    radius: Annotated[PositiveFloat, Span(5e-4, 0.05, log=True)] = 0.005
    """How far each matrix of weights is moved, as a share of its own length."""
    weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the gradient that comes from moved weights; the rest from the weights as they are.
    """


class RDrop(_Adversary):
    """Two draws of dropout are asked to agree: no adversary, but as dear as the cheapest.

    In a shop's network and in that of judgements it is the dropout above the encoder, which is read
    without its own; a classifier's encoder draws as well.
    """

    kind: Literal["r_drop"] = "r_drop"
    agreement: Annotated[PositiveFloat, Span(0.1, 10.0, log=True)] = 1.0
    """Weight of how far the two answers are apart, beside the loss."""


AdversaryOptions = Annotated[
    NoAdversary | Fgm | Pgd | FreeLb | Awp | RDrop, Field(discriminator="kind")
]
