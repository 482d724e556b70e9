from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shelfwise.data.sample_shop.catalogue import Catalogue
from shelfwise.data.sample_shop.queries import (
    Searches,
    Wanted,
    cut_short,
    double_letter,
    draw_searches,
    drop_letter,
    grade,
    match_strength,
    swap_letters,
    with_typo,
)
from shelfwise.data.sample_shop.shoppers import Shoppers


def test_slips_by_hand() -> None:
    assert swap_letters("lamp", 1) == "lmap"
    assert drop_letter("lamp", 1) == "lmp"
    assert double_letter("lamp", 1) == "laamp"


@pytest.mark.parametrize(
    ("text", "place", "way", "typed"),
    [
        # "red mug" has three letters, not the first, with another after them in the word:
        # 1 ("e"), 4 ("m") and 5 ("u"); place .7 is the third.
        ("red mug", 0.0, 0, "rde mug"),
        ("red mug", 0.99, 1, "red mg"),
        ("red mug", 0.7, 2, "red muug"),
        ("aaa", 0.0, 0, "aaaa"),  # swapping equal letters shows nothing: doubled instead
        ("tv", 0.5, 1, "tv"),  # too short
        ("红色衬衫", 0.0, 0, "红衬色衫"),
        ("红色衬衫", 0.0, 1, "红衬衫"),
        ("红色衬衫", 0.99, 2, "红色衫"),  # not doubled but dropped
    ],
)
def test_typos_by_hand(text: str, place: float, way: int, typed: str) -> None:
    assert with_typo(text, place, way) == typed


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("red headphones", "red headpho"),  # 10 letters, 7 stay
        ("lamp", "lamp"),  # four stay at least
        ("红色牛仔裤", "红色牛仔"),  # 5 characters, 3.5 rounds to 4
    ],
)
def test_cut_short_by_hand(text: str, cut: str) -> None:
    assert cut_short(text) == cut


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
