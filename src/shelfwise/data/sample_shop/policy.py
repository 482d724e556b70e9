"""Which items the shop showed, where, and with what exact probability.

Every slot of a list is drawn from a stated distribution over the items not yet in the list, so
``propensity`` is exact: the probability of this item in this slot, *given the items above it*.

* Search: a softmax (Plackett-Luce) over the department's items, of match with the query plus
  log popularity; blunter where the query was mistyped; an item the shopper bought before is
  lifted; an item that is not yet sold cannot be found.
* Shelf: see ``shelves``.
* Ads: a softmax over the running campaigns with money left, of log bid plus closeness to the
  anchor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from shelfwise.data.sample_shop.campaigns import Campaigns
from shelfwise.data.sample_shop.catalogue import Catalogue, Flags, Floats, Ints
from shelfwise.data.sample_shop.queries import Searches, match_strength, meanings

SEARCH_LENGTH = 10
AD_SLOTS = 2

_MATCH_PULL, _BLURRED_MATCH_PULL = 8.0, 5.0
_POPULARITY_PULL = 0.6
_BOUGHT_LIFT = 4.0
SMALLEST_POOL = 3 * SEARCH_LENGTH
_AD_CATEGORY_PULL, _AD_DEPARTMENT_PULL = 3.5, 1.5
_SCORED_AT_ONCE = 2_000_000  # scores held in memory


@dataclass(frozen=True, slots=True)
class Slate:
    """Shown items, one row per impression; ``row_N`` points at the request asked for."""

    row_N: Ints
    item_N: Ints
    position_N: Ints  # 1 is the first
    propensity_N: Floats
    campaign_N: Ints  # -1 outside advertising


def show_search(
    searches: Searches,
    again_Q: Ints,
    at_Q: Ints,
    catalogue: Catalogue,
    rng: np.random.Generator,
) -> Slate:
    """Ten results for every search; ``again_Q`` is an item bought before, or -1."""
    slipped_Q = searches.slipped()
    pull_Q = np.where(slipped_Q, _BLURRED_MATCH_PULL, _MATCH_PULL)
    meaning_Q = meanings(searches, slipped_Q)
    parts = []
    for rows, pool in _department_pools(searches, meaning_Q, catalogue):
        # Many searches mean the same: each meaning is compared with the items once.
        _, first, of_row = np.unique(meaning_Q[rows], return_index=True, return_inverse=True)
        alike = rows[first][:, None]
        score_DX = pull_Q[alike] * match_strength(searches, alike, catalogue, pool[None, :])
        score_DX += _POPULARITY_PULL * np.log(catalogue.popularity_I[pool])
        score = score_DX[of_row]
        score += _BOUGHT_LIFT * (again_Q[rows][:, None] == pool)
        score[at_Q[rows][:, None] < catalogue.added_I[pool]] = -np.inf
        place, propensity = sample_in_order(score, SEARCH_LENGTH, rng)
        parts.append(slate_of(rows, pool[place], propensity))
    return joined(parts)


def show_ads(
    anchor_R: Ints,
    at_R: Ints,
    offers: tuple[Campaigns, Flags],
    catalogue: Catalogue,
    rng: np.random.Generator,
) -> Slate:
    """Two sponsored items for every request at a moment when at least two campaigns run.

    ``offers`` are the campaigns and which of them have money left.
    """
    campaigns, solvent_K = offers
    types = catalogue.vocabulary.types
    category_R = np.array([row.category for row in types])[anchor_R]
    department_R = np.array([row.department for row in types])[anchor_R]
    category_K = catalogue.category_I[campaigns.item_K]
    department_K = catalogue.department_I[campaigns.item_K]
    parts = []
    for chunk in in_chunks(np.arange(len(anchor_R)), len(campaigns)):
        at_R1 = at_R[chunk][:, None]
        running_RK = solvent_K & (campaigns.start_K <= at_R1) & (at_R1 < campaigns.end_K)
        enough_R = running_RK.sum(axis=1) >= AD_SLOTS
        rows, running_RK = chunk[enough_R], running_RK[enough_R]
        score_RK = np.log(campaigns.bid_K) + np.where(
            category_R[rows][:, None] == category_K,
            _AD_CATEGORY_PULL,
            _AD_DEPARTMENT_PULL * (department_R[rows][:, None] == department_K),
        )
        score_RK = np.where(running_RK, score_RK, -np.inf)
        place, propensity = sample_in_order(score_RK, AD_SLOTS, rng)
        parts.append(slate_of(rows, campaigns.item_K[place], propensity, campaign_RL=place))
    return joined(parts)


def sample_in_order(score_RX: Floats, length: int, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Fill slots one after the other from the softmax over what is left (Plackett-Luce).

    A race draws exactly that: each column arrives after an exponential time with rate exp(score).
    The probability of the k-th to arrive, given those before it, is its rate over the sum of the
    rates from the k-th on.

    Returns:
        Columns chosen and their probabilities, both ``[R, length]``.
    """
    weight_RX = np.exp(score_RX - score_RX.max(axis=1, keepdims=True))
    with np.errstate(divide="ignore"):  # a rate of 0 never arrives
        arrival_RX = rng.standard_exponential(score_RX.shape) / weight_RX
    best_RL = np.argpartition(arrival_RX, length - 1, axis=1)[:, :length]
    best_RL = np.take_along_axis(
        best_RL, np.argsort(np.take_along_axis(arrival_RX, best_RL, axis=1), axis=1), axis=1
    )
    picked_RL = np.take_along_axis(weight_RX, best_RL, axis=1)
    np.put_along_axis(weight_RX, best_RL, 0.0, axis=1)
    # Summed from the end, so that a small remainder is not the difference of two large sums.
    left_RL = np.cumsum(picked_RL[:, ::-1], axis=1)[:, ::-1] + weight_RX.sum(axis=1, keepdims=True)
    return best_RL, picked_RL / left_RL


def _department_pools(
    searches: Searches, meaning_Q: Ints, catalogue: Catalogue
) -> Iterator[tuple[Ints, Ints]]:
    """Searches in chunks, like beside like, each with the available items of its department."""
    for department in np.unique(searches.department_Q):
        pool = np.flatnonzero(catalogue.available_I & (catalogue.department_I == department))
        if (catalogue.added_I[pool] == 0).sum() < SMALLEST_POOL:
            domain = catalogue.domain_I[catalogue.department_I == department].max(initial=0)
            pool = np.flatnonzero(catalogue.available_I & (catalogue.domain_I == domain))
        rows = np.flatnonzero(searches.department_Q == department)
        rows = rows[np.argsort(meaning_Q[rows], kind="stable")]
        for chunk in in_chunks(rows, len(pool)):
            yield chunk, pool


def in_chunks(rows: Ints, width: int) -> list[Ints]:
    """Rows in parts whose scores against ``width`` candidates fit in memory."""
    size = max(1, _SCORED_AT_ONCE // width)
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def slate_of(
    rows: Ints,
    item_RL: Ints,
    propensity_RL: Floats,
    shown_RL: Flags | None = None,
    campaign_RL: Ints | None = None,
) -> Slate:
    """Flatten lists into impressions, top to bottom; ``shown`` cuts the end of short lists."""
    kept_RL = np.ones(item_RL.shape, dtype=bool) if shown_RL is None else shown_RL
    position_RL = np.broadcast_to(np.arange(1, item_RL.shape[1] + 1), item_RL.shape)
    row_RL = np.broadcast_to(rows[:, None], item_RL.shape)
    campaign = np.full(item_RL.shape, -1) if campaign_RL is None else campaign_RL
    return Slate(
        row_N=row_RL[kept_RL],
        item_N=item_RL[kept_RL],
        position_N=position_RL[kept_RL],
        propensity_N=propensity_RL[kept_RL],
        campaign_N=campaign[kept_RL],
    )


def joined(parts: list[Slate]) -> Slate:
    nothing = np.zeros((0, 1), dtype=np.int64)
    parts = [slate_of(nothing[:, 0], nothing, nothing.astype(np.float64)), *parts]
    return Slate(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Slate))
    )
