"""How far items that nobody has taken yet are raised in rankings, beyond how likely they are.

Many newcomers share what is expected of them all, so that hardly one is ever seen, and what is not
seen is never learned of. Validation says what share of the first places they can have; a network
that learns anew raises its own newcomers to the same share. The logits that lead to it are another
network's: how many items are new, and how far they lie behind, differs from one to the next.
Probabilities stay as they are.

Shape suffixes in this file: T = targets, V = items, W = how far newcomers are raised,
X = the best of a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets
from shelfwise.training.network import Network
from shelfwise.training.validation import ndcg_of_targets, scored_blocks

RAISED_W = (np.arange(31) / 10).astype(np.float32)  # logits
_PLACES = 10
_MOST_TARGETS = 1_000  # they are ranked once for each of `RAISED_W`


class Rankings(NamedTuple):
    """The same rankings with newcomers raised by each of `RAISED_W`."""

    ndcg_W: NDArray[np.float64]
    exposure_W: NDArray[np.float64]  # share of the first ten places that newcomers have


class Welcome(NamedTuple):
    """How newcomers were raised, and what came of it."""

    raised: float  # logits
    exposure: float  # as in `Rankings`


NO_WELCOME = Welcome(0.0, 0.0)


def has_newcomers(network: Network) -> bool:
    """Whether some items, but not all, have never been taken."""
    return bool(network.warm_V.any()) and not bool(network.warm_V.all())


def rankings_of(network: Network, prepared: PreparedShop, targets: MatchTargets) -> Rankings:
    """What raising newcomers does to the rankings of a sample of ``targets``."""
    if len(targets) == 0:
        return Rankings(np.full(len(RAISED_W), np.nan), np.zeros(len(RAISED_W)))
    cold_V = (~network.warm_V).cpu().numpy()
    only_new = prepared.options.match.seen == "remove"
    network.model.welcome.zero_()
    ndcg: list[NDArray[np.float64]] = []
    exposure: list[NDArray[np.float64]] = []
    for some, score_TV in scored_blocks(network, prepared, targets, _MOST_TARGETS):
        shown_TV = score_TV.copy()
        if only_new:
            shown_TV[some.seen_target_S, some.seen_item_S] = -np.inf
        exposure.append(_shares_of_new(_best(shown_TV[:, ~cold_V]), shown_TV[:, cold_V]))
        if not len(some.right_item_P):
            continue
        found = [ndcg_of_targets(some, score_TV + by * cold_V, only_new) for by in RAISED_W]
        ndcg.append(np.stack(found, axis=1))
    ndcg_TW = np.concatenate(ndcg) if ndcg else np.zeros((0, len(RAISED_W)))
    ndcg_TW = ndcg_TW[~np.isnan(ndcg_TW[:, 0])]  # of the others nothing is asked that is new
    ndcg_W = ndcg_TW.mean(0) if len(ndcg_TW) else np.full(len(RAISED_W), np.nan)
    return Rankings(ndcg_W, np.concatenate(exposure).mean(0))


def welcome_newcomers(network: Network, asked: Callable[[], Rankings], cost: float) -> Welcome:
    """Raise items not yet met as far as rankings bear it.

    Args:
        network: its newcomers are raised.
        asked: what raising them does to validation's rankings.
        cost: the share of NDCG that may be given up.
    """
    network.model.welcome.zero_()
    if not has_newcomers(network):
        return NO_WELCOME
    found = asked()
    borne_W = found.ndcg_W >= (1 - cost) * found.ndcg_W[0]
    best = len(borne_W) - 1 if borne_W.all() else int(np.argmin(borne_W)) - 1
    return _raised(network, found, max(best, 0))


def welcome_as(network: Network, asked: Callable[[], Rankings], welcome: Welcome) -> Welcome:
    """Raise another network's newcomers as far as they have no more of the first places.

    Not further than ``welcome`` did where even that leaves them fewer.

    Args:
        network: its newcomers are raised.
        asked: what raising them does to rankings as they will be asked for.
        welcome: how they were raised where validation had its say.
    """
    network.model.welcome.zero_()
    if not has_newcomers(network) or welcome.raised == 0:
        return NO_WELCOME
    found = asked()
    allowed_W = (found.exposure_W <= welcome.exposure) & (welcome.raised + 1e-6 >= RAISED_W)
    best = int(np.flatnonzero(allowed_W)[-1]) if allowed_W.any() else 0
    return _raised(network, found, best)


def _raised(network: Network, found: Rankings, place: int) -> Welcome:
    by = round(float(RAISED_W[place]), 1)
    network.model.welcome.fill_(by)
    return Welcome(by, float(found.exposure_W[place]))


def _best(score_TV: NDArray[np.float32]) -> NDArray[np.float32]:
    """``[T, X]`` the highest of each row, as many as there are first places."""
    most = min(_PLACES, score_TV.shape[1])
    return np.partition(score_TV, -most, axis=1)[:, -most:]


def _shares_of_new(
    known_TX: NDArray[np.float32], new_TV: NDArray[np.float32]
) -> NDArray[np.float64]:
    """``[T, W]`` share of the first places; ``known_TX`` are the best of all other items."""
    new_TX = _best(new_TV)
    is_new_X = np.arange(known_TX.shape[1] + new_TX.shape[1]) >= known_TX.shape[1]
    found = []
    for by in RAISED_W:
        both_TX = np.concatenate([known_TX, new_TX + by], axis=1)
        # Of equal scores those of items known already come first.
        first_TX = np.argsort(-both_TX, axis=1, kind="stable")[:, :_PLACES]
        found.append(is_new_X[first_TX].mean(axis=1))
    return np.stack(found, axis=1)
