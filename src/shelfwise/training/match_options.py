"""What shop.toml says about the loss of matches; defaults live here and nowhere else."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from shelfwise.schema.options import Options
from shelfwise.schema.search import Pick, Span


class Softmax(Options):
    """Every item of the catalogue is held against the one that was taken."""

    kind: Literal["softmax"] = "softmax"
    label_smoothing: Annotated[float, Field(ge=0, lt=1), Span(0.0, 0.3)] = 0.0
    """Share of the wanted probability that lies on all items alike."""


class SampledSoftmax(Options):
    """A draw of the catalogue is held against it, corrected for how it was drawn."""

    kind: Literal["sampled_softmax"] = "sampled_softmax"
    negatives: Annotated[PositiveInt, Pick((128, 512, 2048))] = 512
    """Items drawn in a step, for all its requests together."""
    by_popularity: Annotated[float, Field(ge=0, lt=1), Span(0.0, 0.9)] = 0.5
    """Share of them drawn by how often they were taken; the others are drawn evenly."""


class GeneralisedBce(Options):
    """Yes or no for what was taken and for a draw, less sure of itself (gBCE)."""

    kind: Literal["gbce"] = "gbce"
    negatives: Annotated[PositiveInt, Pick((128, 512, 2048))] = 512
    """Items drawn in a step, evenly, for all its requests together."""
    calibration: Annotated[float, Field(ge=0, le=1), Span(0.0, 1.0)] = 0.75
    """0: as sure as if the draw were the catalogue; 1: probabilities are those of the catalogue."""


MatchLossOptions = Annotated[Softmax | SampledSoftmax | GeneralisedBce, Field(discriminator="kind")]
