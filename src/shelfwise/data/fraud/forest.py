"""How easily an actor is told from all others by random questions (Liu, Ting, Zhou 2008).

An isolation forest knows no rule, so it may see what the rules do not; but rare is not the same as
a machine, so its vote needs company.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from shelfwise.data.fraud.population import FIGURES, Population

_TREES = 100  # as in the paper
_LEARNT_FROM = 20_000  # actors; each tree looks at 256 of them anyway
_FEWEST = 50


def isolation(features: pl.DataFrame, people: Population, seed: int) -> pl.Series:
    """Anomaly score of each row: about .5 where ordinary, towards 1 the easier it stands alone.

    Args:
        features: the actors to score, one kind.
        people: gives every figure its scale; an unknown figure counts as the usual one.
        seed: of the trees.
    """
    figure_NF = (
        features.with_columns(  # not select: figures that nobody has are literals of one row
            people.spreads_above(name).fill_null(0).fill_nan(0).clip(-20, 20).alias(name)
            for name in FIGURES
        )
        .select(FIGURES)
        .to_numpy()
    )
    if len(figure_NF) < _FEWEST:
        return pl.Series("isolation", np.full(len(figure_NF), 0.5))
    # n_jobs: threads would not change the result, and the scores are a small part of the time.
    forest = IsolationForest(n_estimators=_TREES, random_state=seed, n_jobs=1)
    forest.fit(_sample(figure_NF, seed))
    return pl.Series("isolation", -forest.score_samples(figure_NF))


def _sample(figure_NF: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    if len(figure_NF) <= _LEARNT_FROM:
        return figure_NF
    rows = np.random.default_rng(seed).choice(len(figure_NF), _LEARNT_FROM, replace=False)
    return figure_NF[np.sort(rows)]
