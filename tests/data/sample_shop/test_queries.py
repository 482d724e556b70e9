from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shelfwise.data.sample_shop.catalogue import Catalogue, shop_vocabulary
from shelfwise.data.sample_shop.queries import (
    Searches,
    Wanted,
    draw_searches,
    grade,
    match_strength,
    meanings,
    stacked_searches,
)
from shelfwise.data.sample_shop.shoppers import Shoppers
from shelfwise.data.sample_shop.synonyms import COLOURS, MATERIALS


def _search(catalogue: Catalogue, item: int, **named: int) -> Searches:
    """A search for the type of ``item``, naming what is given."""
    nothing = np.array([-1])
    return Searches(
        type_Q=np.array([named.get("type", catalogue.type_I[item])]),
        category_Q=np.array([named.get("category", catalogue.category_I[item])]),
        department_Q=catalogue.department_I[[item]],
        brand_Q=np.array([named.get("brand", -1)]),
        colour_Q=np.array([named.get("colour", -1)]),
        material_Q=nothing,
        style_Q=nothing,
        clean=("",),
        texts=("",),
    )


def _other(catalogue: Catalogue, item: int, same: str, different: str) -> int:
    """An item alike in one column and different in another."""
    alike = getattr(catalogue, same) == getattr(catalogue, same)[item]
    unlike = getattr(catalogue, different) != getattr(catalogue, different)[item]
    return int(np.flatnonzero(alike & unlike)[0])


def test_match_and_grade_by_hand(catalogue: Catalogue) -> None:
    item = int(np.flatnonzero(catalogue.colour_I >= 0)[0])
    neighbour = _other(catalogue, item, "category_I", "type_I")
    cousin = _other(catalogue, item, "department_I", "category_I")
    stranger = int(np.flatnonzero(catalogue.department_I != catalogue.department_I[item])[0])
    items = np.array([item, neighbour, cousin, stranger])
    first = np.array([0])

    by_type = _search(catalogue, item)
    assert match_strength(by_type, first, catalogue, items) == pytest.approx([1, 0.35, 0.06, 0])
    assert grade(by_type, first, catalogue, items).tolist() == [3, 1, 0, 0]

    # Two facets named of which the item has one: 1/2 + 1/2 * 1/2 = .75
    other_colour = (catalogue.colour_I[item] + 1) % len(catalogue.vocabulary.colours)
    half = _search(catalogue, item, brand=catalogue.brand_I[item], colour=other_colour)
    assert match_strength(half, first, catalogue, items[:1]) == pytest.approx([0.75])
    assert grade(half, first, catalogue, items[:1]).tolist() == [2]


def test_a_brand_alone_is_matched_by_the_brand(catalogue: Catalogue) -> None:
    item = 0
    rival = _other(catalogue, item, "department_I", "brand_I")
    search = _search(catalogue, item, type=-1, category=-1, brand=catalogue.brand_I[item])
    items = np.array([item, rival])

    match = match_strength(search, np.array([0]), catalogue, items)

    assert match == pytest.approx([1, 0.1])
    assert grade(search, np.array([0]), catalogue, items).tolist() == [3, 0]


def test_queries_name_the_type_that_is_wanted(catalogue: Catalogue, shoppers: Shoppers) -> None:
    rng = np.random.default_rng(8)
    count = 500
    wanted = Wanted(
        user_Q=rng.integers(0, len(shoppers), count),
        type_Q=rng.integers(0, len(catalogue.vocabulary.types), count),
        item_Q=np.full(count, -1),
    )

    searches = draw_searches(wanted, shoppers, catalogue, 0.0, rng)

    for row in np.flatnonzero(searches.type_Q >= 0):
        kind = catalogue.vocabulary.types[wanted.type_Q[row]]
        nouns = [name.lower() for name in (kind.name, *kind.synonyms)]
        assert any(searches.clean[row].endswith(noun) for noun in nouns)
    assert all(text for text in searches.texts)


def test_a_typo_changes_the_text_and_not_the_meaning(
    catalogue: Catalogue, shoppers: Shoppers
) -> None:
    wanted = Wanted(
        user_Q=np.arange(50), type_Q=np.arange(50), item_Q=np.where(np.arange(50) < 5, 3, -1)
    )
    clear = draw_searches(wanted, shoppers, catalogue, 0.0, np.random.default_rng(2))
    blurred = draw_searches(wanted, shoppers, catalogue, 1.0, np.random.default_rng(2))

    assert blurred.clean == clear.clean
    assert blurred.slipped().mean() > 0.9
    for name in ("type_Q", "brand_Q", "colour_Q", "material_Q", "style_Q"):
        assert np.array_equal(getattr(blurred, name), getattr(clear, name))
    # Whoever wants an item again names its brand.
    assert (clear.brand_Q[:5] == catalogue.brand_I[3]).all()
    assert not replace(clear, texts=clear.clean).slipped().any()


def test_searches_that_mean_the_same_share_a_number(catalogue: Catalogue) -> None:
    same, other = _search(catalogue, 0), _search(catalogue, 0, brand=3)
    searches = stacked_searches([same, other, same, same])

    number = meanings(searches, np.array([False, False, False, True]))

    assert number[0] == number[2]
    assert len(set(number.tolist())) == 3


def test_a_synonym_is_a_word_that_the_title_lacks(catalogue: Catalogue, shoppers: Shoppers) -> None:
    words = catalogue.vocabulary
    count = 3_000
    rng = np.random.default_rng(8)
    wanted = Wanted(
        user_Q=rng.integers(0, len(shoppers), count),
        type_Q=rng.integers(0, len(words.types), count),
        item_Q=np.full(count, -1),
    )
    searches = draw_searches(wanted, shoppers, catalogue, 0.0, rng)

    navy = words.colours.index("navy")
    named = [searches.clean[row] for row in np.flatnonzero(searches.colour_Q == navy)]
    with_synonym = [text for text in named if "dark blue" in text]
    assert all("navy" in text or "dark blue" in text for text in named)
    # Three of ten; at least ten searches name the colour.
    assert 0 < len(with_synonym) < len(named)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_synonyms_are_of_words_that_exist_and_no_words_of_titles(language: str) -> None:
    words = shop_vocabulary(language, 2)

    for texts, synonyms in (
        (words.colours, COLOURS[language]),
        (words.materials, MATERIALS[language]),
    ):
        assert set(synonyms) <= set(texts)
        assert not set(synonyms.values()) & set(texts)
