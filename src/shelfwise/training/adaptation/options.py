"""What shop.toml says about domain adaptation; defaults live here and nowhere else."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from shelfwise.models.config import Full, TopLayers
from shelfwise.schema.options import Options

PairKind = Literal["query", "together", "title"]


class NoAdaptation(Options):
    """The tasks begin with the encoder as it was pre-trained."""

    kind: Literal["off"] = "off"


class Adaptation(Options):
    """Before the tasks, the encoder learns which of the shop's texts belong together.

    Rates, warm-up, clipping and seed are those of [train].
    """

    kind: Literal["on"] = "on"
    pairs: tuple[PairKind, ...] = ("query", "together", "title")
    """What belongs together: a query and an item taken for it, items that one owner took within
    `together_hours`, an item's text and the same text with words left out. What the log does not
    have is passed over and counted as 0."""
    together_hours: PositiveFloat = 24
    """Longest time between two items taken together; a log that knows order alone goes by order."""
    tuning: Annotated[TopLayers | Full, Field(discriminator="mode")] = Full()
    """What learns here; what learns in the tasks says model.encoder.tuning."""
    batch_pairs: Annotated[int, Field(ge=2)] = 64
    """Pairs in a step; the others' items are what each is told apart from."""
    temperature: PositiveFloat = 0.05
    """Divides the cosine before the softmax."""
    masked_weight: NonNegativeFloat = 0.1
    """Weight of guessing hidden words of titles and queries, half as many texts as pairs; 0: not
    done."""
    hard_negatives: NonNegativeInt = 1
    """Items near each pair's first text, by the encoder of the last check, that its owner did not
    take."""
    nearest_passed: NonNegativeInt = 5
    """Nearest of them that are passed over: many would have been right, had they been seen."""
    steps: PositiveInt = 300
    minutes: PositiveFloat = 5
    """The stage stops after this long; validation chooses among what it had until then."""
    check_steps: PositiveInt = 75
    """Steps after which all texts are encoded anew, for validation and for hard negatives."""

    @model_validator(mode="after")
    def _something_is_learned(self) -> Self:
        if not self.pairs and not self.masked_weight:
            raise ValueError(
                "pairs is empty and masked_weight is 0, so nothing would be learned; "
                'name a pair, raise the weight, or set kind = "off"'
            )
        return self


AdaptationOptions = Annotated[NoAdaptation | Adaptation, Field(discriminator="kind")]
OFF = NoAdaptation()
