"""Draws what visitors do with what they are shown, and when each thing happens.

click     after 2 s + 1.5 s * position + Exponential(6 s), 55 s at most; bots in their own time
purchase  see ``purchase_delay``
cart      before each purchase, and after 12 % of the clicks that end without one
return    5 % * exp(-quality / 2) of the purchases, 2 to 14 days later
"""

from __future__ import annotations

import numpy as np

from shelfwise.data.sample_shop.bots import click_times, with_habits
from shelfwise.data.sample_shop.catalogue import Ints
from shelfwise.data.sample_shop.outcomes import Shown, Truth, true_probabilities
from shelfwise.data.sample_shop.pages import NEVER, Pages, Reactions
from shelfwise.data.sample_shop.policy import Slate
from shelfwise.data.sample_shop.purchase_delay import draw_delays
from shelfwise.data.sample_shop.queries import Searches, match_strength
from shelfwise.data.sample_shop.requests import DAY_MS
from shelfwise.data.sample_shop.storefront import Storefront

_MINUTE_MS = 60_000
_IDLE_CART_SHARE = 0.12
_RETURN_SHARE = 0.05  # of an item of middling quality


def probabilities(
    front: Storefront, pages: Pages, searches: Searches, slate: Slate, days: int
) -> Truth:
    """With what probability each impression is clicked and, if it is, bought."""
    page_N = slate.row_N
    search_N = pages.search_P[page_N]
    match_N = np.zeros(len(page_N))
    queried = np.flatnonzero(search_N >= 0)
    match_N[queried] = match_strength(
        searches, search_N[queried], front.catalogue, slate.item_N[queried]
    )
    shown = Shown(
        user_N=pages.user_P[page_N],
        item_N=slate.item_N,
        intent_N=pages.intent_P[page_N],
        surface_N=pages.surface_P[page_N],
        position_N=slate.position_N,
        device_N=pages.device_P[page_N],
        match_N=match_N,
        again_N=pages.again_P[page_N] == slate.item_N,
        elapsed_N=pages.at_P[page_N] / (days * DAY_MS),
    )
    truth = true_probabilities(shown, front.shoppers, front.catalogue)
    return with_habits(truth, front.bots, _bots_of(front, pages, slate), slate.item_N)


def react(
    front: Storefront, pages: Pages, slate: Slate, truth: Truth, rng: np.random.Generator
) -> Reactions:
    """Bernoulli draws with the given probabilities."""
    count = len(slate.row_N)
    clicked_N = rng.random(count) < truth.p_click_N
    bought_N = clicked_N & (rng.random(count) < truth.p_convert_N)
    usual_N = 2_000 + 1_500 * slate.position_N + rng.exponential(6_000, count)
    reading_N = click_times(
        np.minimum(usual_N, 55_000).astype(np.int64),
        slate.position_N,
        front.bots,
        _bots_of(front, pages, slate),
        rng,
    )
    click_at_N = pages.at_P[slate.row_N] + reading_N

    delay_N = draw_delays(count, rng)
    idle_N = clicked_N & ~bought_N & (rng.random(count) < _IDLE_CART_SHARE)
    idle_N &= truth.p_convert_N > 0  # who never buys fills no cart
    hesitation_N = rng.uniform(0.05, 0.6, count) * delay_N
    patience_N = rng.uniform(1, 40, count) * _MINUTE_MS
    cart_at_N = click_at_N + np.minimum(hesitation_N, patience_N).astype(np.int64)

    quality_N = front.catalogue.quality_I[slate.item_N]
    return_share_N = np.minimum(_RETURN_SHARE * np.exp(-0.5 * quality_N), 1)
    returned_N = bought_N & (rng.random(count) < return_share_N)
    return_at_N = click_at_N + delay_N + rng.integers(2 * DAY_MS, 14 * DAY_MS, count)
    reorder_T = np.array([row.reorder_days for row in front.catalogue.vocabulary.types])
    several_N = reorder_T[front.catalogue.type_I[slate.item_N]] > 0
    return Reactions(
        click_at_N=np.where(clicked_N, click_at_N, NEVER),
        cart_at_N=np.where(bought_N | idle_N, cart_at_N, NEVER),
        purchase_at_N=np.where(bought_N, click_at_N + delay_N, NEVER),
        return_at_N=np.where(returned_N, return_at_N, NEVER),
        quantity_N=1 + np.where(several_N, rng.poisson(0.4, count), 0),
    )


def _bots_of(front: Storefront, pages: Pages, slate: Slate) -> Ints:
    """Number of the bot that sees each impression; below 0 for a shopper."""
    return np.asarray(pages.visitor_P[slate.row_N] - len(front.shoppers))
