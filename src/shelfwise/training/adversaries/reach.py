"""Which places a training passes: an adversary that would move nothing is refused."""

from __future__ import annotations

from shelfwise.models.config import FlatTextHistory, ModelOptions, NoHistory
from shelfwise.models.places import PlaceName
from shelfwise.schema.errors import ConfigError
from shelfwise.training.adversaries.options import AdversaryOptions, Fgm, FreeLb, Pgd

_WHY: dict[PlaceName, str] = {
    "words": "the encoder learns of no texts (model.encoder.tuning)",
    "items": "texts with classes are no items",
    "ids": "no ids are learned (of a log: model.id_embedding)",
    "history": "no events are read one by one (of a log: model.history.kind)",
}
# Both read their texts anew in every step, whether the encoder learns or not.
PASSED_IN_TEXTS: frozenset[PlaceName] = frozenset({"words"})
PASSED_IN_JUDGEMENTS: frozenset[PlaceName] = frozenset({"words", "items"})


def passed_in_shop(options: ModelOptions, *, learns: bool) -> frozenset[PlaceName]:
    """By a network of a shop's log; ``learns``: whether its encoder does."""
    found: set[PlaceName] = {"items"}
    if options.id_embedding:
        found.add("ids")
    is_written = isinstance(options.history, FlatTextHistory)  # for the encoder, learn it or not
    if not is_written and not isinstance(options.history, NoHistory):
        found.add("history")
    if learns or is_written:
        found.add("words")
    return frozenset(found)


def refuse_unreached(options: AdversaryOptions, passed: frozenset[PlaceName]) -> None:
    """Raises ConfigError: nothing passes any of the places at which something is to be moved."""
    wrong = _unreached(options, passed)
    if not wrong or len(wrong) < len(_places(options)):
        return
    told = "; ".join(f"{name}: {_WHY[name]}" for name in wrong)
    left = ", ".join(sorted(passed))
    raise ConfigError(
        f"train.adversary.places: nothing of this training passes {told}. Places it has: {left}"
    )


def unmoved(options: AdversaryOptions, passed: frozenset[PlaceName]) -> list[str]:
    """What to say of places at which nothing is moved, beside others at which something is."""
    return [
        f"train.adversary.places: nothing is moved at {name}: {_WHY[name]}"
        for name in _unreached(options, passed)
    ]


def _unreached(options: AdversaryOptions, passed: frozenset[PlaceName]) -> list[PlaceName]:
    return [name for name in _places(options) if name not in passed]


def _places(options: AdversaryOptions) -> tuple[PlaceName, ...]:
    return options.places if isinstance(options, Fgm | Pgd | FreeLb) else ()
