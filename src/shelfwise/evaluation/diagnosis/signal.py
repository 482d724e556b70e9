"""Do the click labels have anything to do with what was shown?

In a real log even the place in the list tells clicks from non-clicks. Where neither place nor item
rates nor the network do better than a coin on later rows, the labels say nothing: shuffled, joined
to the wrong rows, or noise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.evaluation.diagnosis.case import Case, Heard
from shelfwise.evaluation.diagnosis.finding import Evidence, Finding
from shelfwise.evaluation.slices.influence import (
    auc_estimate,
    interval_of,
    weighted_mean_estimate,
)
from shelfwise.metrics.bootstrap import Interval
from shelfwise.metrics.grouped_auc import auc_by_group

_CHANCE = 0.55  # an AUC that a real log's simplest predictor exceeds
_WIDEST = 0.12  # half-width of an interval that could still tell


class _Predictor(NamedTuple):
    name: str
    score_N: NDArray[np.floating]


def signal_findings(case: Case) -> list[Finding]:
    """Whether anything at all tells clicks apart, within requests and between them."""
    if not case.has_impressions:
        return []
    heard = case.held_out
    within = [(one.name, _grouped(heard, one.score_N)) for one in _predictors(heard)]
    between = [
        (one.name, interval_of(auc_estimate(one.score_N, heard.answers.clicked_N), heard.owner_N))
        for one in _predictors(heard)
    ]
    evidence = [
        *(Evidence.of_interval(f"GAUC of {name}", found) for name, found in within),
        *(Evidence.of_interval(f"AUC of {name}", found) for name, found in between),
    ]
    best = max((found for _, found in within), key=lambda found: found.low, default=None)
    if best is None or np.isnan(best.low):
        return []
    told = [found for _, found in within]
    width = max((found.high - found.low) / 2 for found in told)
    if width > _WIDEST:
        return []  # too few clicks to tell; said by another question
    if all(found.value < _CHANCE and found.low < 0.5 + _CHANCE - 0.53 for found in told):
        return [
            Finding(
                "labels carry no signal",
                "illness",
                f"Nothing tells clicks from non-clicks on {case.judged}: within a request, the "
                f"network ({told[0].value:.3f}), the rates of items and places "
                f"({told[1].value:.3f}) and the place alone ({told[2].value:.3f}) are all at "
                "chance (.5).",
                evidence,
                "Look at how clicks are joined to impressions (request_id, item_id, clock): in a "
                "sound log the first places are clicked more often. Train again once they are.",
            )
        ]
    strongest = max(within, key=lambda one: one[1].value)
    return [
        Finding(
            "signal",
            "fine",
            f"The labels carry signal: by {strongest[0]} alone, clicks are told from non-clicks of "
            f"the same request with GAUC {strongest[1].value:.3f}.",
            evidence,
        )
    ]


def _predictors(heard: Heard) -> list[_Predictor]:
    place_N = heard.answers.position_N
    return [
        _Predictor("the network", heard.answers.click_N),
        _Predictor("item and place rates", heard.simple_click_N),
        _Predictor("the place", -np.where(place_N > 0, place_N, place_N.max(initial=0) + 1)),
    ]


def _grouped(heard: Heard, score_N: NDArray[np.floating]) -> Interval:
    groups = auc_by_group(
        score_N.astype(np.float64), heard.answers.clicked_N, heard.answers.request_N
    )
    kept_G = ~np.isnan(groups.value_G)
    estimate = weighted_mean_estimate(
        groups.value_G[kept_G], groups.rows_G[kept_G].astype(np.float64)
    )
    return interval_of(estimate, heard.examples.owner_R[groups.group_G[kept_G]])
