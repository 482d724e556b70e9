"""LightGBM's ranker over hand features of candidate items.

Candidates of a request are the items of its history and the unseen ones most like them, both by
hundreds; what is no candidate is not ranked. Training requests are the owners who took something
in the last part of the log, with what they had taken before it, as the test will ask.

Run by the interpreter of `.venv-peers/lightgbm`; how, says contest.py.
Shape suffixes beside those of exchange.py: C = candidates of all requests, F = features.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from contest import THREADS, Clock, Fitted, Peer, Settings, contest
from exchange import Histories, Integers, Log, Scores, Task
from matrices import counts_of, counts_of_log, owners_of
from scipy.sparse import csr_matrix, diags

_LEARNED_FROM = 0.12  # share of the log, by time, whose owners are the training requests
_WINDOWS = (0.02, 0.08, 0.25, 1.0)  # shares of the log, by time, in which takers are counted
_CANDIDATES = 200  # seen, and as many unseen
_REQUESTS = 4_000  # training requests at most
_BLOCK = 256  # of them at once
_LAST = 5  # items that say what is wanted now


@dataclass(frozen=True)
class Known:
    """What the features of a request at the end of a log are made from."""

    popular_WV: Scores  # log of takers in each window
    similar_VV: csr_matrix  # cosine of items by the owners who took both

    def candidates(self, histories: Histories) -> tuple[Integers, Integers, Scores]:
        """``row_C, item_C, features_CF`` of requests."""
        items = self.popular_WV.shape[1]
        counts_BV = counts_of(histories, items)
        last_BV = counts_of(_last(histories), items)
        own_BV = counts_BV.toarray()
        counts_BV.data[:] = 1.0
        like_BV = (counts_BV @ self.similar_VV).toarray()
        like_last_BV = (last_BV @ self.similar_VV).toarray()
        row_C, item_C = _chosen(own_BV, like_BV + 1e-6 * self.popular_WV[-1])
        since_BV = _since(histories, items)
        length_B = np.diff(histories.bounds).astype(np.float32)
        columns = [
            *self.popular_WV[:, item_C],
            *(matrix[row_C, item_C] for matrix in (own_BV, like_BV, like_last_BV, since_BV)),
            length_B[row_C],
        ]
        return row_C, item_C, np.stack(columns, axis=1)


def known(log: Log, items: int) -> Known:
    """Popularity and likeness in a log."""
    first, end = log.at_N.min(), log.at_N.max()
    popular = []
    for share in _WINDOWS:
        recent_N = log.at_N >= end - share * (end - first)
        popular.append(np.log1p(np.bincount(log.item_N[recent_N], minlength=items)))
    taken = counts_of_log(log, owners_of(log), items)
    taken.data[:] = 1.0
    takers_V = np.maximum(np.asarray(taken.sum(axis=0)).ravel(), 1)
    scale = diags(1 / np.sqrt(takers_V).astype(np.float32))
    similar = csr_matrix(scale @ (taken.T @ taken) @ scale)
    similar.setdiag(0)
    return Known(np.stack(popular).astype(np.float32), similar)


def fit_ranker(task: Task, log: Log, settings: Settings, clock: Clock) -> Fitted:
    """LambdaMART (Burges, 2010) on the last part of the log."""
    row_C, features_CF, right_C = training_rows(log, task, clock.seed)
    model = lightgbm.LGBMRanker(
        **settings, n_jobs=THREADS, random_state=clock.seed, deterministic=True, verbose=-1
    )
    sizes = np.unique(row_C, return_counts=True)[1]
    model.fit(features_CF, right_C, group=sizes, callbacks=[_stops(clock)])
    now = known(log, task.items)

    def score(histories: Histories) -> Any:
        row_C, item_C, features_CF = now.candidates(histories)
        scores_BV = np.full((len(histories), task.items), -np.inf, np.float32)
        scores_BV[row_C, item_C] = model.booster_.predict(features_CF)
        return scores_BV

    return Fitted(score, {"n_estimators": model.booster_.num_trees()})


def training_rows(log: Log, task: Task, seed: int) -> tuple[Integers, Scores, Integers]:
    """``row_C, features_CF, right_C``: what owners took in the last part, from what came before.

    Of a log by order, the last part is each owner's last place, as the test's is.
    """
    border_N = _borders(log, task)
    before_N = log.at_N < border_N
    past = Log(log.owner_N[before_N], log.item_N[before_N], log.at_N[before_N])
    asked = np.intersect1d(past.owner_N, log.owner_N[~before_N])
    if len(asked) > _REQUESTS:
        asked = np.sort(np.random.default_rng(seed).choice(asked, _REQUESTS, replace=False))
    took = _of(log, ~before_N, asked)
    then, histories = known(past, task.items), _histories(past, asked)
    parts = []
    for start in range(0, len(asked), _BLOCK):
        row, item, features = then.candidates(histories.block(start, start + _BLOCK))
        parts.append((row + start, item, features))
    row_C, item_C, features_CF = (np.concatenate(part) for part in zip(*parts, strict=True))
    right_C = np.isin(row_C * task.items + item_C, took[0] * task.items + took[1])
    return row_C, features_CF, right_C.astype(np.int64)


def _borders(log: Log, task: Task) -> Any:
    if task.clock == "time":
        end, first = log.at_N.max(), log.at_N.min()
        return np.full(len(log), end - _LEARNED_FROM * (end - first))
    last_N = np.append(log.owner_N[1:] != log.owner_N[:-1], True)
    return np.repeat(log.at_N[last_N], np.diff(np.append(-1, np.flatnonzero(last_N))))


def _of(log: Log, chosen_N: Any, asked: Integers) -> tuple[Integers, Integers]:
    chosen_N = chosen_N & np.isin(log.owner_N, asked)
    return np.searchsorted(asked, log.owner_N[chosen_N]), log.item_N[chosen_N]


def _histories(past: Log, asked: Integers) -> Histories:
    row_N, item_N = _of(past, np.ones(len(past), bool), asked)
    bounds = np.searchsorted(row_N, np.arange(len(asked) + 1))
    return Histories(asked, np.zeros_like(asked), item_N, bounds)


def _last(histories: Histories) -> Histories:
    parts = [items[-_LAST:] for items in histories]
    flat = np.concatenate(parts) if parts else histories.flat
    bounds = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    return Histories(histories.owner_T, histories.at_T, flat, bounds)


def _since(histories: Histories, items: int) -> Scores:
    """``[B, V]`` how many items were taken since this one; nan where it never was."""
    since_BV = np.full((len(histories), items), np.nan, np.float32)
    for row, taken in enumerate(histories):
        since_BV[row, taken] = np.arange(len(taken), 0, -1)  # of one taken twice, the last counts
    return since_BV


def _chosen(own_BV: Scores, like_BV: Scores) -> tuple[Integers, Integers]:
    most = min(_CANDIDATES, like_BV.shape[1])
    chosen = np.zeros(like_BV.shape, bool)
    row_B1 = np.arange(len(like_BV))[:, None]
    for values in (np.where(own_BV > 0, like_BV, -1.0), np.where(own_BV > 0, -1.0, like_BV)):
        best_BK = np.argpartition(-values, most - 1, axis=1)[:, :most]
        chosen[row_B1, best_BK] |= values[row_B1, best_BK] >= 0
    return np.nonzero(chosen)


def _stops(clock: Clock) -> Any:
    def stop(environment: Any) -> None:
        if clock.left() <= 0:
            raise lightgbm.callback.EarlyStopException(environment.iteration, [])

    return stop


PEERS = (
    Peer(
        "lightgbm/ranker",
        "lightgbm",
        fit_ranker,
        {
            "n_estimators": 100,
            "learning_rate": 0.1,
            "num_leaves": 31,
            "min_child_samples": 20,
            "reg_lambda": 0.0,
            "colsample_bytree": 1.0,
        },
        {
            "n_estimators": (100, 200, 400),
            "learning_rate": (0.02, 0.05, 0.1),
            "num_leaves": (7, 15, 31, 63),
            "min_child_samples": (20, 100, 500),
            "reg_lambda": (0.0, 1.0, 10.0),
            "colsample_bytree": (0.6, 1.0),
        },
        note="200 seen and 200 unseen candidates a request; the features are ours",
    ),
)

if __name__ == "__main__":
    contest(PEERS)
