"""What shoppers do with what they are shown, and the true probabilities behind it.

    examination = first place's share of the surface / position ** decay
    relevance   = sigmoid(click utility) = P(click | examined)
    p_click     = examination * relevance
    p_convert   = sigmoid(purchase utility) = P(purchase, ever | click)

The utilities are sums over things a model can see or infer: match of query and item, whether the
item is what the session is about, the shopper's taste for type, brand, colour and mood, the
distance from the shopper's price level, an earlier purchase; and the item's quality, which shows
only in how often it is clicked and bought. Device, country and domain add a little. There is
no other noise than the Bernoulli draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shelfwise.data.sample_shop.catalogue import Catalogue, Flags, Floats, Ints
from shelfwise.data.sample_shop.shoppers import Shoppers, taste

SURFACES = ("search", "recommendation", "ads")  # numbered in this order in every surface array
DEVICES = ("mobile", "desktop", "tablet")
MOBILE, DESKTOP, TABLET = range(len(DEVICES))
_FIRST_EXAMINED = np.array([1.0, 0.95, 0.75])
_DECAY = np.array([0.7, 0.45, 0.5])


@dataclass(frozen=True, slots=True)
class Shown:
    """Impressions with what decides their outcome, one row each."""

    user_N: Ints
    item_N: Ints
    intent_N: Ints  # type the shopper has in mind
    surface_N: Ints  # index into SURFACES
    position_N: Ints
    device_N: Ints  # index into DEVICES
    match_N: Floats  # query match, 0 where there is no query
    again_N: Flags  # bought before and wanted again
    elapsed_N: Floats  # share of the log's time gone by


@dataclass(frozen=True, slots=True)
class Truth:
    """The probabilities that the draws used, one row per impression."""

    examination_N: Floats
    relevance_N: Floats
    p_click_N: Floats
    p_convert_N: Floats


@dataclass(frozen=True, slots=True)
class Utility:
    """Weights of a logit."""

    base: tuple[float, float, float]  # by surface
    match: float
    intent: float
    interest: float
    taste: float
    price: float
    quality: float
    again: float
    consumable: float
    device: tuple[float, float, float]
    country: tuple[float, float, float, float]  # by the numbers of shoppers.COUNTRIES
    domain: tuple[float, float]


CLICK = Utility(
    base=(-5.7, -3.35, -4.1),
    match=2.5,
    intent=1.4,
    interest=1.2,
    taste=0.95,
    price=0.6,
    quality=0.25,
    again=2.0,
    consumable=0.0,
    device=(0.15, 0.0, -0.1),
    country=(0.0, 0.1, -0.1, 0.2),
    domain=(0.0, 0.2),
)
PURCHASE = Utility(
    base=(-5.6, -4.2, -4.6),
    match=1.6,
    intent=0.8,
    interest=1.0,
    taste=0.9,
    price=0.9,
    quality=0.4,
    again=1.5,
    consumable=0.8,
    device=(-0.3, 0.2, 0.0),
    country=(0.0, 0.0, 0.1, -0.2),
    domain=(0.0, 0.5),
)


def examination(surface_N: Ints, position_N: Ints) -> Floats:
    """Probability that the shopper looks at a place at all; it depends on nothing else."""
    return np.asarray(_FIRST_EXAMINED[surface_N] / position_N ** _DECAY[surface_N])


def true_probabilities(shown: Shown, shoppers: Shoppers, catalogue: Catalogue) -> Truth:
    """The world model, exactly."""
    features = _features(shown, shoppers, catalogue)
    examined_N = examination(shown.surface_N, shown.position_N)
    relevance_N = _sigmoid(_utility(CLICK, features, shown))
    return Truth(
        examination_N=examined_N,
        relevance_N=relevance_N,
        p_click_N=examined_N * relevance_N,
        p_convert_N=_sigmoid(_utility(PURCHASE, features, shown)),
    )


@dataclass(frozen=True, slots=True)
class _Features:
    intent_N: Floats
    interest_N: Floats
    taste_N: Floats
    price_gap_N: Floats
    quality_N: Floats
    consumable_N: Floats
    country_N: Ints
    domain_N: Ints


def _features(shown: Shown, shoppers: Shoppers, catalogue: Catalogue) -> _Features:
    types = catalogue.vocabulary.types
    category_T = np.array([row.category for row in types])
    department_T = np.array([row.department for row in types])
    reorder_T = np.array([row.reorder_days for row in types])
    type_N = catalogue.type_I[shown.item_N]
    near_N = np.where(category_T[type_N] == category_T[shown.intent_N], 0.4, 0.0)
    near_N = np.where(
        (near_N == 0) & (department_T[type_N] == department_T[shown.intent_N]), 0.1, near_N
    )
    # A third of all interest in one type is as much as shoppers have; the root lifts the others.
    interest_N = shoppers.interest(shown.user_N, type_N, shown.elapsed_N)
    gap_N = np.abs(catalogue.level_I[shown.item_N] - shoppers.level_U[shown.user_N])
    return _Features(
        intent_N=np.where(type_N == shown.intent_N, 1.0, near_N),
        interest_N=np.sqrt(np.minimum(3 * interest_N, 1.0)),
        taste_N=taste(shoppers, catalogue, shown.user_N, shown.item_N),
        price_gap_N=np.minimum(gap_N, 2.5),
        quality_N=catalogue.quality_I[shown.item_N],
        consumable_N=(reorder_T[type_N] > 0).astype(np.float64),
        country_N=shoppers.country_U[shown.user_N],
        domain_N=np.array([row.domain for row in types])[type_N],
    )


def _utility(weights: Utility, features: _Features, shown: Shown) -> Floats:
    return np.asarray(
        np.array(weights.base)[shown.surface_N]
        + weights.match * shown.match_N
        + weights.intent * features.intent_N
        + weights.interest * features.interest_N
        + weights.taste * features.taste_N
        - weights.price * features.price_gap_N
        + weights.quality * features.quality_N
        + weights.again * shown.again_N
        + weights.consumable * features.consumable_N
        + np.array(weights.device)[shown.device_N]
        + np.array(weights.country)[features.country_N]
        + np.array(weights.domain)[features.domain_N]
    )


def _sigmoid(logit_N: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logit_N)))
