"""Our network in several makings, from two that share nothing to one that learns all at once."""

from __future__ import annotations

from typing import NamedTuple

from shelfwise.evaluation.report import OURS

_CLICKED = "train.conversion=clicked_only"
_ENTIRE = "train.conversion=entire_space"


class Variant(NamedTuple):
    """Settings of the network that forecasts carts, and of the one that forecasts purchases."""

    name: str
    words: str
    cart: tuple[str, ...]
    convert: tuple[str, ...] | None = None  # None: the same one


# Match is a task over the catalogue that no figure here asks for.
_NO_MATCH = "tasks.match=false"
VARIANTS = (
    Variant(
        f"{OURS}/single-task",
        "a network for carts, and one to which purchases among carts matter a thousand times more",
        (_NO_MATCH, "tasks.conversion=false"),
        # A run that forecasts purchases forecasts clicks as well: here they hardly count.
        (_NO_MATCH, _CLICKED, "train.purchase_weight=1000"),
    ),
    Variant(
        f"{OURS}/shared-bottom",
        "one network, purchases learned from carts alone",
        (_NO_MATCH, _CLICKED),
    ),
    Variant(
        f"{OURS}/mmoe",
        "the same with experts under a gate for each task",
        (_NO_MATCH, _CLICKED, "model.heads.experts.kind=mmoe"),
    ),
    Variant(
        f"{OURS}/ple",
        "the same with experts of each task's own beside shared ones",
        (_NO_MATCH, _CLICKED, "model.heads.experts.kind=ple"),
    ),
    Variant(
        f"{OURS}/esmm",
        "a shared bottom, purchases learned over the entire space",
        (_NO_MATCH, _ENTIRE),
    ),
)
