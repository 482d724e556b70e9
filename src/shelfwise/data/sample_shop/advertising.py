"""Sponsored places beside the pages, sold in the order of time while budgets last.

A click costs its campaign the bid. A campaign whose budget cannot pay one click more is shown on
no later page. Pages are answered many at once: where a campaign runs out within such a block, the
pages up to there stay as they are and the later ones are drawn anew without it. What is kept
depends on nothing drawn for the later pages, so every page is drawn from its stated distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from shelfwise.data.sample_shop.catalogue import Flags, Ints
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.outcomes import SURFACES, Truth
from shelfwise.data.sample_shop.pages import NEVER, Pages, Reactions, Wave, moved, rows, stacked
from shelfwise.data.sample_shop.policy import Slate, show_ads
from shelfwise.data.sample_shop.queries import Searches, stacked_searches
from shelfwise.data.sample_shop.reactions import probabilities, react
from shelfwise.data.sample_shop.storefront import Storefront

_ADS = SURFACES.index("ads")
_ADS_BY_SEARCH_SHARE, _ADS_BY_SHELF_SHARE = 0.5, 0.25
_PAGES_AT_ONCE = 4_096


def advertise(
    front: Storefront, waves: Sequence[Wave], options: SampleOptions, rng: np.random.Generator
) -> Wave:
    """Ads beside a share of all pages, and what they lead to."""
    pages, searches = _beside(waves, rng)
    left_K = front.campaigns.clicks_paid()
    done = 0
    parts: list[tuple[Slate, Truth, Reactions]] = []
    while done < len(pages) or not parts:
        end = min(done + _PAGES_AT_ONCE, len(pages))
        block = np.arange(done, end)
        slate = moved(
            show_ads(
                pages.anchor_P[block],
                pages.at_P[block],
                (front.campaigns, left_K > 0),
                front.catalogue,
                rng,
            ),
            block,
        )
        truth = probabilities(front, pages, searches, slate, options.days)
        reactions = react(front, pages, slate, truth, rng)
        clicked_N = reactions.click_at_N != NEVER
        done = min(first_unpaid_page(slate, clicked_N, left_K), end)
        kept_N = slate.row_N < done
        left_K = left_K - np.bincount(slate.campaign_N[kept_N & clicked_N], minlength=len(left_K))
        parts.append((rows(slate, kept_N), rows(truth, kept_N), rows(reactions, kept_N)))
    slates, truths, all_reactions = zip(*parts, strict=True)
    return Wave(pages, searches, stacked(slates), stacked(truths), stacked(all_reactions))


def first_unpaid_page(slate: Slate, clicked_N: Flags, left_K: Ints) -> int:
    """The page after the first one on which a campaign's last paid click falls; else, far away.

    ``slate`` is in the order of pages; ``left_K`` clicks are still paid for.
    """
    paid = np.flatnonzero(clicked_N)
    campaign = slate.campaign_N[paid]
    by_campaign = np.argsort(campaign, kind="stable")
    sorted_campaign = campaign[by_campaign]
    nth = 1 + np.arange(len(paid)) - np.searchsorted(sorted_campaign, sorted_campaign)
    last_click = paid[by_campaign[nth == left_K[sorted_campaign]]]
    if not len(last_click):
        return int(np.iinfo(np.int64).max)
    return int(slate.row_N[last_click].min()) + 1


def _beside(waves: Sequence[Wave], rng: np.random.Generator) -> tuple[Pages, Searches]:
    """The pages that get ads, by time, and the searches that they may belong to."""
    first_search = np.cumsum([0, *(len(wave.searches) for wave in waves)])
    parts = []
    for wave, first in zip(waves, first_search.tolist(), strict=False):
        pages = wave.pages
        share_P = np.where(pages.search_P >= 0, _ADS_BY_SEARCH_SHARE, _ADS_BY_SHELF_SHARE)
        pages = replace(pages, search_P=np.where(pages.search_P < 0, -1, first + pages.search_P))
        parts.append(rows(pages, rng.random(len(pages)) < share_P))
    pages = stacked(parts)
    pages = rows(pages, np.argsort(pages.at_P, kind="stable"))
    pages = replace(pages, surface_P=np.full(len(pages), _ADS))
    return pages, stacked_searches([wave.searches for wave in waves])
