"""What shop.toml says about the network; defaults live here and nowhere else."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveInt, model_validator

from shelfwise.schema.options import Options

Share = Annotated[float, Field(ge=0, lt=1)]


class Frozen(Options):
    """The pre-trained encoder stays as it is; only what is built on top of it learns."""

    mode: Literal["frozen"] = "frozen"


class TopLayers(Options):
    """The upper layers learn; what the lower ones say of a text is computed once and kept."""

    mode: Literal["top_layers"] = "top_layers"
    layers: PositiveInt = 2
    """How many layers learn, counted from the top."""


class Full(Options):
    """Every weight of the encoder learns."""

    mode: Literal["full"] = "full"


TuningOptions = Annotated[Frozen | TopLayers | Full, Field(discriminator="mode")]


class EncoderOptions(Options):
    """The pre-trained language model that reads items and queries."""

    name: str = "minilm"
    """`minilm` (installed with shelfwise), or a Hugging Face model name or folder."""
    keep_layers: PositiveInt | None = None
    """Use only this many of its lower layers; left out, all."""
    query_prefix: str = ""
    """Written before a query; e5 models want "query: "."""
    item_prefix: str = ""
    """Written before an item; e5 models want "passage: "."""
    tuning: TuningOptions = TopLayers()


class HistoryEncoderOptions(Options):
    """The causal Transformer that reads what the user did."""

    layers: PositiveInt = 2
    heads: PositiveInt = 4
    dropout: Share = 0.1


class SharedBottom(Options):
    """One network that all tasks read."""

    kind: Literal["shared_bottom"] = "shared_bottom"


class MixtureOfExperts(Options):
    """Experts that all tasks share, each weighing them by a gate of its own (MMoE)."""

    kind: Literal["mmoe"] = "mmoe"
    experts: PositiveInt = 4
    """Together they are as wide as a shared bottom."""


class ProgressiveLayers(Options):
    """Experts of each task's own beside shared ones, level upon level (PLE)."""

    kind: Literal["ple"] = "ple"
    shared: PositiveInt = 2
    """Experts of a level that all tasks read."""
    own: PositiveInt = 1
    """Experts of a level that only one task reads, for each task."""
    levels: PositiveInt = 2


ExpertOptions = Annotated[
    SharedBottom | MixtureOfExperts | ProgressiveLayers, Field(discriminator="kind")
]


class HeadOptions(Options):
    """The networks behind the click and conversion probabilities."""

    experts: ExpertOptions = SharedBottom()
    hidden: PositiveInt = 128
    """Length of what each task reads, and width of all experts of a level together."""
    dropout: Share = 0.1


class ModelOptions(Options):
    """The network as a whole."""

    width: PositiveInt = 128
    """Length of item, query and request vectors."""
    encoder: EncoderOptions = EncoderOptions()
    history: HistoryEncoderOptions = HistoryEncoderOptions()
    heads: HeadOptions = HeadOptions()
    id_embedding: bool = True
    """Learn something of a warm item beyond its text; unseen items fall back to text alone."""
    id_dropout: Share = 0.2
    """Share of items that must do without it in a training step, so that text alone works too."""
    match_scale: NonNegativeFloat = 12.0
    """First value of the learned factor between cosine-like match and softmax."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % self.history.heads:
            raise ValueError(
                f"width ({self.width}) must be a multiple of history.heads ({self.history.heads})"
            )
        return self
