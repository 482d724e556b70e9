"""Who shops: latent tastes that show in what a shopper clicks, and how often each one comes.

A taste is sparse: a handful of product types in one to three departments of each domain that the
shopper cares for, two brands in each of
them, a few colours for and against, a mood, a price level. Tastes for types drift from ``early``
to ``late`` in the course of the log; the rest stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.sample_shop.catalogue import Catalogue, Floats, Ints
from shelfwise.data.sample_shop.vocabulary import MOODS, Vocabulary

Floats32 = NDArray[np.float32]

_FEWEST_TYPES, _MOST_TYPES = 3, 8
_RANK_DECAY = 0.75  # interest in the next favourite type against the one before
_DRIFT = 0.45  # how far late scores stray from early ones, against a Gumbel's own spread
_SECOND_DOMAIN_SHARE = (0.5, 0.4, 0.1)  # shoppers who want none of it, some, nothing else
_LIKED_BRANDS = 2
_LIKED_COLOURS = _DISLIKED_COLOURS = 4
DEVICE_SHARE = (0.55, 0.37, 0.08)  # of shoppers, by the device they use most
COUNTRIES = {"en": ("GB", "IE", "US", "AU"), "zh": ("CN", "HK", "SG", "MY")}
_COUNTRY_SHARE = (0.6, 0.2, 0.12, 0.08)
_ACTIVITY_POWER = 1.7  # tail of the Pareto law of visits
_MOST_ACTIVE = 25.0  # times the least active


@dataclass(frozen=True, slots=True)
class Shoppers:
    """Latent tastes; training never sees them, only what they lead to."""

    activity_U: Floats  # relative number of visits, mean 1
    early_UT: Floats32  # interest in types at the log's start, rows sum to 1
    late_UT: Floats32  # the same at its end
    brand_UB: Floats32  # 1 for a liked brand, else 0
    colour_UC: Floats32  # 1 liked, -1 disliked, else 0
    mood_UM: Floats32  # 1 for the favourite mood, 0.4 for the second, -0.5 for the last
    level_U: Floats  # price level they are at ease with, in the units of Catalogue.level_I
    device_U: Ints  # what they use most; index into outcomes.DEVICES
    country_U: Ints  # index into the language's COUNTRIES

    def __len__(self) -> int:
        return len(self.activity_U)

    def interest(self, user: Ints, kind: Ints, elapsed: Floats) -> Floats:
        """Share of the shopper's interest in a type, after ``elapsed`` (0 to 1) of the log."""
        early, late = self.early_UT[user, kind], self.late_UT[user, kind]
        return np.asarray((1 - elapsed) * early + elapsed * late, dtype=np.float64)


def draw_shoppers(vocabulary: Vocabulary, users: int, rng: np.random.Generator) -> Shoppers:
    """Independent shoppers."""
    activity_U = np.minimum(rng.pareto(_ACTIVITY_POWER, users) + 1, _MOST_ACTIVE)
    type_department_T = np.array([row.department for row in vocabulary.types])
    department_UD = 3.0 * rng.gumbel(size=(users, len(vocabulary.departments)))
    appeal_T = rng.normal(0, 0.5, len(vocabulary.types))
    score_UT = (
        department_UD[:, type_department_T]
        + appeal_T
        + 1.5 * rng.gumbel(size=(users, len(vocabulary.types)))
    )
    strayed_UT = score_UT + _DRIFT * rng.gumbel(size=score_UT.shape)
    count_U = np.clip(_FEWEST_TYPES + rng.poisson(1.5, users), _FEWEST_TYPES, _MOST_TYPES)
    level_U = rng.normal(0, 0.9, users)
    domain_T = np.array([row.domain for row in vocabulary.types])
    share_UD = _domain_shares(users, int(domain_T.max()) + 1, rng)
    return Shoppers(
        activity_U=activity_U / activity_U.mean(),
        early_UT=_interest(score_UT, count_U, domain_T, share_UD),
        late_UT=_interest(strayed_UT, count_U, domain_T, share_UD),
        brand_UB=_liked_brands(vocabulary, level_U, rng),
        colour_UC=_for_and_against(users, len(vocabulary.colours), rng),
        mood_UM=_moods(users, rng),
        level_U=level_U,
        device_U=rng.choice(len(DEVICE_SHARE), size=users, p=DEVICE_SHARE),
        country_U=rng.choice(len(_COUNTRY_SHARE), size=users, p=_COUNTRY_SHARE),
    )


def taste(shoppers: Shoppers, catalogue: Catalogue, user: Ints, item: Ints) -> Floats:
    """How much the shopper likes the item's brand, colour and mood; about -1 to 2.5."""
    colour = catalogue.colour_I[item]
    colour_liking = np.where(colour >= 0, shoppers.colour_UC[user, colour], 0)
    brand_liking = shoppers.brand_UB[user, catalogue.brand_I[item]]
    mood_liking = shoppers.mood_UM[user, catalogue.mood_I[item]]
    return np.asarray(brand_liking + 0.6 * colour_liking + 0.9 * mood_liking, dtype=np.float64)


def _domain_shares(users: int, domains: int, rng: np.random.Generator) -> Floats:
    """Share of each domain in a shopper's interest, rows sum to 1.

    Half of the shoppers want nothing of the second domain, a tenth nothing else, and for the rest
    it is two to eight tenths.
    """
    if domains == 1:
        return np.ones((users, 1))
    kind_U = rng.choice(3, size=users, p=_SECOND_DOMAIN_SHARE)
    some_U = rng.uniform(0.2, 0.8, users)
    second_U = np.where(kind_U == 0, 0.0, np.where(kind_U == 1, some_U, 1.0))
    return np.stack([1 - second_U, second_U], axis=1)


def _interest(score_UT: Floats, count_U: Ints, domain_T: Ints, share_UD: Floats) -> Floats32:
    """Interest in the favourite types of each domain, which has its share of the whole."""
    interest_UT = np.zeros(score_UT.shape, dtype=np.float32)
    for domain in np.unique(domain_T):
        inside = np.flatnonzero(domain_T == domain)
        ranked_UT = _ranked_interest(score_UT[:, inside], count_U)
        interest_UT[:, inside] = ranked_UT * share_UD[:, [domain]].astype(np.float32)
    return interest_UT


def _ranked_interest(score_UT: Floats, count_U: Ints) -> Floats32:
    """The best ``count`` types of each row, weighted geometrically by rank."""
    order_UT = np.argsort(-score_UT, axis=1)[:, :_MOST_TYPES]
    rank = np.arange(_MOST_TYPES)
    weight_UK = np.where(rank < count_U[:, None], _RANK_DECAY**rank, 0.0)
    weight_UK /= weight_UK.sum(axis=1, keepdims=True)
    interest_UT = np.zeros(score_UT.shape, dtype=np.float32)
    np.put_along_axis(interest_UT, order_UT, weight_UK.astype(np.float32), axis=1)
    return interest_UT


def _liked_brands(vocabulary: Vocabulary, level_U: Floats, rng: np.random.Generator) -> Floats32:
    """In each department the brands nearest the shopper's price level, give or take a whim."""
    tier_B = np.array([brand.tier for brand in vocabulary.brands])
    department_B = np.array([brand.department for brand in vocabulary.brands])
    gap_UB = np.abs(tier_B - level_U[:, None])
    score_UB = rng.gumbel(size=gap_UB.shape) - gap_UB
    liked_UB = np.zeros(score_UB.shape, dtype=np.float32)
    for department in range(len(vocabulary.departments)):
        brands = np.flatnonzero(department_B == department)
        best = np.argsort(-score_UB[:, brands], axis=1)[:, :_LIKED_BRANDS]
        np.put_along_axis(liked_UB, brands[best], 1.0, axis=1)
    return liked_UB


def _for_and_against(users: int, colours: int, rng: np.random.Generator) -> Floats32:
    order_UC = np.argsort(rng.random((users, colours)), axis=1)
    liking_UC = np.zeros((users, colours), dtype=np.float32)
    np.put_along_axis(liking_UC, order_UC[:, :_LIKED_COLOURS], 1.0, axis=1)
    np.put_along_axis(liking_UC, order_UC[:, -_DISLIKED_COLOURS:], -1.0, axis=1)
    return liking_UC


def _moods(users: int, rng: np.random.Generator) -> Floats32:
    liking = np.zeros(len(MOODS), dtype=np.float32)
    liking[[0, 1, -1]] = 1.0, 0.4, -0.5
    return np.asarray(rng.permuted(np.tile(liking, (users, 1)), axis=1))
