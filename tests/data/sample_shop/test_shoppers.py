from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shelfwise.data.sample_shop.catalogue import Catalogue
from shelfwise.data.sample_shop.shoppers import Shoppers, taste


def test_interest_is_a_sparse_share(shoppers: Shoppers) -> None:
    for interest_UT in (shoppers.early_UT, shoppers.late_UT):
        assert interest_UT.sum(axis=1) == pytest.approx(1)
        assert (interest_UT >= 0).all()
        liked_U = (interest_UT > 0).sum(axis=1)
        assert liked_U.min() >= 3
        assert liked_U.max() <= 8
    assert shoppers.activity_U.mean() == pytest.approx(1)


def test_interest_drifts_in_a_straight_line(shoppers: Shoppers) -> None:
    user, kind = np.array([0, 0, 0]), np.array([7, 7, 7])
    moved = replace(
        shoppers, early_UT=np.full_like(shoppers.early_UT, 0.1), late_UT=shoppers.early_UT * 0 + 0.5
    )

    # .75 * .1 + .25 * .5 = .2
    assert moved.interest(user, kind, np.array([0, 0.25, 1])) == pytest.approx([0.1, 0.2, 0.5])


def test_taste_by_hand(shoppers: Shoppers, catalogue: Catalogue) -> None:
    item = int(np.flatnonzero(catalogue.colour_I >= 0)[0])
    plain = int(np.flatnonzero(catalogue.colour_I < 0)[0])
    brand_UB = np.zeros_like(shoppers.brand_UB)
    brand_UB[0, catalogue.brand_I[item]] = 1
    colour_UC = np.zeros_like(shoppers.colour_UC)
    colour_UC[:, -1] = 1  # must not be taken for an item without colour
    colour_UC[0, catalogue.colour_I[item]] = -1
    mood_UM = np.zeros_like(shoppers.mood_UM)
    mood_UM[0, catalogue.mood_I[item]] = 0.4
    made = replace(shoppers, brand_UB=brand_UB, colour_UC=colour_UC, mood_UM=mood_UM)

    # brand 1 - .6 * disliked colour 1 + .9 * mood .4 = .76
    assert taste(made, catalogue, np.array([0]), np.array([item])) == pytest.approx([0.76])
    assert taste(made, catalogue, np.array([1]), np.array([plain])) == pytest.approx([0])
