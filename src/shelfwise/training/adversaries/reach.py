"""Which places a training passes: an adversary that moves nothing is refused before it costs."""

from __future__ import annotations

from shelfwise.models.config import FlatTextHistory, ModelOptions, NoHistory
from shelfwise.models.places import PlaceName
from shelfwise.schema.errors import ConfigError
from shelfwise.training.adversaries.options import AdversaryOptions, Fgm, FreeLb, Pgd

_WHY: dict[PlaceName, str] = {
    "words": "the encoder learns of no texts (model.encoder.tuning)",
    "items": "a cross-encoder has no vectors of items (model.relevance.kind), nor have classes",
    "ids": "no ids are learned (model.id_embedding)",
    "history": "no events are read one by one (model.history.kind)",
}


def passed_in_shop(options: ModelOptions, *, learns: bool) -> frozenset[PlaceName]:
    """By a network of a shop's log; ``learns``: whether its encoder does."""
    found: set[PlaceName] = {"items"}
    if options.id_embedding:
        found.add("ids")
    is_written = isinstance(options.history, FlatTextHistory)  # for the encoder, learn it or not
    if not is_written and not isinstance(options.history, NoHistory):
        found.add("history")
    return frozenset(found) | _words(learns or is_written)


def passed_in_judgements(options: ModelOptions, *, learns: bool) -> frozenset[PlaceName]:
    """By a network of judged pairs."""
    vectors: set[PlaceName] = {"items"} if options.relevance.kind == "bi_encoder" else set()
    return frozenset(vectors) | _words(learns)


def passed_in_texts(*, learns: bool) -> frozenset[PlaceName]:
    """By a classifier of texts."""
    return _words(learns)


def refuse_unreached(options: AdversaryOptions, passed: frozenset[PlaceName]) -> None:
    """Raises ConfigError: the adversary is to move something at a place that nothing passes."""
    if not isinstance(options, Fgm | Pgd | FreeLb):
        return
    wrong = [name for name in options.places if name not in passed]
    if not wrong:
        return
    told = "; ".join(f"{name}: {_WHY[name]}" for name in wrong)
    left = ", ".join(sorted(passed)) or "none"
    raise ConfigError(
        f"train.adversary.places: nothing of this training passes {told}. Places it has: {left}"
    )


def _words(learns: bool) -> frozenset[PlaceName]:
    return frozenset({"words"}) if learns else frozenset()
