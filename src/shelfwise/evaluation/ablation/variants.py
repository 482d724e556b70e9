"""The full model without one of its parts, or with another choice: which of these a shop allows.

A variant is a row of settings, as `--set` takes them, or another view of the prepared shop. One
that changes nothing, or that needs what the log does not hold, is told and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from shelfwise.data.batches import examples_of
from shelfwise.data.part_rows import TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.weight_options import WeightOptions
from shelfwise.data.weights import trust_in, with_weights
from shelfwise.evaluation.pieces import Setting
from shelfwise.models.config import Frozen
from shelfwise.schema.errors import ConfigError
from shelfwise.training.adversaries.reach import passed_in_shop, refuse_unreached
from shelfwise.training.task_plan import TaskPlan, plan_tasks

FULL = "full model"
SUSPICIOUS_FROM = 0.1  # of a score that goes to 1

View = Callable[[PreparedShop], PreparedShop]
Configured = Callable[[Sequence[str]], Setting]  # the options with some settings on top


@dataclass(frozen=True, slots=True)
class Variant:
    """One difference from the full model."""

    name: str  # as rows name it: "without text"
    part: str  # what `--only` names it by, alone or with others
    settings: tuple[str, ...] = ()
    view: View | None = None
    lacks: Callable[[PreparedShop], str] | None = None  # why a shop has no use for it, or nothing
    task: str = ""  # that the full model must learn

    @property
    def folder(self) -> str:
        """The name, as a folder can be called."""
        return self.name.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A variant that was not tried."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What to train: each variant with its options, the full model first."""

    variants: list[tuple[Variant, Setting]]
    skipped: list[Skipped]


def chosen_variants(
    prepared: PreparedShop, configured: Configured, only: Sequence[str] = ()
) -> Chosen:
    """The full model and its variants for a shop.

    Args:
        prepared: the shop.
        configured: makes options of settings.
        only: parts to look at; empty: all.

    Raises:
        ConfigError: ``only`` names a part that there is not.
    """
    parts = list(dict.fromkeys(variant.part for variant in VARIANTS))
    unknown = [name for name in only if name not in parts]
    if unknown:
        raise ConfigError(f"no part is called {', '.join(unknown)}; there are: {', '.join(parts)}")
    full = configured(())
    left_out = _plan(prepared, full).left_out
    chosen, skipped = [(Variant(FULL, FULL), full)], []
    for variant in VARIANTS:
        if only and variant.part not in only:
            continue
        if variant.task in left_out:
            skipped.append(Skipped(variant.name, left_out[variant.task]))
            continue
        found = _tried(variant, prepared, full, configured)
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            chosen.append((variant, found))
    return Chosen(chosen, skipped)


def _tried(
    variant: Variant, prepared: PreparedShop, full: Setting, configured: Configured
) -> Setting | Skipped:
    if variant.lacks is not None and (why := variant.lacks(prepared)):
        return Skipped(variant.name, why)
    try:
        setting = configured(variant.settings)
        if setting.course.tasks != full.course.tasks:
            _plan(prepared, setting)  # some task must be left
        _refuse_unreached(prepared, setting)
    except ConfigError as error:
        return Skipped(variant.name, " ".join(str(error).split()))
    if variant.view is None and setting == full:
        return Skipped(variant.name, "the full model is so already")
    return setting


def _plan(prepared: PreparedShop, setting: Setting) -> TaskPlan:
    examples = examples_of(prepared, TRAINED, doubted=False)
    return plan_tasks(prepared, examples, TRAINED, setting.course.tasks, setting.train)


def unweighted(prepared: PreparedShop) -> PreparedShop:
    """The shop with every training row counting the same; suspected machines still weigh 0."""
    options = prepared.options.weights.model_copy(update={"sides": ()})
    told = prepared.options.model_copy(update={"weights": options})
    return _weighed_anew(replace(prepared, options=told))


def unfiltered(prepared: PreparedShop) -> PreparedShop:
    """The shop with suspected machines' rows counting like everybody's."""
    nobody = prepared.requests.with_columns(pl.lit(None, pl.String).alias("fraud"))
    return replace(_weighed_anew(prepared, flagged_too=True), requests=nobody)


def softened(prepared: PreparedShop) -> PreparedShop:
    """The shop with rows of whoever is a little suspicious counting less."""
    fraud = prepared.options.fraud.model_copy(update={"soft_from": SUSPICIOUS_FROM})
    told = prepared.options.model_copy(update={"fraud": fraud})
    return _weighed_anew(replace(prepared, options=told))


def _weighed_anew(prepared: PreparedShop, *, flagged_too: bool = False) -> PreparedShop:
    soft_from = prepared.options.fraud.soft_from
    trust = trust_in(prepared.requests, soft_from, flagged_too=flagged_too)
    impressions, positives = with_weights(
        prepared.impressions,
        prepared.positives,
        prepared.requests,
        prepared.options.weights,
        trust,
    )
    return replace(prepared, impressions=impressions, positives=positives)


def _nobody_suspicious(prepared: PreparedShop) -> str:
    soft = prepared.options.fraud.soft_from
    if soft is not None and soft <= SUSPICIOUS_FROM:
        return "the full model is so already"
    believed = prepared.requests.filter(pl.col("fraud").is_null())
    if (believed["suspicion"] >= SUSPICIOUS_FROM).any():
        return ""
    return "nobody who is not flagged is suspicious"


def _nobody_flagged(prepared: PreparedShop) -> str:
    tables = (prepared.impressions, prepared.positives)
    flagged = any((table["weight"] == 0).any() for table in tables)
    return "" if flagged else "no row is suspected to be a machine's"


def _no_searches(prepared: PreparedShop) -> str:
    searched = (prepared.history.item_E < 0).any()
    return "" if searched else "no search stands in a history"


def _no_text(prepared: PreparedShop) -> str:
    # Of an item without words its id is written.
    told = (prepared.items["text"] != prepared.items["item_id"]).any()
    return "" if told else "no item has a text"


def _refuse_unreached(prepared: PreparedShop, setting: Setting) -> None:
    told = len(prepared.queries) > 0 or not _no_text(prepared)
    learns = told and not isinstance(setting.model.encoder.tuning, Frozen)
    passed = passed_in_shop(setting.model, learns=learns)
    refuse_unreached(setting.train.adversary, passed)


def _no_weights(prepared: PreparedShop) -> str:
    weighed = prepared.options.weights != WeightOptions(sides=())
    return "" if weighed and prepared.options.weights.sides else "rows are not weighed"


VARIANTS = (
    Variant("without text", "text", ("model.text=false",), lacks=_no_text),
    Variant("without fine-tuning", "text", ("model.encoder.tuning.mode=frozen",), lacks=_no_text),
    Variant("without ids", "ids", ("model.id_embedding=false",)),
    Variant("without neighbours", "neighbours", ("model.neighbours=0",)),
    Variant("without history", "history", ("model.history.kind=none",)),
    Variant(
        "without past searches", "history", ("model.history.searches=false",), lacks=_no_searches
    ),
    Variant("with the history's mean", "history", ("model.history.kind=mean_pool",)),
    Variant("with target attention", "history", ("model.history.kind=target_attention",)),
    Variant(
        "with the history as text", "history", ("model.history.kind=flat_text",), lacks=_no_text
    ),
    Variant("without clicks", "tasks", ("tasks.click=false",), task="click"),
    Variant("without conversion", "tasks", ("tasks.conversion=false",), task="conversion"),
    Variant("without matches", "tasks", ("tasks.match=false",), task="match"),
    Variant("without interest", "tasks", ("tasks.interest=false",), task="interest"),
    Variant("without intent", "tasks", ("tasks.intent=false",), task="intent"),
    Variant("without attributes", "tasks", ("tasks.attributes=false",), task="attributes"),
    Variant("without relevance", "tasks", ("tasks.relevance=false",), task="relevance"),
    Variant("with learned task weights", "tasks", ("tasks.weights.kind=uncertainty",)),
    Variant("without frequency weights", "weights", view=unweighted, lacks=_no_weights),
    Variant("with adaptation", "adaptation", ("adaptation.kind=on",), lacks=_no_text),
    Variant("without adaptation", "adaptation", ("adaptation.kind=off",)),
    Variant(
        "with conversion of the clicked alone",
        "losses",
        ("train.conversion=clicked_only",),
        task="conversion",
    ),
    Variant("with label smoothing", "defences", ("train.match_loss.label_smoothing=0.1",)),
    Variant("without label smoothing", "defences", ("train.match_loss.label_smoothing=0",)),
    Variant("with sampled softmax", "losses", ("train.match_loss.kind=sampled_softmax",)),
    Variant("with gbce", "losses", ("train.match_loss.kind=gbce",)),
    Variant("with a noise-aware loss", "defences", ("train.doubt=0.3",)),
    Variant("without a noise-aware loss", "defences", ("train.doubt=0",)),
    Variant("with typos", "defences", ("train.typos=0.2",), lacks=_no_text),
    Variant("without typos", "defences", ("train.typos=0",)),
    Variant("without the fraud filter", "defences", view=unfiltered, lacks=_nobody_flagged),
    Variant(
        "with less weight for suspicious rows",
        "defences",
        view=softened,
        lacks=_nobody_suspicious,
    ),
    Variant("without an adversary", "adversaries", ("train.adversary.kind=none",)),
    Variant(
        "against fgm on words",
        "adversaries",
        ("train.adversary.kind=fgm", 'train.adversary.places=["words"]'),
        lacks=_no_text,
    ),
    Variant(
        "against fgm everywhere",
        "adversaries",
        (
            "train.adversary.kind=fgm",
            'train.adversary.places=["words", "items", "history"]',
            "train.adversary.radius=0.6",
        ),
        lacks=_no_text,
    ),
    Variant(
        "against fgm on items",
        "adversaries",
        ("train.adversary.kind=fgm", 'train.adversary.places=["items"]'),
    ),
    Variant(
        "against pgd on items",
        "adversaries",
        ("train.adversary.kind=pgd", 'train.adversary.places=["items"]'),
    ),
    Variant(
        "against freelb on items",
        "adversaries",
        ("train.adversary.kind=free_lb", 'train.adversary.places=["items"]'),
    ),
    Variant("against awp", "adversaries", ("train.adversary.kind=awp",)),
    Variant("with r-drop", "adversaries", ("train.adversary.kind=r_drop",)),
    Variant("with mmoe", "experts", ("model.heads.experts.kind=mmoe",), task="click"),
    Variant("with ple", "experts", ("model.heads.experts.kind=ple",), task="click"),
)
