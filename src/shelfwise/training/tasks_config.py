"""What shop.toml says about the tasks of a run; defaults live here and nowhere else."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat

from shelfwise.schema.options import Options
from shelfwise.schema.search import Pick, Span

Switch = Literal["auto", True, False]


class FixedWeights(Options):
    """Each task counts for as much as is written here, beside clicks that count 1."""

    kind: Literal["fixed"] = "fixed"
    interest: Annotated[NonNegativeFloat, Span(0.01, 1.0, log=True)] = 0.1
    intent: Annotated[NonNegativeFloat, Span(0.01, 1.0, log=True)] = 0.1
    attributes: Annotated[NonNegativeFloat, Span(0.01, 1.0, log=True)] = 0.05
    relevance: Annotated[NonNegativeFloat, Span(0.02, 2.0, log=True)] = 0.2


class UncertaintyWeights(Options):
    """How much each task counts is learned beside it; it begins at the fixed weights."""

    kind: Literal["uncertainty"] = "uncertainty"


TaskWeightOptions = Annotated[FixedWeights | UncertaintyWeights, Field(discriminator="kind")]


class TaskOptions(Options):
    """What is learned: auto, wherever the log has labels for it; true, or training is refused."""

    match: Switch = "auto"
    """Which items of the whole catalogue a request leads to."""
    click: Switch = "auto"
    """Whether what is shown is clicked; needs impressions."""
    conversion: Switch = "auto"
    """Whether a click ends in a purchase; needs clicks and purchases."""
    interest: Switch = "auto"
    """Which category a shopper takes next, and what they do next, from their past alone."""
    intent: Switch = "auto"
    """Which category a query is after; where its words leave it open, this weighs the ranking."""
    attributes: Switch = "auto"
    """Brand, category and price band of an item, from its text alone."""
    relevance: Switch = "auto"
    """How well an item answers a query, as people judged it; needs judgements."""
    weights: Annotated[TaskWeightOptions, Pick(("fixed", "uncertainty"))] = FixedWeights()
