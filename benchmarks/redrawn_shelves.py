"""Logs of a sample shop's shelves drawn again and again: same shoppers, new lists, new clicks.

Shelves and their contexts come from one simulated storefront. A draw takes users with replacement,
fills their shelves slot by slot from the shop's own policy (exact propensities) and draws clicks
from the true probabilities. So the true value of any other policy is known, and how often an
interval holds it can be counted. Synthetic.

Shape suffixes: N = shown items, R = shelves, L = slots, S = actions drawn of the evaluated policy,
X = rows of one slot, I = items, P = pages, B = groups of shoppers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.outcomes import Truth
from shelfwise.data.sample_shop.pages import NEVER, Pages, rows
from shelfwise.data.sample_shop.policy import Slate
from shelfwise.data.sample_shop.queries import Searches
from shelfwise.data.sample_shop.reactions import probabilities
from shelfwise.data.sample_shop.shelves import ShelfMixture, show_shelves
from shelfwise.data.sample_shop.storefront import Storefront, open_storefront
from shelfwise.data.sample_shop.traffic import RECOMMENDATION, simulate
from shelfwise.evaluation.off_policy.logged import LoggedRows
from shelfwise.evaluation.off_policy.reward_model import modelled

_ACTIONS = 8  # drawn of the policy in each slot, for the reward model
_SLOTS = 10
_BLUR, _BLURS = 0.7, 499  # of the ranker's logit; groups of shoppers it errs for alike
_SHRUNK = 20.0  # impressions' worth of the mean rate


class _Slots(NamedTuple):
    """Every slot of some shelves, with what stands above it."""

    shelf_N: NDArray[np.int64]
    place_N: NDArray[np.int64]
    item_N: NDArray[np.int64]
    item_RL: NDArray[np.int64]


class _Step(NamedTuple):
    """One slot of all shelves, as the evaluated policy would fill it."""

    row_X: NDArray[np.int64]
    logged_X: NDArray[np.float64]  # the policy's probability of what the log put there
    chosen_SX: NDArray[np.int64]  # items drawn of the policy


@dataclass(frozen=True, slots=True)
class RedrawnShelves:
    """A storefront's shelves, and the share of uniform exploration in the policy evaluated."""

    front: Storefront
    pages: Pages
    searches: Searches
    options: SampleOptions
    policy: ShelfMixture
    rate_I: NDArray[np.float64]  # log of each item's click rate in an earlier log, shrunk
    noise_BI: NDArray[np.float64]

    @classmethod
    def of(cls, options: SampleOptions, exploration_share: float) -> RedrawnShelves:
        """The shelves of a simulated shop; the policy explores with another share than the log."""
        rng = np.random.default_rng([options.seed, 7])
        front = open_storefront("en", options.users, options.items, options, rng)
        wave = simulate(front, options, rng).waves[0]
        is_shelf_P = wave.pages.surface_P == RECOMMENDATION
        policy = ShelfMixture.of(front.catalogue, exploration_share)
        shown_N = is_shelf_P[wave.slate.row_N]
        item_N = wave.slate.item_N[shown_N]
        clicked_N = (wave.reactions.click_at_N != NEVER)[shown_N]
        items, mean = len(front.catalogue), clicked_N.mean()
        clicks_I = np.bincount(item_N, clicked_N, minlength=items)
        rate_I = (clicks_I + _SHRUNK * mean) / (np.bincount(item_N, minlength=items) + _SHRUNK)
        pages = rows(wave.pages, is_shelf_P)
        noise_BI = rng.normal(size=(_BLURS, items))
        return cls(front, pages, wave.searches, options, policy, np.log(rate_I), noise_BI)

    def draw(self, users: int, rng: np.random.Generator) -> LoggedRows:
        """The log of ``users`` shoppers drawn with replacement; each drawn one is a unit."""
        shelf_R, unit_R = self._of_users(users, rng)
        slate, slots = self._shown(shelf_R, rng)
        page_N = shelf_R[slots.shelf_N]
        clicked_N = (
            rng.random(len(page_N)) < self._truth(page_N, slots.item_N, slots.place_N).p_click_N
        )
        feature_NF = self._features(page_N, slots.item_N, slots.place_N)
        target_N, target_feature_NF = np.zeros(len(page_N)), np.zeros_like(feature_NF)
        for step in self._slot_by_slot(shelf_R, slots, rng):
            target_N[step.row_X] = step.logged_X
            for chosen_X in step.chosen_SX:
                told = self._features(page_N[step.row_X], chosen_X, slots.place_N[step.row_X])
                target_feature_NF[step.row_X] += told / _ACTIONS
        unit_N = unit_R[slots.shelf_N]
        reward_N = clicked_N.astype(np.float64)
        return LoggedRows(
            reward_N=reward_N,
            propensity_N=slate.propensity_N,
            target_N=target_N,
            unit_N=unit_N,
            modelled=modelled(feature_NF, target_feature_NF, reward_N, unit_N),
        )

    def true_value(self, draws: int, rng: np.random.Generator) -> tuple[float, float]:
        """Click rate of the policy's own actions, slot by slot below what the log put above them.

        Returns the mean over ``draws`` logs of all shelves, and its simulation error.
        """
        values = []
        for _ in range(draws):
            shelf_R = np.arange(len(self.pages))
            _, slots = self._shown(shelf_R, rng)
            total, count = 0.0, 0
            for step in self._slot_by_slot(shelf_R, slots, rng):
                shelf_X, place_X = slots.shelf_N[step.row_X], slots.place_N[step.row_X]
                for chosen_X in step.chosen_SX:
                    total += float(self._truth(shelf_X, chosen_X, place_X).p_click_N.sum())
                    count += len(chosen_X)
            values.append(total / count)
        return float(np.mean(values)), float(np.std(values) / np.sqrt(len(values)))

    def _of_users(
        self, users: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        known, user_R = np.unique(self.pages.user_P, return_inverse=True)
        order = np.argsort(user_R, kind="stable")
        count_U = np.bincount(user_R)
        start_U = np.cumsum(count_U) - count_U
        drawn = rng.integers(len(known), size=users)
        unit_R = np.repeat(np.arange(users), count_U[drawn])
        first_R = np.repeat(np.cumsum(count_U[drawn]) - count_U[drawn], count_U[drawn])
        return order[start_U[drawn][unit_R] + np.arange(len(unit_R)) - first_R], unit_R

    def _shown(self, shelf_R: NDArray[np.int64], rng: np.random.Generator) -> tuple[Slate, _Slots]:
        slate = show_shelves(
            self.pages.anchor_P[shelf_R],
            self.pages.at_P[shelf_R],
            self.front.catalogue,
            self.options.exploration_share,
            rng,
        )
        item_RL = np.full((len(shelf_R), _SLOTS), -1, dtype=np.int64)
        item_RL[slate.row_N, slate.position_N - 1] = slate.item_N
        return slate, _Slots(slate.row_N, slate.position_N, slate.item_N, item_RL)

    def _slot_by_slot(
        self, shelf_R: NDArray[np.int64], slots: _Slots, rng: np.random.Generator
    ) -> Iterator[_Step]:
        for slot in range(_SLOTS):
            row_X = np.flatnonzero(slots.place_N == slot + 1)
            page_X = shelf_R[slots.shelf_N[row_X]]
            choice = self.policy.choice(self.pages.anchor_P[page_X], self.pages.at_P[page_X])
            above_XL = slots.item_RL[slots.shelf_N[row_X], :slot]
            logged_X = self.policy.probability(choice, above_XL, slots.item_N[row_X])
            chosen = [self.policy.draw(choice, above_XL, rng) for _ in range(_ACTIONS)]
            yield _Step(row_X, logged_X, np.stack(chosen))

    def _truth(
        self, page_N: NDArray[np.int64], item_N: NDArray[np.int64], place_N: NDArray[np.int64]
    ) -> Truth:
        none = np.zeros(len(page_N))
        slate = Slate(page_N, item_N, place_N, none, none.astype(np.int64))
        return probabilities(self.front, self.pages, self.searches, slate, self.options.days)

    def _features(
        self, page_N: NDArray[np.int64], item_N: NDArray[np.int64], place_N: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """What the shop knows: popularity, past clicks, how near the anchor, and a ranker's score.

        The score stands in for a trained ranker: the true relevance, its logit blurred by noise
        that belongs to the shopper and the item.
        """
        catalogue = self.front.catalogue
        types = catalogue.vocabulary.types
        category_T = np.array([row.category for row in types])
        department_T = np.array([row.department for row in types])
        anchor_N, type_N = self.pages.anchor_P[page_N], catalogue.type_I[item_N]
        told = [
            type_N == anchor_N,
            category_T[type_N] == category_T[anchor_N],
            department_T[type_N] == department_T[anchor_N],
            np.log(catalogue.popularity_I[item_N]),
            self.rate_I[item_N],
            self._score(page_N, item_N),
        ]
        base = np.stack([np.ones(len(item_N)), *(np.asarray(one, float) for one in told)], axis=1)
        # Every figure once by itself and once fading down the shelf.
        return np.concatenate([base, base / np.sqrt(place_N)[:, None]], axis=1)

    def _score(self, page_N: NDArray[np.int64], item_N: NDArray[np.int64]) -> NDArray[np.float64]:
        relevance_N = self._truth(page_N, item_N, np.ones_like(item_N)).relevance_N
        noise_N = self.noise_BI[self.pages.user_P[page_N] % len(self.noise_BI), item_N]
        odds_N = relevance_N / (1 - relevance_N) * np.exp(_BLUR * noise_N)
        return np.asarray(odds_N / (1 + odds_N))
