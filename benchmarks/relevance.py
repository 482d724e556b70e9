"""How well products answer queries, judged by people: Home Depot, and QBQTC in Chinese."""

from __future__ import annotations

from benchmarks.console import Budget, Data, Keep, Seeds, Settings, Systems, Write, listed, tell
from shelfwise.cli.console import AsJson, Bars

PROTOCOL = (
    "Queries in order of sha256(query): the first 70 % train, the next 10 % validate, the last "
    "20 % test; no query is in two parts. QBQTC: five such folds by rotation over the queries of "
    "train_old, whose every query is tested once; dev, less the queries it shares, trains too. "
    "nDCG@10 with gain 2^grade - 1, ties by expectation; queries with one product or one grade are "
    "left out of it and counted. Pairwise accuracy: pairs of different grade within a query, each "
    "query counting the same. Spearman and RMSE over all rows; a score that is no grade is put "
    "through a straight line fitted on training rows (a peer's: on validation's) for RMSE. "
    "Validation chooses our steps by Spearman. Intervals over queries."
)


def relevance(  # noqa: PLR0913  # the options of a command
    data: Data,
    seeds: Seeds = 1,
    budget: Budget = 10.0,
    systems: Systems = None,
    settings: Settings = None,
    keep: Keep = None,
    write: Write = None,
    as_json: AsJson = False,
) -> None:
    """Order of judged products by query: nDCG@10 beside its random floor, pairs, Spearman, RMSE.

    --systems ablation,shelfwise/bi-encoder asks what parts and losses of the bi-encoder are worth.

    Example: python benchmarks/run.py relevance --data home_depot --seeds 3 --json
    """
    from benchmarks.asking import Asking
    from benchmarks.judged_contest import compare_judged

    asked = (seeds, budget, listed(systems), tuple(settings or ()))
    asking = Asking(data, *asked, keep=keep)
    tell(compare_judged(PROTOCOL, asking, Bars()), as_json, write)
