"""What shop.toml says about training; defaults live here and nowhere else."""

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

from shelfwise.models.calibration import CalibrationOptions
from shelfwise.schema.options import Options
from shelfwise.schema.search import Pick, Span
from shelfwise.training.adversaries.options import AdversaryOptions, NoAdversary
from shelfwise.training.match_options import GeneralisedBce, MatchLossOptions, Softmax
from shelfwise.training.relevance_options import RelevanceOptions


class TrainOptions(Options):
    """How long, how fast, and for what the network learns."""

    epochs: PositiveInt = 10
    """Passes over the training requests, unless validation or the clock says stop."""
    minutes: PositiveFloat = 12
    """Training stops after this long with the best state so far, and a refit after as long again;
    what was trained by the clock cannot be repeated to the bit, what ran out of steps can."""
    batch_requests: Annotated[PositiveInt, Pick((32, 64, 128, 256))] = 128
    """Requests, with all that was shown at each, in one batch."""
    accumulate: PositiveInt = 1
    """Batches whose gradients make one step together: a larger batch in the same memory."""
    learning_rate: Annotated[PositiveFloat, Span(2e-4, 1e-2, log=True)] = 2e-3
    """Peak rate of everything above the text encoder."""
    encoder_learning_rate: Annotated[PositiveFloat, Span(3e-6, 3e-4, log=True)] = 3e-5
    """Peak rate of the text encoder's learning layers."""
    optimizer: Literal["adamw", "adafactor"] = "adamw"
    """`adafactor` keeps a fraction of the memory; its rates are relative to a weight's size."""
    layer_decay: Annotated[float, Field(gt=0, le=1), Span(0.6, 1.0)] = 1.0
    """Factor of the encoder's rate for each learning layer further down; 1: all the same."""
    weight_decay: Annotated[NonNegativeFloat, Span(1e-3, 0.3, log=True)] = 0.01
    warmup_share: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of the steps in which the rate climbs; then it falls along a cosine, by the clock where
    that will end training first."""
    clip: PositiveFloat = 1.0
    """Longest gradient allowed."""
    ema: Annotated[float, Field(ge=0, lt=1), Pick((0.0, 0.99, 0.999))] = 0.0
    """Share that a running mean of the weights keeps in a step, such as 0.999; checks judge and
    the run keeps the mean. 0: the weights themselves."""
    match_loss: Annotated[MatchLossOptions, Pick(("softmax", "sampled_softmax", "gbce"))] = (
        Softmax()
    )
    match_weight: Annotated[NonNegativeFloat, Span(0.1, 10.0, log=True)] = 1.0
    """Weight of the match loss beside the click loss."""
    purchase_weight: Annotated[NonNegativeFloat, Span(0.1, 10.0, log=True)] = 1.0
    """lambda: weight of the click-and-purchase loss beside the click loss."""
    conversion: Literal["entire_space", "clicked_only"] = "entire_space"
    """What conversion is learned from: all impressions through clicks and purchases together, or
    clicked ones alone (biased on what nobody clicked; there to be compared with)."""
    open_windows: Literal["leave_out", "delayed"] = "delayed"
    """Rows whose purchase window is open when training ends: left out of conversion, or told apart
    by how many of the purchases come as early as they had time for."""
    position: Literal["learned", "started", "measured"] = "started"
    """How places are told apart: learned from nothing, started from the curve that randomised rows
    give, or left at that curve. Without randomised rows it is learned."""
    adversary: Annotated[AdversaryOptions, Pick(("none", "fgm", "awp", "r_drop"))] = NoAdversary()
    """Against whom is learned."""
    doubt: Annotated[float, Field(ge=0, le=1), Span(0.0, 0.7)] = 0.0
    """How far a row that the network finds very unlikely is taken for noise, in clicks, purchases
    and matches (generalised cross-entropy): 0 not at all, 1 as the mean absolute error does."""
    typos: Annotated[float, Field(ge=0, lt=1), Span(0.0, 0.5)] = 0.0
    """Share of the texts that learn in a step that are read with typos, in about three of ten of
    their words."""
    calibration: CalibrationOptions = CalibrationOptions()
    relevance: RelevanceOptions = RelevanceOptions()
    period_requests: bool = False
    """Where a ranking is judged by all that is taken in a period: ask for whole periods of the past
    too, each at its start, beside what was asked and taken at each moment."""
    live_texts: Annotated[PositiveInt, Pick((8, 16, 32, 64))] = 32
    """Item texts encoded anew, with gradient, in a step; the rest come from the table."""
    refresh_steps: PositiveInt = 200
    """Steps after which the table of text vectors is computed anew."""
    checks_per_epoch: PositiveInt = 1
    """How often validation looks on."""
    patience: PositiveInt = 3
    """Checks in a row without a better score that are forgiven; the next one stops training."""
    newcomer_cost: Annotated[float, Field(ge=0, lt=1)] = 0.01
    """Share of validation's NDCG@10 that may be given up so that items nobody has met yet rise in
    rankings; 0: they rise as far as it costs nothing. A refit leaves them the same share of first
    places."""
    refit: bool = False
    """Train once more on training + validation, for the number of steps validation chose."""
    checkpoint_minutes: NonNegativeFloat = 10
    """Longest time between checkpoints, which `--resume` goes on from; 0 writes none."""
    track: Literal["none", "tensorboard"] = "none"
    """Who draws the figures of a training under way."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    threads: NonNegativeInt = 0
    """CPU threads; 0 takes every core."""
    loader_workers: Annotated[int, Field(ge=0, le=64)] = 0
    """Threads that gather batches ahead; 0 gathers each when its step begins. Same batches."""
    seed: NonNegativeInt = 0

    @model_validator(mode="after")
    def _doubt_is_of_chances(self) -> Self:
        if self.doubt and isinstance(self.match_loss, GeneralisedBce):
            raise ValueError(
                f"doubt ({self.doubt}) is not for match_loss.kind = gbce, whose loss is no chance "
                "of an answer; choose softmax or sampled_softmax"
            )
        return self
