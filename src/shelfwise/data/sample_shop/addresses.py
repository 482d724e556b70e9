"""The internet address that each session comes from.

A shopper has an address at home; one in ten shares that of another shopper. One session in eight
comes through a carrier's gateway, of which there is one for 40 shoppers. The farms of easy and
middle bots come from one or two addresses each; hard bots have homes and gateways like shoppers.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from shelfwise.data.sample_shop.bots import HARD, MIDDLE, Bots
from shelfwise.data.sample_shop.catalogue import Ints

_SHARED_HOME_SHARE = 0.1
_GATEWAY_SHARE = 0.125
_SHOPPERS_PER_GATEWAY = 40
# An odd factor makes multiplication modulo 2**24 a permutation: addresses tell nothing of numbers.
_SCATTER, _OFFSET = 11_400_715, 7_654_321


def draw_addresses(visitor_S: Ints, shoppers: int, bots: Bots, rng: np.random.Generator) -> Ints:
    """Address number of each session, from 0 on; ``visitor_S`` beyond ``shoppers`` are bots."""
    visitors = shoppers + len(bots)
    home_V = np.arange(visitors)
    shares_V = rng.random(visitors) < _SHARED_HOME_SHARE
    home_V = np.where(shares_V, rng.integers(0, shoppers, visitors), home_V)
    gateways = max(1, shoppers // _SHOPPERS_PER_GATEWAY)
    gateway_V = visitors + rng.integers(0, gateways, visitors)
    travels_S = rng.random(len(visitor_S)) < _GATEWAY_SHARE
    address_S = np.where(travels_S, gateway_V[visitor_S], home_V[visitor_S])

    bot_S = visitor_S - shoppers
    rows = np.flatnonzero(bot_S >= 0)
    rows = rows[bots.strength_B[bot_S[rows]] != HARD]
    strength, farm = bots.strength_B[bot_S[rows]], bots.farm_B[bot_S[rows]]
    second = (strength == MIDDLE) & (rng.random(len(rows)) < 0.5)
    address_S[rows] = visitors + gateways + 2 * farm + second
    return address_S


def address_count(shoppers: int, bots: Bots) -> int:
    """One more than the largest number that ``draw_addresses`` gives."""
    gateways = max(1, shoppers // _SHOPPERS_PER_GATEWAY)
    farms = int(bots.farm_B.max(initial=-1)) + 1
    return shoppers + len(bots) + gateways + 2 * farms


def as_text(number: pl.Expr) -> pl.Expr:
    """Numbers as private addresses 10.x.y.z, scattered without collision up to 2**24."""
    number = (number.cast(pl.Int64) * _SCATTER + _OFFSET) % 2**24
    parts = [(number // 2**shift % 256).cast(pl.String) for shift in (16, 8, 0)]
    return pl.concat_str([pl.lit("10"), *parts], separator=".")
