"""implicit's factorisations and nearest neighbours on counts of interactions.

Run by the interpreter of `.venv-peers/implicit`; how, says contest.py.
"""

from __future__ import annotations

from typing import Any

from contest import THREADS, Clock, Fitted, Peer, Settings, contest
from exchange import Log, Task
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
from matrices import counts_of, counts_of_log, owners_of
from threadpoolctl import threadpool_limits


def fit_als(task: Task, log: Log, settings: Settings, clock: Clock) -> Fitted:
    """Weighted least squares (Hu et al., 2008); a target's factors from its history."""
    model = AlternatingLeastSquares(**settings, num_threads=THREADS, random_state=clock.seed)
    with threadpool_limits(1):  # as the library asks: it has threads of its own
        model.fit(counts_of_log(log, owners_of(log), task.items), show_progress=False)

    def score(histories: Any) -> Any:
        counts = counts_of(histories, task.items)
        return model.recalculate_user(range(len(histories)), counts) @ model.item_factors.T

    return Fitted(score)


def fit_bpr(task: Task, log: Log, settings: Settings, clock: Clock) -> Fitted:
    """Bayesian personalised ranking (Rendle et al., 2009); owners of the log only."""
    owners = owners_of(log)
    model = BayesianPersonalizedRanking(**settings, num_threads=THREADS, random_state=clock.seed)
    model.fit(counts_of_log(log, owners, task.items), show_progress=False)
    return Fitted(
        lambda histories: owners.scores(histories.owner_T, model.user_factors, model.item_factors)
    )


def fit_bm25(task: Task, log: Log, settings: Settings, _: Clock) -> Fitted:
    """Items like those of the history, counts weighted as BM25 weights words."""
    return _neighbours(BM25Recommender(**settings, num_threads=THREADS), task, log)


def fit_cosine(task: Task, log: Log, settings: Settings, _: Clock) -> Fitted:
    """Items like those of the history by the cosine of their counts."""
    return _neighbours(CosineRecommender(**settings, num_threads=THREADS), task, log)


def _neighbours(model: Any, task: Task, log: Log) -> Fitted:
    model.fit(counts_of_log(log, owners_of(log), task.items), show_progress=False)
    return Fitted(lambda histories: (counts_of(histories, task.items) @ model.similarity).toarray())


ONLY_KNOWN = "an owner that is not in the log has no factors and is not ranked for"
PEERS = (
    Peer(
        "implicit/als",
        "implicit",
        fit_als,
        {"factors": 100, "regularization": 0.01, "alpha": 1.0, "iterations": 15},
        {
            "factors": (32, 64, 100, 128, 192, 256),
            "regularization": (0.01, 0.1, 1.0, 10.0, 50.0),
            "alpha": (1.0, 2.0, 5.0, 10.0, 20.0, 40.0),
            "iterations": (10, 15, 30),
        },
    ),
    Peer(
        "implicit/bpr",
        "implicit",
        fit_bpr,
        {"factors": 100, "learning_rate": 0.01, "regularization": 0.01, "iterations": 100},
        {
            "factors": (32, 64, 100, 128, 200),
            "learning_rate": (0.003, 0.01, 0.03, 0.1),
            "regularization": (0.001, 0.01, 0.03, 0.1),
            "iterations": (50, 100, 200, 400),
        },
        note=ONLY_KNOWN,
    ),
    Peer(
        "implicit/bm25",
        "implicit",
        fit_bm25,
        {"K": 20, "K1": 1.2, "B": 0.75},
        {
            "K": (20, 50, 100, 200, 500, 1000),
            "K1": (0.5, 1.2, 2.0, 5.0, 20.0, 100.0),
            "B": (0.0, 0.2, 0.5, 0.75, 0.9, 1.0),
        },
    ),
    Peer(
        "implicit/cosine", "implicit", fit_cosine, {"K": 20}, {"K": (10, 50, 100, 200, 500, 1000)}
    ),
)

if __name__ == "__main__":
    contest(PEERS)
