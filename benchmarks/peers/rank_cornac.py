"""Cornac's models for implicit feedback: BPR, a variational autoencoder, EASE.

Run by the interpreter of `.venv-peers/cornac`; how, says contest.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch  # noqa: F401  # by Cornac only when it fits, which is timed
from contest import Clock, Fitted, Peer, Settings, contest
from cornac.data import Dataset
from cornac.models import BPR, EASE, VAECF
from exchange import Histories, Log, Task


def fit_bpr(task: Task, log: Log, settings: Settings, clock: Clock) -> Fitted:
    """Bayesian personalised ranking (Rendle et al., 2009); seeded, so on one thread."""
    return _fit(BPR(**settings, seed=clock.seed), task, log, clock)


def fit_vaecf(task: Task, log: Log, settings: Settings, clock: Clock) -> Fitted:
    """A variational autoencoder of an owner's items (Liang et al., 2018)."""
    options = dict(settings)
    options["autoencoder_structure"] = [options.pop("hidden")]
    return _fit(VAECF(**options, seed=clock.seed), task, log, clock)


def fit_ease(task: Task, log: Log, settings: Settings, clock: Clock) -> Fitted:
    """A linear autoencoder in closed form (Steck, 2019), here without negative weights."""
    return _fit(EASE(**settings, verbose=False, seed=clock.seed), task, log, clock)


def _fit(model: Any, task: Task, log: Log, clock: Clock) -> Fitted:
    taken = zip(log.owner_N.tolist(), log.item_N.tolist(), [1.0] * len(log), strict=True)
    dataset = Dataset.from_uir(sorted(set(taken)), seed=clock.seed)  # as it asks: no pair twice
    model.fit(dataset)
    items = np.array(dataset.item_ids)

    def score(histories: Histories) -> Any:
        scores_BV = np.full((len(histories), task.items), -np.inf, np.float32)
        for row, owner in enumerate(histories.owner_T.tolist()):
            if owner in dataset.uid_map:
                scores_BV[row, items] = np.ravel(model.score(dataset.uid_map[owner]))
        return scores_BV

    return Fitted(score)


ONLY_KNOWN = "each owner's items counted once; nothing for an owner that is not in the log"
PEERS = (
    Peer(
        "cornac/bpr",
        "cornac",
        fit_bpr,
        {"k": 10, "max_iter": 100, "learning_rate": 0.001, "lambda_reg": 0.01},
        {
            "k": (10, 50, 100, 200),
            "max_iter": (100, 200, 500),
            "learning_rate": (0.001, 0.005, 0.01, 0.05),
            "lambda_reg": (0.0001, 0.001, 0.01, 0.1),
        },
        note=ONLY_KNOWN,
    ),
    Peer(
        "cornac/vaecf",
        "cornac",
        fit_vaecf,
        {
            "k": 10,
            "hidden": 20,
            "n_epochs": 100,
            "batch_size": 100,
            "learning_rate": 0.001,
            "beta": 1.0,
        },
        {
            "k": (10, 50, 100, 200),
            "hidden": (20, 100, 300, 600),
            "n_epochs": (50, 100, 200),
            "learning_rate": (0.0005, 0.001, 0.005),
            "beta": (0.001, 0.01, 0.2, 1.0),
        },
        note=ONLY_KNOWN,
    ),
    Peer(
        "cornac/ease",
        "cornac",
        fit_ease,
        {"lamb": 500.0, "posB": True},
        {"lamb": (10.0, 30.0, 100.0, 200.0, 500.0, 1e3, 2e3), "posB": (True, False)},
        note=ONLY_KNOWN,
    ),
)

if __name__ == "__main__":
    contest(PEERS)
