from __future__ import annotations

import numpy as np
import pytest

from shelfwise.data.sample_shop.typos import as_typed, cut_short, with_typo
from shelfwise.data.slips import (
    SHAPES,
    SOUNDS,
    double_letter,
    drop_letter,
    lose_space,
    neighbour_key,
    other_character,
    swap_letters,
)


def test_slips_by_hand() -> None:
    assert swap_letters("lamp", 1) == "lmap"
    assert drop_letter("lamp", 1) == "lmp"
    assert double_letter("lamp", 1) == "laamp"
    assert neighbour_key("lamp", 1) == "lsmp"
    assert neighbour_key("lamp", 3) == "lamo"  # p is the last of its row
    assert neighbour_key("w28", 1) == "w228"  # no letter: doubled
    assert lose_space("big red lamp", 9) == "big redlamp"
    assert lose_space("lamp", 2) == "lap"
    assert other_character("红色衬衫", 1, SOUNDS) == "红射衬衫"
    assert other_character("红色衬衫", 2, SHAPES) == "红色衬杉"
    assert other_character("炸锅", 0, SHAPES) == "锅"


@pytest.mark.parametrize(
    ("text", "place", "way", "typed"),
    [
        # "red mug" has three letters, not the first, with another after them in the word:
        # 1 ("e"), 4 ("m") and 5 ("u"); place .7 is the third. Five ways, so .2 each.
        ("red mug", 0.0, 0.0, "rde mug"),
        ("red mug", 0.99, 0.2, "red mg"),
        ("red mug", 0.7, 0.4, "red mig"),
        ("red mug", 0.7, 0.6, "redmug"),
        ("red mug", 0.7, 0.8, "red muug"),
        ("aaa", 0.0, 0.0, "aaaa"),  # swapping equal letters shows nothing: doubled instead
        ("tv", 0.5, 0.2, "tv"),  # too short
        # Four ways, so .25 each.
        ("红色衬衫", 0.0, 0.0, "红衬色衫"),
        ("红色衬衫", 0.0, 0.25, "红衬衫"),
        ("红色衬衫", 0.99, 0.5, "红色趁衫"),
        ("红色衬衫", 0.99, 0.75, "红色衬杉"),
    ],
)
def test_typos_by_hand(text: str, place: float, way: float, typed: str) -> None:
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


def test_tables_of_characters_pair_different_ones() -> None:
    for table in (SOUNDS, SHAPES):
        assert all(len(one) == len(other) == 1 and one != other for one, other in table.items())


def test_as_many_slip_as_asked_for() -> None:
    clean = ("blue running shoes",) * 5_000

    typed = as_typed(clean, 0.2, np.random.default_rng(0))

    # .2 slip, and .8 * .04 are cut to "blue running shoe" ("shoes" keeps four): .232 in all.
    # Four standard deviations: 4 sqrt(.232 * .768 / 5000) = .024.
    changed = np.mean([text != clean[0] for text in typed])
    assert changed == pytest.approx(0.232, abs=0.024)
    assert as_typed(("a",) * 3, 1.0, np.random.default_rng(0)) == ("a",) * 3
