"""A storefront's whole log: requests answered by the policies, and what came of every impression.

``simulate`` runs in waves: the visits of the log's time, then the reorders that their purchases
lead to, then the reorders of those. Whoever adds other visitors (bots that click for money, say)
adds a function from requests to a Wave beside ``_shop`` and appends its waves here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.sample_shop.campaigns import Campaigns, draw_campaigns
from shelfwise.data.sample_shop.catalogue import (
    Catalogue,
    Ints,
    draw_catalogue,
    shop_vocabulary,
)
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.outcomes import SURFACES, Shown, Truth, true_probabilities
from shelfwise.data.sample_shop.policy import Slate, show_ads, show_search, show_shelves
from shelfwise.data.sample_shop.queries import Searches, Wanted, draw_searches, match_strength
from shelfwise.data.sample_shop.requests import (
    DAY_MS,
    Bought,
    Requests,
    draw_reorders,
    draw_visits,
)
from shelfwise.data.sample_shop.shoppers import Shoppers, draw_shoppers

SEARCH, RECOMMENDATION, ADS = range(len(SURFACES))

_MOST_WAVES = 4
_ADS_BY_SEARCH_SHARE, _ADS_BY_SHELF_SHARE = 0.5, 0.25
_MINUTE_MS = 60_000
_LONGEST_PURCHASE_DELAY_MS = 5 * DAY_MS
_IDLE_CART_SHARE = 0.12  # clicks that end in a cart and no further
_RETURN_SHARE = 0.05  # of an item of middling quality


@dataclass(frozen=True, slots=True)
class Storefront:
    """One language's world: what is sold, to whom, and who advertises."""

    catalogue: Catalogue
    shoppers: Shoppers
    campaigns: Campaigns


@dataclass(frozen=True, slots=True)
class Pages:
    """Lists shown, one row per request id."""

    user_P: Ints
    session_P: Ints
    at_P: Ints  # milliseconds since the log's start
    surface_P: Ints
    query_P: NDArray[np.object_]  # text as typed; None where there is no query
    search_P: Ints  # row of Wave.searches, -1 where there is no query
    intent_P: Ints
    again_P: Ints

    def rows(self, chosen: Ints) -> Pages:
        return Pages(*(getattr(self, field.name)[chosen] for field in fields(self)))


Columns = TypeVar("Columns", Pages, Slate)  # dataclasses of arrays of one length


@dataclass(frozen=True, slots=True)
class Reactions:
    """What followed each impression; times in milliseconds since the log's start, -1 for never."""

    click_at_N: Ints
    cart_at_N: Ints
    purchase_at_N: Ints
    return_at_N: Ints
    quantity_N: Ints


@dataclass(frozen=True, slots=True)
class Wave:
    """Pages, what stood on them, why it was clicked, and what followed."""

    pages: Pages
    searches: Searches
    slate: Slate  # its rows point into pages
    truth: Truth
    reactions: Reactions


def open_storefront(
    language: str, users: int, items: int, options: SampleOptions, rng: np.random.Generator
) -> Storefront:
    """Draw a language's catalogue, shoppers and campaigns."""
    vocabulary = shop_vocabulary(language)
    catalogue = draw_catalogue(vocabulary, items, rng)
    return Storefront(
        catalogue=catalogue,
        shoppers=draw_shoppers(vocabulary, users, rng),
        campaigns=draw_campaigns(catalogue, options.days, rng),
    )


def simulate(front: Storefront, options: SampleOptions, rng: np.random.Generator) -> list[Wave]:
    """Everything that happens in the log's time."""
    requests = draw_visits(front.shoppers, front.catalogue, options, rng)
    waves: list[Wave] = []
    sessions = 0
    while len(requests) and len(waves) < _MOST_WAVES:
        sessions = max(sessions, int(requests.session_R.max()) + 1)
        waves.append(_shop(front, requests, options, rng))
        requests = draw_reorders(_bought(waves[-1]), front.catalogue, sessions, options, rng)
    return waves


def _shop(
    front: Storefront, requests: Requests, options: SampleOptions, rng: np.random.Generator
) -> Wave:
    catalogue = front.catalogue
    searching = np.flatnonzero(requests.is_search_R)
    browsing = np.flatnonzero(~requests.is_search_R)
    searches = draw_searches(
        Wanted(
            user_Q=requests.user_R[searching],
            type_Q=requests.intent_R[searching],
            item_Q=requests.again_R[searching],
        ),
        front.shoppers,
        catalogue,
        options.typo_share,
        rng,
    )
    pages = _pages(requests, searches)
    beside = _pages_with_ads(requests, rng)
    ad_pages = pages.rows(beside)

    results = show_search(searches, requests.again_R[searching], catalogue, rng)
    shelves = show_shelves(requests.anchor_R[browsing], catalogue, options.exploration_share, rng)
    anchor_R = np.where(requests.is_search_R, requests.intent_R, requests.anchor_R)
    ads = show_ads(anchor_R[beside], ad_pages.at_P, front.campaigns, catalogue, rng)

    pages = _stacked(Pages, [pages, _as_ads(ad_pages)])
    slate = _stacked(
        Slate,
        [
            _moved(results, searching),
            _moved(shelves, browsing),
            _moved(ads, len(requests) + np.arange(len(beside))),
        ],
    )
    truth = true_probabilities(
        _shown(pages, searches, slate, catalogue, options), front.shoppers, catalogue
    )
    reactions = _react(truth, pages.at_P[slate.row_N], slate, catalogue, rng)
    return Wave(pages, searches, slate, truth, reactions)


def _pages(requests: Requests, searches: Searches) -> Pages:
    search_P = np.where(requests.is_search_R, np.cumsum(requests.is_search_R) - 1, -1)
    query_P = np.full(len(requests), None, dtype=np.object_)
    query_P[requests.is_search_R] = searches.texts
    return Pages(
        user_P=requests.user_R,
        session_P=requests.session_R,
        at_P=requests.at_R,
        surface_P=np.where(requests.is_search_R, SEARCH, RECOMMENDATION),
        query_P=query_P,
        search_P=search_P,
        intent_P=requests.intent_R,
        again_P=requests.again_R,
    )


def _pages_with_ads(requests: Requests, rng: np.random.Generator) -> Ints:
    share_R = np.where(requests.is_search_R, _ADS_BY_SEARCH_SHARE, _ADS_BY_SHELF_SHARE)
    return np.flatnonzero(rng.random(len(requests)) < share_R)


def _as_ads(pages: Pages) -> Pages:
    return replace(pages, surface_P=np.full(len(pages.user_P), ADS))


def _shown(
    pages: Pages, searches: Searches, slate: Slate, catalogue: Catalogue, options: SampleOptions
) -> Shown:
    page_N = slate.row_N
    search_N = pages.search_P[page_N]
    match_N = np.zeros(len(page_N))
    queried = np.flatnonzero(search_N >= 0)
    match_N[queried] = match_strength(searches, search_N[queried], catalogue, slate.item_N[queried])
    return Shown(
        user_N=pages.user_P[page_N],
        item_N=slate.item_N,
        intent_N=pages.intent_P[page_N],
        surface_N=pages.surface_P[page_N],
        position_N=slate.position_N,
        match_N=match_N,
        again_N=pages.again_P[page_N] == slate.item_N,
        elapsed_N=pages.at_P[page_N] / (options.days * DAY_MS),
    )


def _react(
    truth: Truth, shown_at_N: Ints, slate: Slate, catalogue: Catalogue, rng: np.random.Generator
) -> Reactions:
    """Bernoulli draws with the true probabilities, and when each thing happened."""
    count = len(shown_at_N)
    clicked_N = rng.random(count) < truth.p_click_N
    bought_N = clicked_N & (rng.random(count) < truth.p_convert_N)
    reading_N = 2_000 + 1_500 * slate.position_N + rng.exponential(6_000, count)
    click_at_N = shown_at_N + np.minimum(reading_N, 55_000).astype(np.int64)

    purchase_at_N = click_at_N + _purchase_delay(count, rng)
    idle_N = clicked_N & ~bought_N & (rng.random(count) < _IDLE_CART_SHARE)
    hesitation_N = rng.uniform(0.05, 0.6, count) * (purchase_at_N - click_at_N)
    patience_N = rng.uniform(1, 40, count) * _MINUTE_MS
    cart_at_N = click_at_N + np.minimum(hesitation_N, patience_N).astype(np.int64)

    return_share_N = np.minimum(_RETURN_SHARE * np.exp(-0.5 * catalogue.quality_I[slate.item_N]), 1)
    returned_N = bought_N & (rng.random(count) < return_share_N)
    return_at_N = purchase_at_N + rng.integers(2 * DAY_MS, 14 * DAY_MS, count)
    reorder_T = np.array([row.reorder_days for row in catalogue.vocabulary.types])
    several_N = reorder_T[catalogue.type_I[slate.item_N]] > 0
    return Reactions(
        click_at_N=np.where(clicked_N, click_at_N, -1),
        cart_at_N=np.where(bought_N | idle_N, cart_at_N, -1),
        purchase_at_N=np.where(bought_N, purchase_at_N, -1),
        return_at_N=np.where(returned_N, return_at_N, -1),
        quantity_N=1 + np.where(several_N, rng.poisson(0.4, count), 0),
    )


def _purchase_delay(count: int, rng: np.random.Generator) -> Ints:
    """From a minute and a half to five days: half within 45 minutes, one in twelve after a day."""
    delay_N = 45 * _MINUTE_MS * rng.lognormal(0, 2.4, count)
    return np.clip(delay_N, 1.5 * _MINUTE_MS, _LONGEST_PURCHASE_DELAY_MS).astype(np.int64)


def _bought(wave: Wave) -> Bought:
    rows = np.flatnonzero(wave.reactions.purchase_at_N >= 0)
    return Bought(
        user_P=wave.pages.user_P[wave.slate.row_N[rows]],
        item_P=wave.slate.item_N[rows],
        at_P=wave.reactions.purchase_at_N[rows],
    )


def _moved(slate: Slate, page_R: Ints) -> Slate:
    """The same impressions, pointing at ``page_R[row]`` instead of ``row``."""
    return replace(slate, row_N=page_R[slate.row_N])


def _stacked(kind: type[Columns], parts: list[Columns]) -> Columns:
    """One table out of several, column by column."""
    return kind(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(kind))
    )
