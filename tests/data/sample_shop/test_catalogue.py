from __future__ import annotations

import json

import numpy as np
import pytest

from shelfwise.data.sample_shop.catalogue import (
    Catalogue,
    attributes_json,
    category_path,
    draw_catalogue,
    headline,
    shop_vocabulary,
)


@pytest.mark.parametrize(
    ("text", "headlined"),
    [
        ("relaxed-fit linen shirt", "Relaxed-Fit Linen Shirt"),
        ("chef's knife", "Chef's Knife"),
        ("SPF lotion", "SPF Lotion"),
        ("", ""),
    ],
)
def test_headline_by_hand(text: str, headlined: str) -> None:
    assert headline(text) == headlined


def test_an_item_has_only_what_its_type_offers(catalogue: Catalogue) -> None:
    words = catalogue.vocabulary
    for item, number in enumerate(catalogue.type_I):
        kind = words.types[number]
        assert catalogue.style_I[item] in kind.styles
        assert catalogue.colour_I[item] in (kind.colours or (-1,))
        assert catalogue.material_I[item] in (kind.materials or (-1,))
        assert words.brands[catalogue.brand_I[item]].department == kind.department


def test_the_title_says_what_the_attributes_say(catalogue: Catalogue) -> None:
    for item, title in enumerate(catalogue.titles):
        for value in json.loads(attributes_json(catalogue, item)).values():
            assert value.lower() in title.lower()
        assert category_path(catalogue, item).split(" > ")[-1] in title


@pytest.mark.parametrize("language", ["en", "zh"])
def test_titles_are_distinct_even_where_words_run_out(language: str) -> None:
    catalogue = draw_catalogue(shop_vocabulary(language), 20_000, np.random.default_rng(1))

    assert len(set(catalogue.titles)) == 20_000


def test_dear_brands_cost_more(catalogue: Catalogue) -> None:
    tier = np.array([brand.tier for brand in catalogue.vocabulary.brands])[catalogue.brand_I]

    # One tier is a price level of 1; the rest of the price has mean 0 and spread .22/.45 = .49,
    # so means over about 100 items differ by 1 give or take .49 * sqrt(2 / 100) = .07.
    level = {t: catalogue.level_I[tier == t].mean() for t in (-1, 0, 1)}
    assert level[0] - level[-1] == pytest.approx(1, abs=0.3)
    assert level[1] - level[0] == pytest.approx(1, abs=0.3)


def test_popularity_is_a_share(catalogue: Catalogue) -> None:
    assert catalogue.popularity_I.sum() == pytest.approx(1)
    assert catalogue.popularity_I.min() > 0
    assert (catalogue.price_I > 0).all()
