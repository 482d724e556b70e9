"""What a network says of logged requests beside what came of them: the same for any part.

A check compares a sample of what was trained on with as much of validation; the diagnosis of a
run looks closer.

Shape suffixes in this file: R = requests, N = impressions, V = items, M = matches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.batches import Batch, Examples, gather
from shelfwise.data.prepared import PreparedShop
from shelfwise.metrics.auc import auc
from shelfwise.metrics.log_loss import log_loss
from shelfwise.metrics.ndcg import ndcg_at_k
from shelfwise.metrics.ranks import ranks_of_relevant
from shelfwise.metrics.value import mean_value
from shelfwise.models.inference import match_scores, pair_probabilities
from shelfwise.models.inputs import as_requests
from shelfwise.schema.progress import Step
from shelfwise.training.match_task import final_kinds
from shelfwise.training.network import Network

_ROWS = 128  # requests at a time; each is scored against the whole catalogue
_K = 10


@dataclass(frozen=True, slots=True)
class Answers:
    """Probabilities and rankings of some requests, in their order."""

    ndcg_R: NDArray[np.float64]  # of what was taken, among all items; nan where nothing was
    request_N: NDArray[np.int64]  # row of the examples
    item_N: NDArray[np.int64]
    position_N: NDArray[np.int64]
    click_N: NDArray[np.float32]
    convert_N: NDArray[np.float32]
    clicked_N: NDArray[np.bool_]
    purchased_N: NDArray[np.bool_]
    known_N: NDArray[np.bool_]

    def figures(self) -> dict[str, float]:
        """NDCG@10 of matches, then what was shown: click AUC and log loss, conversion AUC."""
        found = {"request_ndcg@10": mean_value(self.ndcg_R).value}
        if len(self.click_N) == 0:
            return found
        judged_N = self.clicked_N & self.known_N
        return found | {
            "click_auc": auc(self.click_N, self.clicked_N).value,
            "click_log_loss": log_loss(self.click_N, self.clicked_N).value,
            "convert_auc": auc(self.convert_N[judged_N], self.purchased_N[judged_N]).value,
        }


def evenly_spread(total: int, most: int) -> NDArray[np.int64]:
    """At most ``most`` of the numbers below ``total``, the same ones whenever it is asked."""
    return np.unique(np.linspace(0, total - 1, min(total, most)).astype(np.int64))


def answers_of(
    network: Network,
    prepared: PreparedShop,
    examples: Examples,
    rows: NDArray[np.int64],
    step: Step | None = None,
) -> Answers:
    """What the network says of the requests ``rows`` of ``examples``.

    Each is told how items were doing on its own morning, as in training.
    """
    found: list[Answers] = [_nothing()]
    for start in range(0, len(rows), _ROWS):
        some = rows[start : start + _ROWS]
        found.append(_of_batch(network, prepared, gather(prepared, examples, some), some))
        if step is not None:
            step.advance(len(some))
    return Answers(
        *(
            np.concatenate([getattr(one, name) for one in found])
            for name in Answers.__dataclass_fields__
        )
    )


def _of_batch(
    network: Network, prepared: PreparedShop, batch: Batch, rows: NDArray[np.int64]
) -> Answers:
    now = network.moments(batch.at_R)
    asked = as_requests(
        *(batch.history, batch.query_R, batch.surface_R, network.bank.device),
        now.moment_R,
        batch.fold_R,
    )
    network.model.eval()
    catalogue = network.catalogue(asked.query_texts, now.trend_KVG)
    nothing = np.empty(0, np.float32)
    click_N, convert_N = nothing, nothing
    if len(batch.shown_item_N):
        click_N, convert_N = pair_probabilities(
            network.model,
            asked.requests,
            catalogue,
            (batch.shown_request_N, batch.shown_item_N),
            batch.position_N,
        )
    ndcg_R = np.full(len(rows), np.nan)
    if len(batch.match_item_M):
        scores = match_scores(network.model, asked.requests, catalogue)
        ndcg_R = _ndcg(batch, scores, final_kinds(prepared))
    return Answers(
        ndcg_R=ndcg_R,
        request_N=rows[batch.shown_request_N],
        item_N=batch.shown_item_N,
        position_N=batch.position_N,
        click_N=click_N,
        convert_N=convert_N,
        clicked_N=batch.clicked_N > 0,
        purchased_N=batch.purchased_N > 0,
        known_N=batch.known_N > 0,
    )


def _ndcg(
    batch: Batch, score_RV: NDArray[np.float32], final: tuple[int, ...]
) -> NDArray[np.float64]:
    request_M, item_M = batch.match_request_M, batch.match_item_M
    request_X = item_X = None
    if final:
        past = batch.history
        told = (past.item_RL, past.kind_RL) if past.met is None else past.met[:2]
        request_X, place_X = np.nonzero((told[0] >= 0) & np.isin(told[1], final))
        item_X = told[0][request_X, place_X].astype(np.int64)
        width = score_RV.shape[1]
        fresh_M = ~np.isin(request_M * width + item_M, request_X * width + item_X)
        request_M, item_M = request_M[fresh_M], item_M[fresh_M]
    ranks = ranks_of_relevant(score_RV, request_M, item_M, request_X, item_X)
    return ndcg_at_k(ranks, request_M, np.bincount(request_M, minlength=len(score_RV)), _K)


def _nothing() -> Answers:
    whole, real = np.empty(0, np.int64), np.empty(0, np.float32)
    flag = np.empty(0, np.bool_)
    return Answers(np.empty(0, np.float64), whole, whole, whole, real, real, flag, flag, flag)
