"""The next item of Amazon Beauty's sequences: leave-last-out, comparable with papers."""

from __future__ import annotations

from benchmarks.console import Budget, Data, Keep, Seeds, Settings, Systems, Write, listed, tell
from shelfwise.cli.console import AsJson, Bars
from shelfwise.evaluation.report import OURS

PROTOCOL = (
    "Leave-last-out, for comparison with papers: each user's last item is the test, the last but "
    "one validation, the rest training; the test's history is everything but the last item; "
    "validation chooses, the chosen setting learns again from both. All items are ranked. View "
    "`main` (seen removed): the user's earlier items leave the ranking; `seen kept`: they stay in "
    "it; `cold`: items that nobody had before (recall@100 over items); `taken 5 times at most`: as "
    "`main`, of users whose next item few had before. Later behaviour of other users is learned "
    "from, as papers do: a shop cannot."
)
VARIANTS = {
    f"{OURS}/ids": ("model.text=false",),
    f"{OURS}/text": ("model.id_embedding=false", "model.neighbours=0"),
    f"{OURS}/without-neighbours": ("model.neighbours=0",),
    f"{OURS}/history-as-text": ("model.history.kind=flat_text",),
}
VIEWS = {"new": "main", "all": "seen kept"}


def next_item(  # noqa: PLR0913  # the options of a command
    data: Data,
    seeds: Seeds = 1,
    budget: Budget = 10.0,
    systems: Systems = None,
    settings: Settings = None,
    keep: Keep = None,
    write: Write = None,
    as_json: AsJson = False,
) -> None:
    """NDCG@10 and HR@10 of the next item on Amazon Beauty: ours, every baseline, every peer.

    Example: python benchmarks/run.py next_item --data beauty --seeds 3 --json
    """
    from benchmarks.asking import Asking
    from benchmarks.catalogue import Protocol, compare

    asked = (seeds, budget, listed(systems), tuple(settings or ()))
    asking = Asking(data, *asked, keep=keep)
    compared = ("ndcg@10", "hr@10", "recall@100")
    protocol = Protocol(
        "next_item", "amazon-beauty", PROTOCOL, VIEWS, compared, variants=VARIANTS, rare=5
    )
    tell(compare(protocol, asking, Bars()), as_json, write)
