"""What shop.toml says about attacking a run; defaults live here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveFloat, PositiveInt

from shelfwise.data.part_rows import LEARNED, TRAINED
from shelfwise.data.split import Part
from shelfwise.schema.options import Options


def _rising(values: tuple[float, ...]) -> tuple[float, ...]:
    if any(a >= b for a, b in pairwise(values)):
        raise ValueError(f"strengths must rise: {_listed(sorted(set(values)))}")
    return values


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


Shares = Annotated[
    tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(min_length=1), AfterValidator(_rising)
]
Radii = Annotated[tuple[PositiveFloat, ...], Field(min_length=1), AfterValidator(_rising)]
Counts = Annotated[tuple[PositiveInt, ...], AfterValidator(_rising)]


class AttackOptions(Options):
    """How hard a run is attacked, and on how many requests that is measured."""

    part: Literal["validation", "test"] = "test"
    """Whose requests are asked; what is chosen by an attack, as a radius is, goes by validation's,
    which a run with `train.refit` has learned."""
    k: PositiveInt = 10
    """Places of a ranking that count."""
    most_targets: PositiveInt = 400
    """Requests that are asked anew for each strength, evenly spread."""
    noise_shares: Shares = (0.1, 0.2, 0.4)
    """Shares of words that text noise alters, and of events that noise in a history touches."""
    radii: Radii = (0.02, 0.05, 0.1, 0.2)
    """How far gradient attacks move a row, as a share of its numbers' root mean square."""
    gradient_steps: PositiveInt = 5
    """Steps of a gradient attack."""
    gradient_targets: PositiveInt = 128
    """Requests that gradient attacks are measured on: each is asked once a step."""
    stuffed_words: Counts = (3, 10, 30)
    """Words of other shoppers' queries that a seller writes behind a title; none: not tried."""
    draws: Annotated[int, Field(ge=50)] = 500
    """Bootstrap draws behind each interval."""
    examples: NonNegativeInt = 6
    """Requests shown that an attack harmed most."""
    seed: NonNegativeInt = 0

    @property
    def before(self) -> tuple[Part, ...]:
        """Parts whose rows are known when those of ``part`` are asked."""
        return LEARNED if self.part == "test" else TRAINED
