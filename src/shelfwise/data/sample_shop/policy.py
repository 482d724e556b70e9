"""Which items the shop showed, where, and with what exact probability.

Every slot of a list is drawn from a stated distribution over the items not yet in the list, so
``propensity`` is exact: the probability of this item in this slot, *given the items above it*.

* Search: a softmax (Plackett-Luce) over the department's items, of match with the query plus
  log popularity; blunter where the query was mistyped; an item the shopper bought before is
  lifted.
* Shelf: per slot a mixture of popularity, popularity around the anchor's category, and uniform
  exploration over the whole storefront.
* Ads: a softmax over the running campaigns with money left, of log bid plus closeness to the
  anchor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from shelfwise.data.sample_shop.campaigns import Campaigns
from shelfwise.data.sample_shop.catalogue import Catalogue, Flags, Floats, Ints
from shelfwise.data.sample_shop.queries import Searches, match_strength

SEARCH_LENGTH = 10
SHELF_LENGTHS = (8, 9, 10)
AD_SLOTS = 2

_MATCH_PULL, _BLURRED_MATCH_PULL = 8.0, 5.0
_POPULARITY_PULL = 0.6
_BOUGHT_LIFT = 4.0
_POPULAR_SHARE = 0.35  # of the shelf slots that do not explore; the rest is around the anchor
_SMALLEST_POOL = 3 * SEARCH_LENGTH
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
    searches: Searches, again_Q: Ints, catalogue: Catalogue, rng: np.random.Generator
) -> Slate:
    """Ten results for every search; ``again_Q`` is an item bought before, or -1."""
    pull_Q = np.where(searches.slipped(), _BLURRED_MATCH_PULL, _MATCH_PULL)
    parts = []
    for rows, pool in _department_pools(searches, catalogue):
        score = pull_Q[rows][:, None] * match_strength(
            searches, rows[:, None], catalogue, pool[None, :]
        )
        score += _POPULARITY_PULL * np.log(catalogue.popularity_I[pool])
        score += _BOUGHT_LIFT * (again_Q[rows][:, None] == pool)
        place, propensity = sample_in_order(score, SEARCH_LENGTH, rng)
        parts.append(_slate(rows, pool[place], propensity))
    return _joined(parts)


def show_shelves(
    anchor_R: Ints, catalogue: Catalogue, exploration_share: float, rng: np.random.Generator
) -> Slate:
    """Eight to ten items for every shelf."""
    mixture = ShelfMixture.of(catalogue, exploration_share)
    length_R = rng.choice(SHELF_LENGTHS, size=len(anchor_R))
    item_RL = np.full((len(anchor_R), max(SHELF_LENGTHS)), -1, dtype=np.int64)
    propensity_RL = np.zeros(item_RL.shape)
    group_R = mixture.group_T[anchor_R]
    for slot in range(item_RL.shape[1]):
        above_RL = item_RL[:, :slot]
        item_RL[:, slot] = mixture.draw(group_R, above_RL, rng)
        propensity_RL[:, slot] = mixture.probability(group_R, above_RL, item_RL[:, slot])
    shown = np.arange(item_RL.shape[1]) < length_R[:, None]
    return _slate(np.arange(len(anchor_R)), item_RL, propensity_RL, shown)


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
    for chunk in _chunks(np.arange(len(anchor_R)), len(campaigns)):
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
        parts.append(_slate(rows, campaigns.item_K[place], propensity, campaign_RL=place))
    return _joined(parts)


def sample_in_order(score_RX: Floats, length: int, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Fill slots one after the other from the softmax over what is left (Plackett-Luce).

    Sorting by score plus Gumbel noise draws exactly that. The probability of the k-th pick,
    given those before it, is its exp(score) over the sum of exp(score) from the k-th on.

    Returns:
        Columns chosen and their probabilities, both ``[R, length]``.
    """
    noisy_RX = score_RX + rng.gumbel(size=score_RX.shape)
    order_RX = np.argpartition(-noisy_RX, length - 1, axis=1)
    best_RL = order_RX[:, :length]
    best_RL = np.take_along_axis(
        best_RL, np.argsort(-np.take_along_axis(noisy_RX, best_RL, axis=1), axis=1), axis=1
    )
    weight_RX = np.exp(score_RX - score_RX.max(axis=1, keepdims=True))
    picked_RL = np.take_along_axis(weight_RX, best_RL, axis=1)
    np.put_along_axis(weight_RX, best_RL, 0.0, axis=1)
    # Summed from the end, so that a small remainder is not the difference of two large sums.
    left_RL = np.cumsum(picked_RL[:, ::-1], axis=1)[:, ::-1] + weight_RX.sum(axis=1, keepdims=True)
    return best_RL, picked_RL / left_RL


@dataclass(frozen=True, slots=True)
class ShelfMixture:
    """The distribution of a shelf's slot: three ways to choose, each over what is not shown yet."""

    shares: tuple[float, float, float]  # explore, popular, around the anchor
    group_T: Ints  # the group of items around an anchor of each type
    group_I: Ints  # group of each item, by item number
    item_I: Ints  # available items, sorted by group
    weight_I: Floats  # popularity by item number, 0 where not available
    group_weight_G: Floats
    group_start_G: Ints  # where a group begins in item_I

    @classmethod
    def of(cls, catalogue: Catalogue, exploration_share: float) -> ShelfMixture:
        rest = 1 - exploration_share
        group_T = _groups(catalogue)
        group_I = group_T[catalogue.type_I]
        available = np.flatnonzero(catalogue.available_I)
        weight_I = np.where(catalogue.available_I, catalogue.popularity_I, 0.0)
        groups = int(group_T.max()) + 1
        by_group = available[np.argsort(group_I[available], kind="stable")]
        return cls(
            shares=(exploration_share, rest * _POPULAR_SHARE, rest * (1 - _POPULAR_SHARE)),
            group_T=group_T,
            group_I=group_I,
            item_I=by_group,
            weight_I=weight_I,
            group_weight_G=np.asarray(
                np.bincount(group_I, weights=weight_I, minlength=groups), dtype=np.float64
            ),
            group_start_G=np.searchsorted(group_I[by_group], np.arange(groups + 1)),
        )

    def draw(self, group_R: Ints, above_RL: Ints, rng: np.random.Generator) -> Ints:
        """An item for the next slot of each request; what is above it is drawn again."""
        way_R = rng.choice(3, size=len(group_R), p=self.shares)
        item_R = np.full(len(group_R), -1, dtype=np.int64)
        rows = np.arange(len(group_R))
        sum_I = np.concatenate(([0.0], np.cumsum(self.weight_I[self.item_I])))
        while len(rows):
            item_R[rows] = self._once(way_R[rows], group_R[rows], sum_I, rng)
            rows = rows[(above_RL[rows] == item_R[rows][:, None]).any(axis=1)]
        return item_R

    def _once(self, way_R: Ints, group_R: Ints, sum_I: Floats, rng: np.random.Generator) -> Ints:
        below_R = rng.random(len(way_R))
        low_R = np.where(way_R == 2, sum_I[self.group_start_G[group_R]], 0.0)
        high_R = np.where(way_R == 2, sum_I[self.group_start_G[group_R + 1]], sum_I[-1])
        place_R = np.searchsorted(sum_I, low_R + below_R * (high_R - low_R), side="right") - 1
        uniform_R = (below_R * len(self.item_I)).astype(np.int64)
        place_R = np.where(way_R == 0, uniform_R, np.minimum(place_R, len(self.item_I) - 1))
        return np.asarray(self.item_I[place_R])

    def probability(self, group_R: Ints, above_RL: Ints, item_R: Ints) -> Floats:
        """Exact probability of ``item`` in the next slot, given the items above."""
        explore, popular, around = self.shares
        above_weight_RL = self.weight_I[above_RL]
        in_group_RL = self.group_I[above_RL] == group_R[:, None]
        popular_left_R = self.weight_I.sum() - above_weight_RL.sum(axis=1)
        group_left_R = self.group_weight_G[group_R] - (above_weight_RL * in_group_RL).sum(axis=1)
        weight_R = self.weight_I[item_R]
        return np.asarray(
            explore / (len(self.item_I) - above_RL.shape[1])
            + popular * weight_R / popular_left_R
            + around * np.where(self.group_I[item_R] == group_R, weight_R / group_left_R, 0.0)
        )


def _groups(catalogue: Catalogue) -> Ints:
    """A group number for each type: its category, merged with neighbours where that is small."""
    types = catalogue.vocabulary.types
    type_I = catalogue.type_I[catalogue.available_I]
    label_T = np.array([row.category for row in types])
    department_T = np.array([row.department for row in types]) + len(types)
    for coarser_T in (department_T, np.full(len(types), 2 * len(types))):
        size_T = np.bincount(label_T[type_I], minlength=2 * len(types) + 1)[label_T]
        label_T = np.where(size_T < _SMALLEST_POOL, coarser_T, label_T)
    size_T = np.bincount(label_T[type_I], minlength=2 * len(types) + 1)[label_T]
    label_T = np.where(size_T < _SMALLEST_POOL, label_T[size_T.argmax()], label_T)
    return np.unique(label_T, return_inverse=True)[1]


def _department_pools(searches: Searches, catalogue: Catalogue) -> Iterator[tuple[Ints, Ints]]:
    """Searches in chunks, each with the available items of its department."""
    for department in np.unique(searches.department_Q):
        pool = np.flatnonzero(catalogue.available_I & (catalogue.department_I == department))
        if len(pool) < _SMALLEST_POOL:
            pool = np.flatnonzero(catalogue.available_I)
        rows = np.flatnonzero(searches.department_Q == department)
        for chunk in _chunks(rows, len(pool)):
            yield chunk, pool


def _chunks(rows: Ints, width: int) -> list[Ints]:
    """Rows in parts whose scores against ``width`` candidates fit in memory."""
    size = max(1, _SCORED_AT_ONCE // width)
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _slate(
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


def _joined(parts: list[Slate]) -> Slate:
    nothing = np.zeros((0, 1), dtype=np.int64)
    parts = [_slate(nothing[:, 0], nothing, nothing.astype(np.float64)), *parts]
    return Slate(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Slate))
    )
