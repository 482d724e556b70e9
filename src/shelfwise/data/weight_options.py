"""How training rows are weighed: what shop.toml says, without what it takes to do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, model_validator

from shelfwise.schema.event import EventKind
from shelfwise.schema.options import Options

Side = Literal["user", "item", "behaviour"]


class WeightOptions(Options):
    """How training rows are weighed against the imbalance of behaviour."""

    sides: tuple[Side, ...] = ("user", "item")
    """Whose frequency counts; empty: every row weighs the same."""
    beta: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Users and items: 0 weighs all rows alike, towards 1 by inverse frequency."""
    behaviour_beta: Annotated[float, Field(ge=0, lt=1)] = 0.9999
    """The same for behaviours, of which there are few with many rows each."""
    clip: tuple[PositiveFloat, PositiveFloat] = (0.25, 4.0)
    """Least and greatest weight of a row, where 1 is the mean."""
    strengths: Mapping[EventKind, PositiveFloat] = Field(default_factory=dict)
    """How much a behaviour counts beside the others as a match; 1 where left out."""

    @model_validator(mode="after")
    def _the_mean_lies_inside(self) -> Self:
        low, high = self.clip
        if not low <= 1 <= high:
            raise ValueError(f"clip ({low}, {high}) must hold 1, the mean of the weights")
        return self

    def beta_of(self, side: Side) -> float:
        """The beta that a side's frequencies are read with."""
        return self.behaviour_beta if side == "behaviour" else self.beta
