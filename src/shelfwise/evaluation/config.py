"""What shop.toml says about measuring."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt

from shelfwise.schema.options import Options


class EvaluateOptions(Options):
    """How carefully the test part is measured."""

    k: PositiveInt = 10
    """Places of a ranking that count."""
    draws: Annotated[int, Field(ge=50)] = 1_000
    """Bootstrap draws behind each interval."""
    examples: NonNegativeInt = 5
    """Rankings shown with titles."""
    most_targets: PositiveInt = 20_000
    """Requests over the whole catalogue; a larger test is sampled evenly by owner, and says so."""
    sampled_negatives: NonNegativeInt = 0
    """Drawn items that a right one is ranked among in a further view; 0: no such view."""
    seed: NonNegativeInt = 0
