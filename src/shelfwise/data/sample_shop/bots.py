"""Visitors that are no shoppers: farms of bots that push a few target items by clicking them.

Bots ask for pages, are shown what the shop shows, and click it. Nothing in the log marks them;
truth/bots.parquet does. Three strengths, from an afternoon's script to an expert's work:

* ``easy``: bursts of pages in equal steps, day and night; every click in the same time; clicks
  half of what it sees, whatever place it stands at; buys nothing. A farm shares an address.
* ``middle``: comes at a shopper's hours in steps of random length, but stays long; clicks three of
  ten impressions of anything; buys nothing. A farm shares two addresses.
* ``hard``: replays all visits of a real shopper, moved by up to two days and an hour; clicks, buys
  and has an address as that shopper would. It differs only in that a quarter of its visits'
  requests look for a target, and that a target it sees is clicked every other time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from shelfwise.data.sample_shop.catalogue import Catalogue, Ints
from shelfwise.data.sample_shop.config import STRENGTHS, SampleOptions
from shelfwise.data.sample_shop.outcomes import DESKTOP, DEVICES, Truth
from shelfwise.data.sample_shop.requests import (
    DAY_MS,
    SEARCH_SHARE,
    Requests,
    draw_moments,
    since_first,
    stacked_requests,
)
from shelfwise.data.sample_shop.shoppers import DEVICE_SHARE

EASY, MIDDLE, HARD = range(len(STRENGTHS))

_TARGETS = 3  # items that a farm pushes
_BOTS_PER_FARM = 10
# By strength: easy, middle, hard. A hard bot clicks what its shopper would.
_CLICK_SHARE = (0.5, 0.3, 0.0)  # of what is no target
_TARGET_CLICK_SHARE = (0.9, 0.6, 0.5)
_TARGET_REQUEST_SHARE = (0.5, 0.3, 0.25)
_EXTRA_CLICKS = (4.8, 2.8, 0.3)  # a request's, beyond a shopper's

_EASY_REQUESTS, _MIDDLE_REQUESTS = 120, 60  # a bot's
_BURST = 10  # requests of an easy bot's session
_BURST_STEP_MS, _BETWEEN_BURSTS_MS = 5_000, 2 * 3_600_000
_EASY_FIRST_CLICK_MS, _EASY_CLICK_STEP_MS = 500, 300
_MIDDLE_SESSION = 14  # mean requests
_MIDDLE_STEP_MS = 22_000  # middle of a lognormal
_MIDDLE_CLICK_MS = 2_500  # the same
_MOVED_DAYS, _MOVED_MS = 2, 3_600_000


@dataclass(frozen=True, slots=True)
class Bots:
    """One row per bot; ``targets`` are item numbers."""

    strength_B: Ints
    farm_B: Ints
    targets_BX: Ints

    def __len__(self) -> int:
        return len(self.strength_B)


_NOBODY = np.zeros(0, dtype=np.int64)
NO_BOTS = Bots(_NOBODY, _NOBODY, np.zeros((0, _TARGETS), dtype=np.int64))


@dataclass(frozen=True, slots=True)
class _Horde:
    """What the bots of one strength ask for; ``bot_R`` counts from 0."""

    requests: Requests
    bot_R: Ints


def draw_bots(
    visits: Requests,
    events_per_request: float,
    catalogue: Catalogue,
    options: SampleOptions,
    rng: np.random.Generator,
) -> tuple[Bots, Requests]:
    """As many bots as make up ``bot_share`` of all events, and their requests.

    Their numbers as visitors and those of their sessions count from 0.

    How many events a bot leads to is known only after the shop has answered it, so the share is
    met nearly, not exactly.

    Args:
        visits: What shoppers ask for; hard bots replay it.
        events_per_request: How many events a shopper's request leads to.
    """
    bots, parts, session = NO_BOTS, [visits.rows(_NOBODY)], 0
    chosen = STRENGTHS if options.bot_strength == "mixed" else (options.bot_strength,)
    events = options.bot_share / (1 - options.bot_share) * len(visits) * events_per_request
    for strength in map(STRENGTHS.index, chosen if options.bot_share else ()):
        wanted = events / len(chosen) / (events_per_request + _EXTRA_CLICKS[strength])
        horde = _HORDES[strength](visits, catalogue, max(1, round(wanted)), options, rng)
        if not len(horde.bot_R):  # a shop so small that all were moved out of its time
            continue
        some = _enlisted(int(horde.bot_R.max()) + 1, strength, catalogue, rng)
        pushing = _pushing(horde, some, catalogue, rng)
        parts.append(
            replace(
                pushing,
                visitor_R=len(bots) + horde.bot_R,
                session_R=session + pushing.session_R,
            )
        )
        session += int(pushing.session_R.max()) + 1
        bots = _joined(bots, some)
    return bots, stacked_requests(parts)


def with_habits(truth: Truth, bots: Bots, bot_N: Ints, item_N: Ints) -> Truth:
    """The probabilities of shoppers, and in rows with ``bot_N`` >= 0 those of that bot.

    A bot that goes by place of no list examines everything: its examination is 1.
    """
    rows = np.flatnonzero(bot_N >= 0)
    if not len(rows):
        return truth
    strength = bots.strength_B[bot_N[rows]]
    is_target = (bots.targets_BX[bot_N[rows]] == item_N[rows, None]).any(axis=1)
    blind = np.flatnonzero(is_target | (strength != HARD))
    changed = rows[blind]
    share = np.where(
        is_target, np.array(_TARGET_CLICK_SHARE)[strength], np.array(_CLICK_SHARE)[strength]
    )[blind]
    examined_N, relevance_N = truth.examination_N.copy(), truth.relevance_N.copy()
    click_N, convert_N = truth.p_click_N.copy(), truth.p_convert_N.copy()
    examined_N[changed] = 1.0
    relevance_N[changed] = click_N[changed] = share
    convert_N[rows[strength != HARD]] = 0.0
    return Truth(examined_N, relevance_N, click_N, convert_N)


def click_times(
    reading_N: Ints, position_N: Ints, bots: Bots, bot_N: Ints, rng: np.random.Generator
) -> Ints:
    """Milliseconds from page to click: a shopper's, or those of the bot ``bot_N``."""
    if not len(bots):
        return reading_N
    strength_N = np.where(bot_N >= 0, bots.strength_B[np.maximum(bot_N, 0)], HARD)
    easy_N = _EASY_FIRST_CLICK_MS + _EASY_CLICK_STEP_MS * position_N
    middle_N = (_MIDDLE_CLICK_MS * rng.lognormal(0, 0.7, len(reading_N))).astype(np.int64) + 200
    return np.asarray(
        np.where(strength_N == EASY, easy_N, np.where(strength_N == MIDDLE, middle_N, reading_N))
    )


def _easy(
    visits: Requests,
    catalogue: Catalogue,
    wanted: int,
    options: SampleOptions,
    rng: np.random.Generator,
) -> _Horde:
    bots = max(1, round(wanted / _EASY_REQUESTS))
    bot_R = np.sort(np.arange(wanted) % bots)
    nth_R = np.arange(wanted) - np.searchsorted(bot_R, bot_R)
    burst_R = nth_R // _BURST
    first_B = rng.uniform(0, 0.95 * options.days * DAY_MS, bots).astype(np.int64)
    at_R = first_B[bot_R] + burst_R * _BETWEEN_BURSTS_MS + nth_R % _BURST * _BURST_STEP_MS
    session_R = np.cumsum(np.diff(bot_R * wanted + burst_R, prepend=0) != 0)
    device_R = np.full(wanted, DESKTOP)
    return _anybody(bot_R, session_R, (at_R, device_R), (visits, catalogue, options), rng)


def _middle(
    visits: Requests,
    catalogue: Catalogue,
    wanted: int,
    options: SampleOptions,
    rng: np.random.Generator,
) -> _Horde:
    sessions = max(1, round(wanted / _MIDDLE_SESSION))
    bots = max(1, round(wanted / _MIDDLE_REQUESTS))
    session_R = np.sort(rng.integers(0, sessions, wanted))
    bot_S = np.arange(sessions) % bots
    at_S = draw_moments(sessions, options, rng)
    device_S = rng.choice(len(DEVICES), sessions, p=DEVICE_SHARE)
    step_R = (_MIDDLE_STEP_MS * rng.lognormal(0, 0.6, wanted)).astype(np.int64)
    at_R = at_S[session_R] + since_first(session_R, step_R)
    return _anybody(
        bot_S[session_R], session_R, (at_R, device_S[session_R]), (visits, catalogue, options), rng
    )


def _anybody(
    bot_R: Ints,
    session_R: Ints,
    when: tuple[Ints, Ints],
    world: tuple[Requests, Catalogue, SampleOptions],
    rng: np.random.Generator,
) -> _Horde:
    """Requests for types of no particular taste; ``when`` holds moments and devices."""
    (at_R, device_R), (visits, catalogue, options) = when, world
    count = len(bot_R)
    wording_B = rng.choice(visits.user_R, int(bot_R.max()) + 1)  # whose taste words its queries
    intent_R = rng.integers(0, len(catalogue.vocabulary.types), count)
    is_search_R = rng.random(count) < SEARCH_SHARE
    requests = Requests(
        visitor_R=bot_R,
        user_R=wording_B[bot_R],
        session_R=session_R,
        at_R=at_R,
        device_R=device_R,
        intent_R=intent_R,
        is_search_R=is_search_R,
        anchor_R=np.where(is_search_R, -1, intent_R),
        again_R=np.full(count, -1),
        named_R=np.full(count, -1),
    )
    kept = np.flatnonzero(at_R < options.days * DAY_MS)
    return _Horde(requests.rows(kept), bot_R[kept])


def _hard(
    visits: Requests,
    catalogue: Catalogue,
    wanted: int,
    options: SampleOptions,
    rng: np.random.Generator,
) -> _Horde:
    """Whole shoppers' visits, each moved in time, until there are as many requests as wanted."""
    del catalogue  # their shoppers know what to look for
    users, first_U, count_U = np.unique(visits.user_R, return_index=True, return_counts=True)
    copied_B = rng.integers(0, len(users), wanted)
    copied_B = copied_B[: 1 + int((count_U[copied_B].cumsum() < wanted).sum())]
    length_B = count_U[copied_B]
    bot_R = np.repeat(np.arange(len(copied_B)), length_B)
    start_B = np.cumsum(length_B) - length_B
    row_R = first_U[copied_B][bot_R] + np.arange(len(bot_R)) - start_B[bot_R]
    moved_B = DAY_MS * rng.integers(-_MOVED_DAYS, _MOVED_DAYS + 1, len(copied_B))
    moved_B = moved_B + rng.integers(-_MOVED_MS, _MOVED_MS, len(copied_B))
    copy = visits.rows(row_R)
    changes_R = (np.diff(bot_R, prepend=0) != 0) | (np.diff(copy.session_R, prepend=0) != 0)
    copy = replace(copy, at_R=copy.at_R + moved_B[bot_R], session_R=np.cumsum(changes_R))
    kept = np.flatnonzero((copy.at_R >= 0) & (copy.at_R < options.days * DAY_MS))
    return _Horde(copy.rows(kept), bot_R[kept])


_HORDES: tuple[Callable[..., _Horde], ...] = (_easy, _middle, _hard)


def _enlisted(count: int, strength: int, catalogue: Catalogue, rng: np.random.Generator) -> Bots:
    """Bots in farms of up to ten that push the same items, which are sold all the time."""
    farm_B = np.arange(count) // _BOTS_PER_FARM
    available = np.flatnonzero(catalogue.available_I & (catalogue.added_I == 0))
    targets_FX = rng.choice(available, (int(farm_B.max()) + 1, _TARGETS), replace=True)
    return Bots(np.full(count, strength), farm_B, targets_FX[farm_B])


def _pushing(horde: _Horde, bots: Bots, catalogue: Catalogue, rng: np.random.Generator) -> Requests:
    """Some of the requests look for a target: its type, and in a search its brand."""
    requests = horde.requests
    share_R = np.array(_TARGET_REQUEST_SHARE)[bots.strength_B[horde.bot_R]]
    pushes_R = rng.random(len(requests)) < share_R
    column_R = rng.integers(0, _TARGETS, len(requests))
    target_R = bots.targets_BX[horde.bot_R, column_R]
    type_R = catalogue.type_I[target_R]
    return replace(
        requests,
        intent_R=np.where(pushes_R, type_R, requests.intent_R),
        anchor_R=np.where(pushes_R & ~requests.is_search_R, type_R, requests.anchor_R),
        named_R=np.where(pushes_R & requests.is_search_R, target_R, -1),
    )


def _joined(before: Bots, after: Bots) -> Bots:
    first_farm = int(before.farm_B.max(initial=-1)) + 1
    return Bots(
        np.concatenate([before.strength_B, after.strength_B]),
        np.concatenate([before.farm_B, first_farm + after.farm_B]),
        np.concatenate([before.targets_BX, after.targets_BX]),
    )
