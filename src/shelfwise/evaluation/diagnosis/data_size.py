"""Is there enough to learn from, and enough to tell by?"""

from __future__ import annotations

import numpy as np

from shelfwise.evaluation.diagnosis.case import Case
from shelfwise.evaluation.diagnosis.finding import Evidence, Finding
from shelfwise.evaluation.slices.influence import auc_estimate, interval_of, mean_estimate
from shelfwise.metrics.bootstrap import Interval

_FEW = 2_000  # clicks (or matches) of training: fewer teach a network of this size little
_WIDE = 0.05  # half-width of the interval of the AUC (or NDCG)


def data_size_findings(case: Case) -> list[Finding]:
    """Positives of each part, and how precisely the held-out part tells clicks, or matches."""
    evidence: list[Evidence] = []
    thin: list[str] = []
    for part, heard in case.heard.items():
        matches = len(heard.examples.match_item_M)
        evidence.append(Evidence(f"matches, {part}", matches))
        if case.has_impressions:
            evidence.append(Evidence(f"clicks, {part}", int(heard.examples.clicked_N.sum())))
            evidence.append(Evidence(f"purchases, {part}", int(heard.examples.purchased_N.sum())))
    learned = case.heard["train"].examples
    if case.has_impressions:
        found, name = _auc(case), "click AUC"
        count, what = int(learned.clicked_N.sum()), "clicks"
    else:
        found, name = _ndcg(case), "match NDCG@10"
        count, what = len(learned.match_item_M), "matches"
    if count < _FEW:
        thin.append(f"training holds {count:,} {what}")
    evidence.append(Evidence.of_interval(f"{name}, {case.judged}", found))
    if not found.high - found.low < 2 * _WIDE:
        width = (found.high - found.low) / 2
        told = "cannot be told" if np.isnan(width) else f"is told to +-{width:.3f} only"
        thin.append(f"the {name} of {case.judged} {told}")
    if thin:
        return [
            Finding(
                "little data",
                "note",
                f"There is little data: {'; '.join(thin)}. Differences smaller than the intervals "
                "mean nothing.",
                evidence,
                "Bring a longer log, or more of its shoppers; a learning curve says what twice the "
                "data would bring.",
            )
        ]
    return [Finding("amount of data", "fine", "Enough rows stand behind the figures.", evidence)]


def _auc(case: Case) -> Interval:
    heard = case.held_out
    return interval_of(auc_estimate(heard.answers.click_N, heard.answers.clicked_N), heard.owner_N)


def _ndcg(case: Case) -> Interval:
    heard = case.held_out
    kept_R = ~np.isnan(heard.answers.ndcg_R)
    return interval_of(mean_estimate(heard.answers.ndcg_R[kept_R]), heard.owner_R[kept_R])
