"""Simple answers to "will this cart be bought": rates, and a logistic regression on them.

Shape suffixes: N = rows of the entire space, F = figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.cart_pairs import NON_CARTS, CartPairs

_STRENGTHS = (1.0, 5.0, 20.0, 100.0)  # rows that a rate is shrunk by
_PENALTIES = (0.01, 1.0, 100.0)
_FOLDS = 5
_SHORT = 1e-6


class Forecast(NamedTuple):
    """Probabilities for every row of the entire space."""

    system: str
    cart_N: NDArray[np.float64]
    convert_N: NDArray[np.float64]
    told: Mapping[str, Any]


def one_rate(pairs: CartPairs) -> Forecast:
    """The same for every row: what a random order is expected to earn."""
    kept = pairs.rows("train")
    rate, among_carts = pairs.cart_N[kept].mean(), pairs.bought_N[kept[pairs.cart_N[kept]]].mean()
    size = len(pairs.user_N)
    return Forecast("random order", np.full(size, rate), np.full(size, among_carts), {})


def item_rates(pairs: CartPairs) -> Forecast:
    """Each item's share of carts among what was shown, and of purchases among carts.

    Shrunk to the mean; validation chooses how much, by log loss.
    """
    kept = pairs.rows("train")
    strength = _best_strength(pairs)
    return Forecast(
        "item rate",
        _rate(pairs.item_N, pairs.cart_N, kept, strength),
        _rate(pairs.item_N, pairs.bought_N, kept[pairs.cart_N[kept]], strength),
        {"settings": {"shrunk by rows": strength}},
    )


def logistic_regression(pairs: CartPairs) -> Forecast:
    """Logits of the item's and the user's rates and the logs of their counts.

    Rates of a training row are counted on the other four fifths of training: to leave out the row
    alone would tell its label. Validation chooses the penalty by log loss.
    """
    strength = _best_strength(pairs)
    kept = pairs.rows("train")
    cart_N, cart_penalty = _fitted(pairs, pairs.cart_N, kept, strength)
    clicked = kept[pairs.cart_N[kept]]
    convert_N, convert_penalty = _fitted(pairs, pairs.bought_N, clicked, strength)
    settings = {"shrunk by rows": strength, "C, cart": cart_penalty, "C, bought": convert_penalty}
    return Forecast("logistic regression", cart_N, convert_N, {"settings": settings})


def _best_strength(pairs: CartPairs) -> float:
    train, judged = pairs.rows("train"), pairs.rows("validation")
    carts, judged = train[pairs.cart_N[train]], judged[pairs.cart_N[judged]]

    def loss(strength: float) -> float:
        p_N = _rate(pairs.item_N, pairs.bought_N, carts, strength)
        return _log_loss(p_N[judged], pairs.bought_N[judged])

    return min(_STRENGTHS, key=loss)


def _rate(
    key_N: NDArray[np.int64],
    label_N: NDArray[np.bool_],
    kept: NDArray[np.int64],
    strength: float,
) -> NDArray[np.float64]:
    """``[N]`` each row's key's share of positives among the rows ``kept``."""
    count, hit = _tally(key_N, label_N, kept)
    mean = float(label_N[kept].mean())
    rate: NDArray[np.float64] = ((hit + strength * mean) / (count + strength))[key_N]
    return rate


def _tally(
    key_N: NDArray[np.int64], label_N: NDArray[np.bool_], kept: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    size = int(key_N.max()) + 1
    count = np.bincount(key_N[kept], minlength=size).astype(np.float64)
    hit = np.bincount(key_N[kept], label_N[kept].astype(np.float64), minlength=size)
    return count, hit.astype(np.float64)


def _fitted(
    pairs: CartPairs, label_N: NDArray[np.bool_], kept: NDArray[np.int64], strength: float
) -> tuple[NDArray[np.float64], float]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    figure_NF = np.hstack(
        [_figures(key_N, label_N, kept, strength) for key_N in (pairs.item_N, pairs.user_N)]
    )
    judged = pairs.rows("validation")
    among_carts = bool(pairs.cart_N[kept].all())
    rows = judged[pairs.cart_N[judged]] if among_carts else judged
    found = []
    for penalty in _PENALTIES:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=1_000))
        model.fit(figure_NF[kept], label_N[kept])
        loss = _log_loss(model.predict_proba(figure_NF[rows])[:, 1], label_N[rows])
        found.append((loss, penalty, model))
    _, penalty, model = min(found, key=lambda one: one[0])
    p_N: NDArray[np.float64] = model.predict_proba(figure_NF)[:, 1]
    return p_N, penalty


def _figures(
    key_N: NDArray[np.int64],
    label_N: NDArray[np.bool_],
    kept: NDArray[np.int64],
    strength: float,
) -> NDArray[np.float64]:
    """``[N, 2]`` logit of the key's shrunk rate, and the log of the rows it rests on."""
    found = _rate_and_count(key_N, label_N, kept, strength)
    # A cart and its non-carts lie in one fold.
    fold = kept // (1 + NON_CARTS) % _FOLDS
    for one in range(_FOLDS):
        inside, others = kept[fold == one], kept[fold != one]
        if len(inside) and len(others):
            found[inside] = _rate_and_count(key_N, label_N, others, strength)[inside]
    return found


def _rate_and_count(
    key_N: NDArray[np.int64],
    label_N: NDArray[np.bool_],
    kept: NDArray[np.int64],
    strength: float,
) -> NDArray[np.float64]:
    count, _ = _tally(key_N, label_N, kept)
    rate_N = _rate(key_N, label_N, kept, strength).clip(_SHORT, 1 - _SHORT)
    return np.column_stack([np.log(rate_N / (1 - rate_N)), np.log1p(count[key_N])])


def _log_loss(p_N: NDArray[np.float64], label_N: NDArray[np.bool_]) -> float:
    p_N = p_N.clip(_SHORT, 1 - _SHORT)
    return float(-np.where(label_N, np.log(p_N), np.log1p(-p_N)).mean())
