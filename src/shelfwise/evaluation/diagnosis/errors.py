"""The requests that a run was most wrong about, with their texts: chosen by loss alone.

Shape suffixes in this file: N = impressions, R = requests, V = items, L = events of a history.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.batches import gather
from shelfwise.evaluation.diagnosis.case import Case
from shelfwise.evaluation.examples import title_of
from shelfwise.models.inference import match_scores
from shelfwise.models.inputs import as_requests
from shelfwise.models.requests import SURFACES

_MOST = 6
_PAST = 6
_SHOWN = 8
_FIRST = 3
_SHORT = 1e-7


@dataclass(frozen=True, slots=True)
class ShownThere:
    """One item of the list that the shopper saw."""

    title: str
    place: int  # 0: unknown
    p_click: float
    clicked: bool


@dataclass(frozen=True, slots=True)
class Missed:
    """One item that was taken, and where the catalogue's ranking had it."""

    title: str
    rank: int


@dataclass(frozen=True, slots=True)
class ErrorExample:
    """One request that went wrong."""

    request_id: str
    surface: str
    query: str
    history: list[str]  # newest first
    shown: list[ShownThere]  # by what the run says, the likeliest first
    more: int  # further items of the list
    missed: list[Missed]
    first: list[str]  # what the run would have shown first of the whole catalogue
    loss: float  # nats: how surprising the most surprising row was


def worst_errors(case: Case, most: int = _MOST) -> list[ErrorExample]:
    """Held-out requests with the most surprising row; without impressions, of the lowest NDCG."""
    heard = case.held_out
    loss_R = np.zeros(len(heard.examples))
    if case.has_impressions:
        answers = heard.answers
        p_N = answers.click_N.astype(np.float64).clip(_SHORT, 1 - _SHORT)
        loss_N = -np.log(np.where(answers.clicked_N, p_N, 1 - p_N))
        # The largest surprise of a request, not their sum: else lists with many clicks, rightly
        # foreseen, would stand first.
        np.maximum.at(loss_R, answers.request_N, loss_N)
    else:
        loss_R[heard.rows] = -np.log(np.nan_to_num(heard.answers.ndcg_R, nan=1.0) + 0.01)
    order = heard.rows[np.argsort(-loss_R[heard.rows], kind="stable")]
    chosen, owners = [], set()
    for row in order.tolist():
        # One of a shopper: the same surprise again teaches nothing.
        if (owner := int(heard.examples.owner_R[row])) not in owners:
            owners.add(owner)
            chosen.append(row)
        if len(chosen) == most:
            break
    return [_example(case, row, float(loss_R[row])) for row in chosen]


def _example(case: Case, row: int, loss: float) -> ErrorExample:
    prepared, heard = case.prepared, case.held_out
    batch = gather(prepared, heard.examples, np.array([row]))
    query = int(batch.query_R[0])
    rank_M, best = _ranking(case, row)
    inside_N = np.flatnonzero(heard.answers.request_N == row)
    by_click = inside_N[np.argsort(-heard.answers.click_N[inside_N], kind="stable")]
    # What was clicked is always told, however far down the run had it.
    told = [
        n for at, n in enumerate(by_click.tolist()) if at < _SHOWN or heard.answers.clicked_N[n]
    ]
    return ErrorExample(
        request_id=str(prepared.requests["request_id"][int(heard.examples.request_R[row])]),
        surface=str(SURFACES[int(batch.surface_R[0])]),
        query=prepared.queries["text"][query] if query >= 0 else "",
        history=_history(case, batch.history.item_RL[0], batch.history.query_RL[0]),
        shown=[
            ShownThere(
                title_of(prepared, int(heard.answers.item_N[n])),
                int(heard.answers.position_N[n]),
                float(heard.answers.click_N[n]),
                bool(heard.answers.clicked_N[n]),
            )
            for n in told
        ],
        more=len(inside_N) - len(told),
        missed=[
            Missed(title_of(prepared, int(item)), int(rank))
            for item, rank in zip(batch.match_item_M, rank_M, strict=True)
        ],
        first=[title_of(prepared, int(item)) for item in best],
        loss=loss,
    )


def _history(case: Case, item_L: NDArray[np.int32], query_L: NDArray[np.int32]) -> list[str]:
    words: dict[str, None] = {}
    for item, query in zip(item_L[::-1].tolist(), query_L[::-1].tolist(), strict=True):
        if item >= 0:
            words.setdefault(title_of(case.prepared, item))
        elif query >= 0:
            words.setdefault(f"“{case.prepared.queries['text'][query]}”")
        if len(words) == _PAST:
            break
    return list(words)


def _ranking(case: Case, row: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ranks of what was taken at the request, from 1, and the first items of the catalogue."""
    network = case.network
    batch = gather(case.prepared, case.held_out.examples, np.array([row]))
    now = network.moments(batch.at_R)
    asked = as_requests(
        batch.history, batch.query_R, batch.surface_R, network.bank.device, now.moment_R
    )
    catalogue = network.catalogue(asked.query_texts, now.trend_KVG)
    score_V = match_scores(network.model, asked.requests, catalogue)[0]
    rank_M = (score_V[None, :] > score_V[batch.match_item_M][:, None]).sum(axis=1) + 1
    return rank_M.astype(np.int64), np.argsort(-score_V, kind="stable")[:_FIRST]
