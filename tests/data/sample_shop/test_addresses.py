from __future__ import annotations

import numpy as np
import polars as pl

from shelfwise.data.sample_shop.addresses import address_count, as_text, draw_addresses
from shelfwise.data.sample_shop.bots import EASY, HARD, MIDDLE, NO_BOTS, Bots


def test_shoppers_are_mostly_alone_at_their_address() -> None:
    visitor = np.repeat(np.arange(1_000), 20)

    address = draw_addresses(visitor, 1_000, NO_BOTS, np.random.default_rng(0))

    assert address.max() < address_count(1_000, NO_BOTS)
    table = pl.DataFrame({"visitor": visitor, "address": address})
    # 7 of 8 sessions are from home; 1 of 10 homes is another's.
    usual = table.group_by("visitor").agg(pl.col("address").mode().first())
    own = (usual["visitor"] == usual["address"]).mean()
    assert 0.85 < own < 0.95
    gateway = (table["address"] >= 1_000).mean()
    assert 0.115 < gateway < 0.135  # .125, give or take four standard deviations .0023


def test_farms_of_simple_bots_share_addresses_and_hard_ones_do_not() -> None:
    bots = Bots(
        strength_B=np.array([EASY, EASY, MIDDLE, MIDDLE, HARD, HARD]),
        farm_B=np.array([0, 0, 1, 1, 2, 2]),
        targets_BX=np.zeros((6, 3), dtype=np.int64),
    )
    visitor = np.tile(np.arange(100, 106), 50)

    address = draw_addresses(visitor, 100, bots, np.random.default_rng(1))

    at = [set(address[visitor == 100 + bot].tolist()) for bot in range(6)]
    assert at[0] == at[1]
    assert len(at[0]) == 1
    assert at[2] == at[3]
    assert len(at[2]) == 2
    assert not at[0] & at[2]
    homes = [set(np.flatnonzero(np.bincount(address[visitor == 104 + bot]) > 20)) for bot in (0, 1)]
    assert not homes[0] & homes[1]


def test_addresses_are_private_and_distinct() -> None:
    # 0 is 7654321 = 116 * 65536 + 203 * 256 + 177.
    texts = pl.select(as_text(pl.int_range(100_000))).to_series()

    assert texts[0] == "10.116.203.177"
    assert texts.n_unique() == 100_000
