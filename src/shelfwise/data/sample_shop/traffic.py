"""A storefront's whole log: requests answered by the policies, and what came of every impression.

``simulate`` runs in waves: the visits of the log's time, then the reorders that their purchases
lead to, then the reorders of those; then the bots, and last the advertising beside all pages,
because budgets are spent in the order of time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from shelfwise.data.sample_shop.addresses import draw_addresses
from shelfwise.data.sample_shop.advertising import advertise
from shelfwise.data.sample_shop.bots import draw_bots
from shelfwise.data.sample_shop.catalogue import Ints
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.outcomes import SURFACES
from shelfwise.data.sample_shop.pages import NEVER, Pages, Wave, moved, stacked
from shelfwise.data.sample_shop.policy import show_search
from shelfwise.data.sample_shop.queries import Searches, Wanted, draw_searches
from shelfwise.data.sample_shop.reactions import probabilities, react
from shelfwise.data.sample_shop.requests import Bought, Requests, draw_reorders, draw_visits
from shelfwise.data.sample_shop.shelves import show_shelves
from shelfwise.data.sample_shop.storefront import Storefront

SEARCH, RECOMMENDATION, ADS = range(len(SURFACES))

_MOST_WAVES = 4
_AD_EVENTS_PER_REQUEST = 0.8  # two impressions beside two of five pages, and few clicks


@dataclass(frozen=True, slots=True)
class Log:
    """What a storefront saw. Waves share visitors and sessions, not pages."""

    front: Storefront
    waves: tuple[Wave, ...]
    visitor_S: Ints
    address_S: Ints
    id_V: Ints  # the number in each visitor's user id; bots are scattered among shoppers


def simulate(front: Storefront, options: SampleOptions, rng: np.random.Generator) -> Log:
    """Everything that happens in the log's time.

    Bots draw from a stream of their own, so that shoppers do the same with them and without.
    """
    for_bots, for_ads = rng.spawn(2)
    visits = draw_visits(front.shoppers, front.catalogue, options, rng)
    requests, sessions = visits, 0
    waves: list[Wave] = []
    while len(requests) and len(waves) < _MOST_WAVES:
        sessions = max(sessions, int(requests.session_R.max()) + 1)
        waves.append(_shop(front, requests, options, rng))
        requests = draw_reorders(
            _bought(waves[-1]), front.shoppers, front.catalogue, sessions, options, rng
        )
    per_request = _AD_EVENTS_PER_REQUEST + _events(waves) / sum(len(wave.pages) for wave in waves)
    bots, requests = draw_bots(visits, per_request, front.catalogue, options, for_bots)
    if len(bots):
        front = replace(front, bots=bots)
        requests = replace(
            requests,
            visitor_R=len(front.shoppers) + requests.visitor_R,
            session_R=sessions + requests.session_R,
        )
        waves.append(_shop(front, requests, options, for_bots))
    waves.append(advertise(front, waves, options, for_ads))
    visitors = len(front.shoppers) + len(bots)
    visitor_S = _visitor_of(waves)
    return Log(
        front=front,
        waves=tuple(waves),
        visitor_S=visitor_S,
        address_S=draw_addresses(visitor_S, len(front.shoppers), bots, for_bots),
        id_V=for_bots.permutation(visitors) if len(bots) else np.arange(visitors),
    )


def _shop(
    front: Storefront, requests: Requests, options: SampleOptions, rng: np.random.Generator
) -> Wave:
    """Searches and shelves, without the advertising beside them."""
    catalogue = front.catalogue
    searching = np.flatnonzero(requests.is_search_R)
    browsing = np.flatnonzero(~requests.is_search_R)
    searches = draw_searches(
        Wanted(
            user_Q=requests.user_R[searching],
            type_Q=requests.intent_R[searching],
            item_Q=requests.named_R[searching],
        ),
        front.shoppers,
        catalogue,
        options.typo_share,
        rng,
    )
    pages = _pages(requests, searches)
    results = show_search(
        searches, requests.again_R[searching], requests.at_R[searching], catalogue, rng
    )
    shelves = show_shelves(
        requests.anchor_R[browsing],
        requests.at_R[browsing],
        catalogue,
        options.exploration_share,
        rng,
    )
    slate = stacked([moved(results, searching), moved(shelves, browsing)])
    truth = probabilities(front, pages, searches, slate, options.days)
    return Wave(pages, searches, slate, truth, react(front, pages, slate, truth, rng))


def _pages(requests: Requests, searches: Searches) -> Pages:
    search_P = np.where(requests.is_search_R, np.cumsum(requests.is_search_R) - 1, -1)
    query_P = np.full(len(requests), None, dtype=np.object_)
    query_P[requests.is_search_R] = searches.texts
    return Pages(
        visitor_P=requests.visitor_R,
        user_P=requests.user_R,
        session_P=requests.session_R,
        at_P=requests.at_R,
        device_P=requests.device_R,
        surface_P=np.where(requests.is_search_R, SEARCH, RECOMMENDATION),
        query_P=query_P,
        search_P=search_P,
        intent_P=requests.intent_R,
        anchor_P=np.where(requests.is_search_R, requests.intent_R, requests.anchor_R),
        again_P=requests.again_R,
    )


def _bought(wave: Wave) -> Bought:
    rows = np.flatnonzero(wave.reactions.purchase_at_N != NEVER)
    return Bought(
        user_P=wave.pages.user_P[wave.slate.row_N[rows]],
        item_P=wave.slate.item_N[rows],
        at_P=wave.reactions.purchase_at_N[rows],
    )


def _events(waves: list[Wave]) -> int:
    """How many lines of the log the waves lead to, late ones included."""
    lines = 0
    for wave in waves:
        then = wave.reactions
        lines += len(wave.searches) + len(wave.slate.row_N)
        for at_N in (then.click_at_N, then.cart_at_N, then.purchase_at_N, then.return_at_N):
            lines += int((at_N != NEVER).sum())
    return lines


def _visitor_of(waves: list[Wave]) -> Ints:
    """Visitor of each session; every number up to the largest has one, though some have no page."""
    sessions = 1 + max(int(wave.pages.session_P.max(initial=-1)) for wave in waves)
    visitor_S = np.zeros(sessions, dtype=np.int64)
    for wave in waves:
        visitor_S[wave.pages.session_P] = wave.pages.visitor_P
    return visitor_S
