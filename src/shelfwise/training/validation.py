"""How good a state of the network is on the validation part: one number, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.batches import Examples, gather
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets, past_of
from shelfwise.metrics.auc import auc
from shelfwise.metrics.ndcg import ndcg_at_k
from shelfwise.metrics.ranks import ranks_of_relevant
from shelfwise.metrics.value import mean_value
from shelfwise.models.inference import match_scores, pair_probabilities
from shelfwise.models.inputs import as_requests
from shelfwise.models.requests import SURFACES
from shelfwise.schema.event import Surface
from shelfwise.training.answers import answers_of, evenly_spread
from shelfwise.training.network import Network

_MOST_TARGETS = 3_000  # requests over the whole catalogue that a check looks at
_MOST_REQUESTS = 4_000  # logged requests that a check looks at
_MOST_COMPARED = 512  # requests of either side of `compared`
_ROWS = 256


@dataclass(frozen=True, slots=True)
class Check:
    """One look at validation."""

    step: int
    score: float  # mean of the figures below that exist; what training stops by
    figures: dict[str, float]  # name -> value; nan where the log cannot say
    # The same figures of a sample of the requests trained on and of as many of validation: how
    # much is known by heart. Nothing is chosen by them.
    learned: dict[str, float] = field(default_factory=dict)
    held_out: dict[str, float] = field(default_factory=dict)


def check(
    network: Network,
    prepared: PreparedShop,
    targets: MatchTargets,
    examples: Examples,
    step: int,
) -> Check:
    """NDCG@10 over the catalogue, AUC of clicks, AUC of purchases among the clicked."""
    figures = {"ndcg@10": match_ndcg(network, prepared, targets)}
    if prepared.has_impressions:
        figures |= _aucs(network, prepared, examples)
    known = [value for value in figures.values() if not np.isnan(value)]
    return Check(step, float(np.mean(known)) if known else float("nan"), figures)


def compared(
    checked: Check,
    network: Network,
    prepared: PreparedShop,
    learned: Examples,
    held_out: Examples,
) -> Check:
    """``checked``, with what the network says of requests it has learned and of others."""
    found = [
        answers_of(network, prepared, some, evenly_spread(len(some), _MOST_COMPARED)).figures()
        for some in (learned, held_out)
    ]
    return replace(checked, learned=found[0], held_out=found[1])


def match_ndcg(network: Network, prepared: PreparedShop, targets: MatchTargets) -> float:
    """NDCG@10 over the whole catalogue, of a sample of the targets that is always the same."""
    if len(targets) == 0:
        return float("nan")
    only_new = prepared.options.match.seen == "remove"
    values = [
        ndcg_of_targets(some, scores, only_new)
        for some, scores in scored_blocks(network, prepared, targets)
    ]
    return mean_value(np.concatenate(values)).value


def scored_blocks(
    network: Network, prepared: PreparedShop, targets: MatchTargets, most: int = _MOST_TARGETS
) -> Iterator[tuple[MatchTargets, NDArray[np.float32]]]:
    """A sample of the targets, evenly spread over owners and always the same, with its scores."""
    chosen = np.unique(np.linspace(0, len(targets) - 1, most).astype(np.int64))
    for start in range(0, len(chosen), _ROWS):
        some = targets.chosen(chosen[start : start + _ROWS])
        yield some, target_scores(network, prepared, some)


def target_scores(
    network: Network, prepared: PreparedShop, targets: MatchTargets
) -> NDArray[np.float32]:
    """``[T, V]`` match score of every item, asked on a recommendation shelf."""
    history = past_of(prepared, targets, np.arange(len(targets)))
    surface_R = np.full(len(targets), SURFACES.index(Surface.RECOMMENDATION), np.int64)
    now = network.moments(targets.at_T)
    asked = as_requests(history, targets.query_T, surface_R, network.bank.device, now.moment_R)
    network.model.eval()
    catalogue = network.catalogue(asked.query_texts, now.trend_KVG)
    return match_scores(network.model, asked.requests, catalogue)


def ndcg_of_targets(
    targets: MatchTargets, scores: NDArray[np.float32], only_new: bool
) -> NDArray[np.float64]:
    """NDCG@10 of each target under the shop's rule for items already taken."""
    right_row, item = targets.right_target_P, targets.right_item_P
    excluded_row = excluded_item = None
    if only_new:
        excluded_row, excluded_item = targets.seen_target_S, targets.seen_item_S
        width = scores.shape[1]
        new = ~np.isin(right_row * width + item, excluded_row * width + excluded_item)
        right_row, item = right_row[new], item[new]
    ranks = ranks_of_relevant(scores, right_row, item, excluded_row, excluded_item)
    return ndcg_at_k(ranks, right_row, np.bincount(right_row, minlength=len(targets)), 10)


def _aucs(network: Network, prepared: PreparedShop, examples: Examples) -> dict[str, float]:
    click, convert, clicked, purchased, known = [], [], [], [], []
    if len(examples) == 0:
        return {"click_auc": float("nan"), "convert_auc": float("nan")}
    # Evenly spread over validation's time, the same ones at every check.
    chosen = evenly_spread(len(examples), _MOST_REQUESTS)
    for start in range(0, len(chosen), _ROWS):
        batch = gather(prepared, examples, chosen[start : start + _ROWS])
        now = network.moments(batch.at_R)
        asked = as_requests(
            batch.history, batch.query_R, batch.surface_R, network.bank.device, now.moment_R
        )
        network.model.eval()
        answer = pair_probabilities(
            network.model,
            asked.requests,
            network.catalogue(asked.query_texts, now.trend_KVG),
            (batch.shown_request_N, batch.shown_item_N),
            batch.position_N,
        )
        click.append(answer.click_N)
        convert.append(answer.convert_N)
        clicked.append(batch.clicked_N > 0)
        purchased.append(batch.purchased_N > 0)
        known.append(batch.known_N > 0)
    clicked_N = np.concatenate(clicked)
    judged = clicked_N & np.concatenate(known)
    return {
        "click_auc": auc(np.concatenate(click), clicked_N).value,
        "convert_auc": auc(
            np.concatenate(convert)[judged], np.concatenate(purchased)[judged]
        ).value,
    }
