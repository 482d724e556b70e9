"""What stands on a recommendation shelf, and with what exact probability.

Each slot is a mixture of three ways to choose, each over the items that are sold at that moment and
not above in the list: uniform exploration of the anchor's domain, popularity in the domain, and
popularity in the anchor's category.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shelfwise.data.sample_shop.catalogue import Catalogue, Floats, Ints
from shelfwise.data.sample_shop.policy import SMALLEST_POOL, Slate, slate_of

SHELF_LENGTHS = (8, 9, 10)

_POPULAR_SHARE = 0.35  # of the slots that do not explore; the rest is around the anchor
_ROWS_AT_ONCE = 200_000
_LATER = 2**40  # milliseconds beyond every log


def show_shelves(
    anchor_R: Ints,
    at_R: Ints,
    catalogue: Catalogue,
    exploration_share: float,
    rng: np.random.Generator,
) -> Slate:
    """Eight to ten items for every shelf."""
    mixture = ShelfMixture.of(catalogue, exploration_share)
    length_R = rng.choice(SHELF_LENGTHS, size=len(anchor_R))
    item_RL = np.full((len(anchor_R), max(SHELF_LENGTHS)), -1, dtype=np.int64)
    propensity_RL = np.zeros(item_RL.shape)
    for start in range(0, len(anchor_R), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        choice = mixture.choice(anchor_R[part], at_R[part])
        for slot in range(item_RL.shape[1]):
            above_RL = item_RL[part, :slot]
            item_RL[part, slot] = mixture.draw(choice, above_RL, rng)
            propensity_RL[part, slot] = mixture.probability(choice, above_RL, item_RL[part, slot])
    shown = np.arange(item_RL.shape[1]) < length_R[:, None]
    return slate_of(np.arange(len(anchor_R)), item_RL, propensity_RL, shown)


@dataclass(frozen=True, slots=True)
class Pool:
    """Items sorted by part (a domain, or a group of types) and by arrival.

    So what is sold in a part at a moment is one run of places, and its weight one difference.
    """

    part_I: Ints  # part of each item, by item number
    item_X: Ints
    key_X: Ints
    sum_X: Floats  # weight before each place, and the whole

    @classmethod
    def of(cls, part_I: Ints, catalogue: Catalogue) -> Pool:
        available = np.flatnonzero(catalogue.available_I)
        key = part_I[available] * _LATER + catalogue.added_I[available]
        order = np.argsort(key, kind="stable")
        item_X = available[order]
        return cls(
            part_I=part_I,
            item_X=item_X,
            key_X=key[order],
            sum_X=np.concatenate(([0.0], np.cumsum(catalogue.popularity_I[item_X]))),
        )

    def run(self, part_R: Ints, at_R: Ints) -> tuple[Ints, Ints]:
        """First place, and the place after the last, of what is sold in a part at a moment."""
        start_R = np.searchsorted(self.key_X, part_R * _LATER, side="left")
        return start_R, np.searchsorted(self.key_X, part_R * _LATER + at_R, side="right")

    def by_weight(self, run: tuple[Ints, Ints], below_R: Floats) -> Ints:
        """Items at the share ``below`` (0 to 1) of the weight of their runs."""
        start_R, end_R = run
        low_R, high_R = self.sum_X[start_R], self.sum_X[end_R]
        place_R = np.searchsorted(self.sum_X, low_R + below_R * (high_R - low_R), "right") - 1
        return np.asarray(self.item_X[np.clip(place_R, start_R, end_R - 1)])

    def uniformly(self, run: tuple[Ints, Ints], below_R: Floats) -> Ints:
        start_R, end_R = run
        return np.asarray(self.item_X[start_R + (below_R * (end_R - start_R)).astype(np.int64)])

    def weight(self, run: tuple[Ints, Ints]) -> Floats:
        return np.asarray(self.sum_X[run[1]] - self.sum_X[run[0]])


@dataclass(frozen=True, slots=True)
class Choice:
    """Among what each slot of a request is chosen: runs in the two pools."""

    group_R: Ints
    domain_run: tuple[Ints, Ints]
    group_run: tuple[Ints, Ints]

    def rows(self, chosen: Ints) -> Choice:
        def of(run: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
            return run[0][chosen], run[1][chosen]

        return Choice(self.group_R[chosen], of(self.domain_run), of(self.group_run))


@dataclass(frozen=True, slots=True)
class ShelfMixture:
    """The distribution of a shelf's slot."""

    shares: tuple[float, float, float]  # explore, popular, around the anchor
    domain_T: Ints
    group_T: Ints  # the group of items around an anchor of each type
    domains: Pool
    groups: Pool
    weight_I: Floats

    @classmethod
    def of(cls, catalogue: Catalogue, exploration_share: float) -> ShelfMixture:
        rest = 1 - exploration_share
        domain_T = np.array([row.domain for row in catalogue.vocabulary.types])
        group_T = _groups(catalogue, domain_T)
        return cls(
            shares=(exploration_share, rest * _POPULAR_SHARE, rest * (1 - _POPULAR_SHARE)),
            domain_T=domain_T,
            group_T=group_T,
            domains=Pool.of(domain_T[catalogue.type_I], catalogue),
            groups=Pool.of(group_T[catalogue.type_I], catalogue),
            weight_I=catalogue.popularity_I,
        )

    def choice(self, anchor_R: Ints, at_R: Ints) -> Choice:
        """Among what the slots of shelves around ``anchor_R`` are chosen."""
        group_R = self.group_T[anchor_R]
        return Choice(
            group_R=group_R,
            domain_run=self.domains.run(self.domain_T[anchor_R], at_R),
            group_run=self.groups.run(group_R, at_R),
        )

    def draw(self, choice: Choice, above_RL: Ints, rng: np.random.Generator) -> Ints:
        """An item for the next slot of each request; what is above it is drawn again."""
        way_R = rng.choice(3, size=len(above_RL), p=self.shares)
        item_R = np.full(len(above_RL), -1, dtype=np.int64)
        rows = np.arange(len(above_RL))
        while len(rows):
            item_R[rows] = self._once(way_R[rows], choice.rows(rows), rng.random(len(rows)))
            rows = rows[(above_RL[rows] == item_R[rows][:, None]).any(axis=1)]
        return item_R

    def _once(self, way_R: Ints, choice: Choice, below_R: Floats) -> Ints:
        return np.choose(
            way_R,
            (
                self.domains.uniformly(choice.domain_run, below_R),
                self.domains.by_weight(choice.domain_run, below_R),
                self.groups.by_weight(choice.group_run, below_R),
            ),
        )

    def probability(self, choice: Choice, above_RL: Ints, item_R: Ints) -> Floats:
        """Exact probability of ``item`` in the next slot, given the items above."""
        explore, popular, around = self.shares
        above_weight_RL = self.weight_I[above_RL]
        in_group_RL = self.groups.part_I[above_RL] == choice.group_R[:, None]
        sold_R = choice.domain_run[1] - choice.domain_run[0]
        popular_left_R = self.domains.weight(choice.domain_run) - above_weight_RL.sum(axis=1)
        group_left_R = self.groups.weight(choice.group_run) - (above_weight_RL * in_group_RL).sum(
            axis=1
        )
        weight_R = self.weight_I[item_R]
        in_group_R = self.groups.part_I[item_R] == choice.group_R
        return np.asarray(
            explore / (sold_R - above_RL.shape[1])
            + popular * weight_R / popular_left_R
            + around * np.where(in_group_R, weight_R / group_left_R, 0.0)
        )


def _groups(catalogue: Catalogue, domain_T: Ints) -> Ints:
    """A group number for each type: its category, merged with neighbours where that is small.

    Small is what has few items on the log's first day. A group never spans two domains.
    """
    types = catalogue.vocabulary.types
    count = len(types)
    from_start = catalogue.available_I & (catalogue.added_I == 0)
    type_I = catalogue.type_I[from_start]
    label_T = np.array([row.category for row in types])
    department_T = np.array([row.department for row in types]) + count
    for coarser_T in (department_T, 2 * count + domain_T):
        size_T = np.bincount(label_T[type_I], minlength=3 * count)[label_T]
        label_T = np.where(size_T < SMALLEST_POOL, coarser_T, label_T)
    size_T = np.bincount(label_T[type_I], minlength=3 * count)[label_T]
    for domain in np.unique(domain_T):
        mine_T = domain_T == domain
        largest = label_T[mine_T][size_T[mine_T].argmax()]
        label_T = np.where(mine_T & (size_T < SMALLEST_POOL), largest, label_T)
    return np.unique(label_T, return_inverse=True)[1]
