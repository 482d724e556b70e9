"""What shop.toml says about the network; defaults live here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    field_validator,
    model_validator,
)

from shelfwise.schema.options import Options
from shelfwise.schema.search import Pick, Span

Share = Annotated[float, Field(ge=0, lt=1)]


class Frozen(Options):
    """The pre-trained encoder stays as it is; only what is built on top of it learns."""

    mode: Literal["frozen"] = "frozen"


class TopLayers(Options):
    """The upper layers learn; what the lower ones say of a text is computed once and kept."""

    mode: Literal["top_layers"] = "top_layers"
    layers: Annotated[PositiveInt, Span(1, 4)] = 2
    """How many layers learn, counted from the top."""


class Full(Options):
    """Every weight of the encoder learns."""

    mode: Literal["full"] = "full"


class _LowRank(Options):
    rank: Annotated[PositiveInt, Pick((2, 4, 8))] = 8
    """Rank of each weight's update; with adalora the mean over all, once they are allotted."""
    alpha: PositiveInt = 16
    """The update is multiplied by this and divided by the rank it began with."""
    parts: Literal["attention", "all"] = "attention"
    """Which weights of a layer are updated: those of attention, or the feed-forward ones too."""
    layers: PositiveInt | None = None
    """How many layers learn, counted from the top; left out, all."""


class Lora(_LowRank):
    """Low-rank updates of frozen weights learn; saved, they are merged into the weights."""

    mode: Literal["lora"] = "lora"


class AdaLora(_LowRank):
    """As lora, with more rank for the weights it matters to."""

    mode: Literal["adalora"] = "adalora"
    first_rank: PositiveInt = 12
    """Rank of every update at first; the least important are given up."""
    orthogonality: NonNegativeFloat = 0.5
    """Weight, beside the loss, of how far an update's factors are from orthogonal."""

    @model_validator(mode="after")
    def _ranks_are_given_up(self) -> Self:
        if self.rank >= self.first_rank:
            raise ValueError(
                f"rank ({self.rank}) must be below first_rank ({self.first_rank}); "
                "there would be none to give up"
            )
        return self


class Adapter(Options):
    """Narrow two-layer networks between the frozen layers learn (bottleneck adapters)."""

    mode: Literal["adapter"] = "adapter"
    width: Annotated[PositiveInt, Pick((16, 32, 48, 96))] = 48
    """Units of the narrow layer."""
    layers: PositiveInt | None = None
    """How many layers get adapters, counted from the top; left out, all."""


TuningOptions = Annotated[
    Frozen | TopLayers | Full | Lora | AdaLora | Adapter, Field(discriminator="mode")
]


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
    tuning: Annotated[TuningOptions, Pick(("frozen", "top_layers", "full", "lora"))] = TopLayers()
    projection: PositiveInt | None = None
    """Length that a learned linear map brings text vectors to; left out, they stay as they are."""
    dimensions: PositiveInt | None = None
    """Use only so many of a text vector's first numbers, brought back to length 1."""
    matryoshka: tuple[PositiveInt, ...] = ()
    """Shorter lengths at which domain adaptation asks the first numbers of a vector to do as well
    as the whole one, so that they may be used alone."""

    def prompts(self) -> dict[str, str]:
        """What is written before a text, by the roles that sentence-transformers names."""
        return {"query": self.query_prefix, "document": self.item_prefix}


class _Reading(Options):
    searches: bool = True
    """Past searches are read by their words, beside the items met."""


class _ReadingEvents(_Reading):
    events: Annotated[PositiveInt | Literal["all"], Pick((5, 10, 20, "all"))] = "all"
    """At most so many events are read one by one, the latest, of those that `history.max_length`
    of the preparation keeps."""


class TransformerHistory(_ReadingEvents):
    """A causal Transformer reads what the user did."""

    kind: Literal["transformer"] = "transformer"
    layers: Annotated[PositiveInt, Span(1, 3)] = 1
    heads: Annotated[PositiveInt, Pick((1, 2, 4, 8))] = 4
    dropout: Annotated[Share, Span(0.0, 0.5)] = 0.1


class MeanPoolHistory(_ReadingEvents):
    """The mean of what the user did, weighted by kind of behaviour and age."""

    kind: Literal["mean_pool"] = "mean_pool"


class TargetAttentionHistory(_ReadingEvents):
    """What the user did, weighted by what the request asks for (as DIN)."""

    kind: Literal["target_attention"] = "target_attention"
    hidden: Annotated[PositiveInt, Pick((16, 32, 64))] = 32
    """Units of the network that weighs an event."""


class FlatTextHistory(_Reading):
    """What the user did last is written as text, and the pre-trained encoder reads it whole."""

    kind: Literal["flat_text"] = "flat_text"
    last: Annotated[PositiveInt, Span(3, 20)] = 10
    """Events that are written, the latest."""
    tokens: Annotated[int, Field(ge=8, le=512)] = 96
    """Tokens, counted from the newest event, after which the text is cut."""


class NoHistory(Options):
    """Nothing of what the user did is looked at, neither here nor by the heads."""

    kind: Literal["none"] = "none"


HistoryEncoderOptions = Annotated[
    TransformerHistory | MeanPoolHistory | TargetAttentionHistory | FlatTextHistory | NoHistory,
    Field(discriminator="kind"),
]


class SharedBottom(Options):
    """One network that all tasks read."""

    kind: Literal["shared_bottom"] = "shared_bottom"


class MixtureOfExperts(Options):
    """Experts that all tasks share, each weighing them by a gate of its own (MMoE)."""

    kind: Literal["mmoe"] = "mmoe"
    experts: Annotated[PositiveInt, Span(2, 8)] = 4
    """Together they are as wide as a shared bottom."""


class ProgressiveLayers(Options):
    """Experts of each task's own beside shared ones, level upon level (PLE)."""

    kind: Literal["ple"] = "ple"
    shared: Annotated[PositiveInt, Span(1, 4)] = 2
    """Experts of a level that all tasks read."""
    own: Annotated[PositiveInt, Span(1, 3)] = 1
    """Experts of a level that only one task reads, for each task."""
    levels: Annotated[PositiveInt, Span(1, 3)] = 2


ExpertOptions = Annotated[
    SharedBottom | MixtureOfExperts | ProgressiveLayers, Field(discriminator="kind")
]


class HeadOptions(Options):
    """The networks behind the click and conversion probabilities."""

    experts: Annotated[ExpertOptions, Pick(("shared_bottom", "mmoe", "ple"))] = SharedBottom()
    hidden: Annotated[PositiveInt, Pick((64, 128, 256))] = 128
    """Length of what each task reads, and width of all experts of a level together."""
    dropout: Annotated[Share, Span(0.0, 0.5)] = 0.1


class RelevanceModelOptions(Options):
    """How a query and an item are read where judgements are all there is to learn from."""

    kind: Literal["bi_encoder", "cross_encoder"] = "bi_encoder"
    """Each by itself, so that items can be indexed, or both together: dearer."""
    crossing: Annotated[PositiveInt, Span(1, 4)] = 2
    """Upper layers in which a cross-encoder's texts read each other; below, each is read alone."""
    words: bool = True
    """Tell the network how many words, rare words and letters the two share."""


class ModelOptions(Options):
    """The network as a whole."""

    width: Annotated[PositiveInt, Pick((64, 128, 192, 256))] = 128
    """Length of item, query and request vectors."""
    encoder: EncoderOptions = EncoderOptions()
    history: Annotated[
        HistoryEncoderOptions, Pick(("transformer", "mean_pool", "target_attention"))
    ] = TransformerHistory()
    heads: HeadOptions = HeadOptions()
    relevance: RelevanceModelOptions = RelevanceModelOptions()
    text: bool = True
    """Tell items by their text; without it, by id, price and trend alone."""
    targets: Annotated[Literal["shared", "own"], Pick(("shared", "own"))] = "shared"
    """Whether an item has one vector, or another one as what comes next: clicks have an order in
    which items follow others that do not follow them, baskets have none."""
    id_embedding: bool = True
    """Learn something of a warm item beyond its text; unseen items fall back to text alone."""
    id_dropout: Annotated[Share, Span(0.0, 0.6)] = 0.2
    """Share of items that must do without it in a training step, so that text alone works too."""
    neighbours: Annotated[NonNegativeInt, Pick((0, 32, 128, 512))] = 128
    """How many items that go with it, and how many that follow it, are kept of each item, as counts
    of other shoppers tell them; 0: the network learns without such tables."""
    match_scale: Annotated[NonNegativeFloat, Span(1.0, 12.0, log=True)] = 3.0
    """First value of the learned factor between cosine-like match and softmax."""

    @field_validator("history", mode="before")
    @classmethod
    def _without_a_kind_it_is_a_transformer(cls, raw: Any) -> Any:
        # The only kind there was, in runs and shop.toml files from before there was a choice.
        return {"kind": "transformer", **raw} if isinstance(raw, Mapping) else raw

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        match self.history:
            case TransformerHistory(heads=heads) if self.width % heads:
                raise ValueError(
                    f"width ({self.width}) must be a multiple of history.heads ({heads})"
                )
        return self
