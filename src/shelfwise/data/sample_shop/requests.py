"""When shoppers come and what they ask for: sessions, each with an intent, and their requests.

A session's intent is a product type drawn from the shopper's interest at that moment; with some
chance it is the intent of the session before. Requests of a session are searches and
recommendation shelves, a minute or a few apart.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from shelfwise.data.sample_shop.catalogue import Catalogue, Flags, Ints
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.demand import Demand
from shelfwise.data.sample_shop.shoppers import DEVICE_SHARE, Shoppers

DAY_MS = 86_400_000

_SAME_INTENT_SHARE = 0.35  # sessions that go on with the intent of the one before
_WANDERING_SHARE = 0.12  # requests in a session that look at another of the shopper's types
SEARCH_SHARE = 0.55
_MEAN_REQUESTS = 2.4  # a session's
_MOST_REQUESTS = 8
_SHORTEST_GAP_MS, _MEAN_GAP_MS = 60_000, 90_000
_SHELF_ON_INTENT_SHARE = 0.6  # shelves anchored at the session's intent; the rest anywhere
_REORDER_SHARE = 0.6
_OTHER_DEVICE_SHARE = 0.2  # sessions on any device
# Relative traffic of the days from Monday to Sunday.
_WEEKDAY_WEIGHT = (1.0, 0.95, 0.95, 1.0, 1.1, 1.3, 1.35)
# Relative traffic of the 24 hours (UTC).
_HOUR_WEIGHT = (
    *(2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 10, 10),
    *(11, 10, 9, 9, 10, 11, 13, 15, 16, 14, 9, 5),
)


@dataclass(frozen=True, slots=True)
class Requests:
    """One row per page that a shopper asks for; advertising is added beside them."""

    visitor_R: Ints  # whom the log names: a shopper, or beyond the shoppers a bot
    user_R: Ints  # whose tastes word the queries and decide the clicks
    session_R: Ints
    at_R: Ints  # milliseconds since the log's start
    device_R: Ints
    intent_R: Ints  # the type the shopper has in mind
    is_search_R: Flags
    anchor_R: Ints  # a shelf's type, as the shop knows it; -1 for a search
    again_R: Ints  # item bought before that the shopper wants again, or -1
    named_R: Ints  # item whose brand the query names, or -1

    def __len__(self) -> int:
        return len(self.user_R)

    def rows(self, chosen: Ints) -> Requests:
        return Requests(*(getattr(self, field.name)[chosen] for field in fields(self)))


def stacked_requests(parts: list[Requests]) -> Requests:
    """One table out of several."""
    return Requests(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Requests)
        )
    )


def draw_visits(
    shoppers: Shoppers, catalogue: Catalogue, options: SampleOptions, rng: np.random.Generator
) -> Requests:
    """Every shopper's sessions in the log's time, with their requests."""
    mean_visits = options.visits_per_month * options.days / 30
    visits_U = rng.poisson(mean_visits * shoppers.activity_U)
    user_S = np.repeat(np.arange(len(shoppers)), visits_U)
    at_S = draw_moments(len(user_S), options, rng)
    by_time = np.lexsort((at_S, user_S))
    at_S = at_S[by_time]  # user_S is sorted already
    demand = Demand.of(shoppers, catalogue, options)
    intent_S = _intents(demand, user_S, at_S, rng)
    lengths_S = np.minimum(rng.geometric(1 / _MEAN_REQUESTS, len(user_S)), _MOST_REQUESTS)

    session_R = np.repeat(np.arange(len(user_S)), lengths_S)
    user_R = user_S[session_R]
    at_R = at_S[session_R] + _gaps(session_R, rng)
    wandering_R = rng.random(len(user_R)) < _WANDERING_SHARE
    intent_R = np.where(wandering_R, demand.draw(user_R, at_R, rng), intent_S[session_R])
    is_search_R = rng.random(len(user_R)) < SEARCH_SHARE
    on_intent_R = rng.random(len(user_R)) < _SHELF_ON_INTENT_SHARE
    popular_R = catalogue.type_I[
        rng.choice(len(catalogue), size=len(user_R), p=catalogue.popularity_I)
    ]
    requests = Requests(
        visitor_R=user_R,
        user_R=user_R,
        session_R=session_R,
        at_R=at_R,
        device_R=_devices(shoppers.device_U[user_S], rng)[session_R],
        intent_R=intent_R,
        is_search_R=is_search_R,
        anchor_R=np.where(is_search_R, -1, np.where(on_intent_R, intent_R, popular_R)),
        again_R=np.full(len(user_R), -1),
        named_R=np.full(len(user_R), -1),
    )
    return requests.rows(np.flatnonzero(at_R < options.days * DAY_MS))


@dataclass(frozen=True, slots=True)
class Bought:
    """Purchases that may be repeated."""

    user_P: Ints
    item_P: Ints
    at_P: Ints  # milliseconds since the log's start


def draw_reorders(
    bought: Bought,
    shoppers: Shoppers,
    catalogue: Catalogue,
    first_session: int,
    options: SampleOptions,
    rng: np.random.Generator,
) -> Requests:
    """Sessions of one search for what was bought before and is used up by now."""
    reorder_days_T = np.array([row.reorder_days for row in catalogue.vocabulary.types])
    lasts_P = reorder_days_T[catalogue.type_I[bought.item_P]]
    wait_P = lasts_P * rng.uniform(0.75, 1.25, len(lasts_P)) * DAY_MS
    at_P = bought.at_P + wait_P.astype(np.int64)
    comes_P = (lasts_P > 0) & (rng.random(len(lasts_P)) < _REORDER_SHARE)
    rows = np.flatnonzero(comes_P & (at_P < options.days * DAY_MS))
    item_R, user_R = bought.item_P[rows], bought.user_P[rows]
    return Requests(
        visitor_R=user_R,
        user_R=user_R,
        session_R=first_session + np.arange(len(rows)),
        at_R=at_P[rows],
        device_R=_devices(shoppers.device_U[user_R], rng),
        intent_R=catalogue.type_I[item_R],
        is_search_R=np.ones(len(rows), dtype=np.bool_),
        anchor_R=np.full(len(rows), -1),
        again_R=item_R,
        named_R=item_R,
    )


def draw_moments(count: int, options: SampleOptions, rng: np.random.Generator) -> Ints:
    """Any day, weekends a little more, at an hour when shops are busy."""
    weekday = (options.start.weekday() + np.arange(options.days)) % 7
    day_weight = np.array(_WEEKDAY_WEIGHT)[weekday]
    day = rng.choice(options.days, size=count, p=day_weight / day_weight.sum())
    hour_weight = np.array(_HOUR_WEIGHT, dtype=np.float64)
    hour = rng.choice(24, size=count, p=hour_weight / hour_weight.sum())
    return np.asarray(day * DAY_MS + hour * 3_600_000 + rng.integers(0, 3_600_000, count))


def _intents(demand: Demand, user_S: Ints, at_S: Ints, rng: np.random.Generator) -> Ints:
    """A type per session; sessions that stay repeat the last one drawn anew."""
    fresh_S = demand.draw(user_S, at_S, rng)
    stays_S = rng.random(len(user_S)) < _SAME_INTENT_SHARE
    stays_S[:1] = False
    stays_S[1:] &= user_S[1:] == user_S[:-1]
    last_fresh_S = np.maximum.accumulate(np.where(stays_S, 0, np.arange(len(user_S))))
    return np.asarray(fresh_S[last_fresh_S])


def _devices(usual_S: Ints, rng: np.random.Generator) -> Ints:
    """The shopper's own device, now and then another."""
    any_S = rng.choice(len(DEVICE_SHARE), size=len(usual_S), p=DEVICE_SHARE)
    return np.where(rng.random(len(usual_S)) < _OTHER_DEVICE_SHARE, any_S, usual_S)


def _gaps(session_R: Ints, rng: np.random.Generator) -> Ints:
    """Milliseconds from the session's start to each of its requests; 0 for the first."""
    gap_R = _SHORTEST_GAP_MS + rng.exponential(_MEAN_GAP_MS, len(session_R)).astype(np.int64)
    return since_first(session_R, gap_R)


def since_first(session_R: Ints, gap_R: Ints) -> Ints:
    """Sum of the gaps since the first row of each run of ``session_R``, whose own does not count.

    Sessions 5, 5, 6 with gaps 7, 2, 9 give 0, 2, 0.
    """
    first_R = np.ones(len(session_R), dtype=bool)
    first_R[1:] = session_R[1:] != session_R[:-1]
    total_R = np.cumsum(np.where(first_R, 0, gap_R))
    start_R = np.maximum.accumulate(np.where(first_R, total_R, 0))
    return np.asarray(total_R - start_R)
