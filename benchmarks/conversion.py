"""Which carts of Beibei are bought: ids only."""

from __future__ import annotations

from benchmarks.console import Budget, Data, Keep, Seeds, Settings, Systems, Write, listed, tell
from shelfwise.cli.console import AsJson, Bars

PROTOCOL = (
    "Per user, cart pairs in order of sha256(user|item): the first 70 % train, the next 10 % "
    "validate, the last 20 % test; history: the user's training pairs; label: bought; validation "
    "chooses, nobody learns from it. The entire space is the carts and four items each that the "
    "user never took, drawn uniformly with a fixed seed. Purchases outside carts are counted and "
    "left out. Intervals over users."
)


def conversion(  # noqa: PLR0913  # the options of a command
    data: Data,
    seeds: Seeds = 1,
    budget: Budget = 10.0,
    systems: Systems = None,
    settings: Settings = None,
    keep: Keep = None,
    write: Write = None,
    as_json: AsJson = False,
) -> None:
    """AUC and GAUC of carts that were bought, on ids alone, beside the item's own rate.

    Example: python benchmarks/run.py conversion --data beibei --seeds 3 --json
    """
    from benchmarks.asking import Asking
    from benchmarks.cart_contest import compare_carts

    asked = (seeds, budget, listed(systems), tuple(settings or ()))
    asking = Asking(data, *asked, keep=keep)
    tell(compare_carts(PROTOCOL, asking, Bars()), as_json, write)
