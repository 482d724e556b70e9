"""The next click of anonymous sessions of a clothes shop, against popularity and Markov."""

from __future__ import annotations

from benchmarks.console import Budget, Data, Keep, Seeds, Settings, Systems, Write, listed, tell
from shelfwise.cli.console import AsJson, Bars

PROTOCOL = (
    "Training before 2008-07-01, validation to 07-14, test sessions from 07-15; validation "
    "chooses, the chosen setting learns again from both, the test reports. Every click but a "
    "session's first is a target; all items are ranked, those already seen too. Intervals over "
    "sessions."
)


def eshop(  # noqa: PLR0913  # the options of a command
    data: Data,
    seeds: Seeds = 1,
    budget: Budget = 10.0,
    systems: Systems = None,
    settings: Settings = None,
    keep: Keep = None,
    write: Write = None,
    as_json: AsJson = False,
) -> None:
    """NDCG@10 of the next click on E-shop clothing: ours, every baseline, every peer.

    Example: python benchmarks/run.py eshop --data eshop_clothing --seeds 3 --json
    """
    from benchmarks.asking import Asking
    from benchmarks.catalogue import Protocol, compare

    asked = (seeds, budget, listed(systems), tuple(settings or ()))
    asking = Asking(data, *asked, keep=keep)
    protocol = Protocol("eshop", "eshop-clothing", PROTOCOL)
    tell(compare(protocol, asking, Bars()), as_json, write)
