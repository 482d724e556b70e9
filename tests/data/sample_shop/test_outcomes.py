from __future__ import annotations

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest

from shelfwise.data.sample_shop.catalogue import Catalogue
from shelfwise.data.sample_shop.outcomes import (
    CLICK,
    DESKTOP,
    MOBILE,
    PURCHASE,
    Shown,
    examination,
    true_probabilities,
)
from shelfwise.data.sample_shop.shoppers import Shoppers


def test_examination_by_hand() -> None:
    # search: 1 / 4^.7 = 1 / 2.639016;  recommendation: .95 / 4^.45 = .95 / 1.866066;
    # ads: .75 / 4^.5 = .75 / 2
    surface = np.array([0, 0, 1, 1, 2, 2])
    position = np.array([1, 4, 1, 4, 1, 4])

    assert examination(surface, position) == pytest.approx(
        [1, 0.3789291, 0.95, 0.5090924, 0.75, 0.375]
    )


def _one(item: int, kind: int, **changes: object) -> Shown:
    one = np.array([0])
    shown = Shown(
        user_N=one,
        item_N=np.array([item]),
        intent_N=np.array([kind]),
        surface_N=one,
        position_N=np.array([4]),
        device_N=np.array([DESKTOP]),
        match_N=np.array([0.5]),
        again_N=np.array([False]),
        elapsed_N=np.array([0.0]),
    )
    return replace(shown, **changes)  # type: ignore[arg-type]  # names fields of Shown


def test_relevance_by_hand(catalogue: Catalogue, shoppers: Shoppers) -> None:
    item = 0
    kind = int(catalogue.type_I[item])
    blank = replace(
        shoppers,
        early_UT=np.full_like(shoppers.early_UT, 1 / 12),
        brand_UB=np.zeros_like(shoppers.brand_UB),
        colour_UC=np.zeros_like(shoppers.colour_UC),
        mood_UM=np.ones_like(shoppers.mood_UM),
        level_U=np.full(len(shoppers), catalogue.level_I[item] - 1.5),
        country_U=np.zeros_like(shoppers.country_U),
    )

    truth = true_probabilities(_one(item, kind), blank, catalogue)

    # intent 1, interest sqrt(3 / 12) = .5, taste .9 of mood alone, price gap 1.5
    logit = (
        CLICK.base[0]
        + CLICK.match * 0.5
        + CLICK.intent
        + CLICK.interest * 0.5
        + CLICK.taste * 0.9
        - CLICK.price * 1.5
        + CLICK.quality * catalogue.quality_I[item]
    )
    relevance = 1 / (1 + exp(-logit))
    assert truth.relevance_N[0] == pytest.approx(relevance)
    assert truth.p_click_N[0] == pytest.approx(0.3789291 * relevance)


def test_position_moves_clicks_and_nothing_else(catalogue: Catalogue, shoppers: Shoppers) -> None:
    near = true_probabilities(_one(0, 3, position_N=np.array([1])), shoppers, catalogue)
    far = true_probabilities(_one(0, 3, position_N=np.array([9])), shoppers, catalogue)

    assert near.relevance_N == pytest.approx(far.relevance_N)
    assert near.p_convert_N == pytest.approx(far.p_convert_N)
    assert near.p_click_N > far.p_click_N


@pytest.mark.parametrize(
    "better", [{"match_N": np.array([1.0])}, {"again_N": np.array([True])}], ids=["match", "again"]
)
def test_what_is_wanted_is_clicked_and_bought_more(
    better: dict[str, object], catalogue: Catalogue, shoppers: Shoppers
) -> None:
    plain = true_probabilities(_one(0, 3), shoppers, catalogue)
    wanted = true_probabilities(_one(0, 3, **better), shoppers, catalogue)

    assert wanted.relevance_N > plain.relevance_N
    assert wanted.p_convert_N > plain.p_convert_N


def test_device_and_country_move_the_logits_by_their_weights(
    catalogue: Catalogue, shoppers: Shoppers
) -> None:
    def logits(device: int, country: int) -> tuple[float, float]:
        moved = replace(shoppers, country_U=np.full_like(shoppers.country_U, country))
        truth = true_probabilities(_one(0, 3, device_N=np.array([device])), moved, catalogue)
        clicked, bought = truth.relevance_N[0], truth.p_convert_N[0]
        return log(clicked / (1 - clicked)), log(bought / (1 - bought))

    here, there = logits(DESKTOP, 0), logits(MOBILE, 3)

    assert there[0] - here[0] == pytest.approx(
        CLICK.device[MOBILE] - CLICK.device[DESKTOP] + CLICK.country[3] - CLICK.country[0]
    )
    assert there[1] - here[1] == pytest.approx(
        PURCHASE.device[MOBILE] - PURCHASE.device[DESKTOP] + PURCHASE.country[3]
    )
