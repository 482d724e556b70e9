"""What customers of Online Retail buy next: the whole catalogue ranked, split by time."""

from __future__ import annotations

from benchmarks.console import Budget, Data, Keep, Seeds, Settings, Systems, Write, listed, tell
from shelfwise.cli.console import AsJson, Bars
from shelfwise.evaluation.report import OURS

PROTOCOL = (
    "Lines with a customer, Quantity > 0, UnitPrice > 0, no cancellation, an item code of five "
    "digits and an optional suffix. Training before 2011-10-01, validation October 2011, test from "
    "2011-11-01; validation chooses, the chosen setting is refitted on both, the test reports. "
    "Customers who bought before and in the test are asked for once, at its start; relevant are "
    "the distinct items bought in it; all items are ranked. Views: `new` (headline: items already "
    "bought leave ranking and relevant set), `all` (repeats count), `cold` (items never sold "
    "before the test: recall@100, interval over items)."
)
VARIANTS = {
    f"{OURS}/without-neighbours": ("model.neighbours=0",),
    f"{OURS}/history-as-text": ("model.history.kind=flat_text",),
}


def retail(  # noqa: PLR0913  # the options of a command
    data: Data,
    seeds: Seeds = 1,
    budget: Budget = 10.0,
    systems: Systems = None,
    settings: Settings = None,
    keep: Keep = None,
    write: Write = None,
    as_json: AsJson = False,
) -> None:
    """NDCG@10 over the catalogue on Online Retail: ours, every baseline, every peer.

    Example: python benchmarks/run.py retail --data online_retail --seeds 3 --json
    """
    from benchmarks.asking import Asking
    from benchmarks.catalogue import Protocol, compare

    asked = (seeds, budget, listed(systems), tuple(settings or ()))
    asking = Asking(data, *asked, keep=keep)
    protocol = Protocol("retail", "online-retail", PROTOCOL, variants=VARIANTS)
    tell(compare(protocol, asking, Bars()), as_json, write)
