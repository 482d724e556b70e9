"""What the report says of items, worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from shelfwise.data.category_path import PathChange
from shelfwise.data.report.categories import categories
from shelfwise.data.report.languages import languages
from shelfwise.data.report.near_duplicates import near_duplicates
from shelfwise.data.report.prices import FarPrice, prices


def titled(titles: Sequence[str | None], language: str | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {"item_id": [f"i{n}" for n in range(len(titles))], "title": titles},
        schema={"item_id": pl.String, "title": pl.String},
    ).with_columns(pl.lit(language, pl.String).alias("language"))


def priced(values: Sequence[float | None]) -> pl.DataFrame:
    return titled(["mug"] * len(values)).with_columns(pl.Series("price", values, pl.Float64))


def test_prices_by_hand() -> None:
    # 0 .. 8 and 100: median 4.5; distances .5 .5 1.5 1.5 2.5 2.5 3.5 3.5 4.5 95.5, median 2.5.
    # Octiles of the ten: 1.125, 4.5 and 7.875: no lean, so no logarithm. 2.5 * 1.4826 = 3.7065;
    # five of these from 4.5 are -14.03, which no price is, and 23.03.
    found = prices(priced([*range(9), 100, None]))

    assert found is not None
    assert (found.items, found.missing, found.zero, found.scale) == (11, 1, 1, "plain")
    assert found.center == 4.5
    assert (found.low, found.high) == (0, pytest.approx(4.5 + 5 * 2.5 * 1.4826))
    assert (found.far, found.examples) == (1, (FarPrice("i9", "mug", 100.0),))
    assert sum(found.counts) == 10
    assert (found.edges[0], found.edges[-1]) == (0, 100)
    assert len(found.edges) == len(found.counts) + 1


def test_prices_that_lean_are_told_in_money_again() -> None:
    # log(1 + price) is 0, 1, 2, 3, 4, with its median at 2 and its spread 1.4826.
    found = prices(priced(np.expm1(np.arange(5.0)).tolist()))

    assert found is not None
    assert found.scale == "log"
    assert found.center == pytest.approx(np.expm1(2))
    assert found.high == pytest.approx(np.expm1(2 + 5 * 1.4826))


def test_one_price_for_all_and_none_at_all() -> None:
    found = prices(priced([3.0, 3.0]))

    assert found is not None
    assert (found.counts, found.far) == ((2,), 0)
    assert prices(priced([None])) is None


def test_languages_that_letters_tell() -> None:
    german = ["Rote Damenjacke aus Baumwolle mit Reißverschluss", "Schöner Küchentisch für kleine"]
    french = ["Robe rouge en coton pour femme avec ceinture"]
    chinese = ["红色连衣裙女夏季新款", "儿童运动鞋男童跑步鞋透气"]

    found = languages(titled([*german, *french, *chinese, chinese[0], "X1"], "de-AT"), seed=0)

    assert found is not None
    assert (found.sampled, found.distinct) == (6, 6)
    assert found.shares == pytest.approx({"de": 2 / 5, "zh": 2 / 5, "fr": 1 / 5})
    assert found.unclear == 1
    assert found.declared == {"de-AT": 7}
    assert found.disagree == 3
    assert languages(titled([None]), seed=0) is None


def test_the_order_of_items_changes_no_sample() -> None:
    titles: list[str | None] = [f"Blue cotton shirt number {n} for men" for n in range(2_100)]

    assert languages(titled(titles), seed=1) == languages(titled(titles[::-1]), seed=1)


def test_near_duplicates_by_hand() -> None:
    found = near_duplicates(
        titled(
            [
                "Linen table cloth with napkins, white",
                "LINEN TABLE CLOTH WITH NAPKINS - WHITE",  # the same but for case and signs
                "Linen table cloth with napkin, white",  # one letter less
                "Linen table cloth 140 with napkins, white",  # another size
                "Kitchen knife",
                None,
                "!!!",
            ]
        )
    )

    assert found is not None
    assert (found.items, found.same_title) == (6, 1)
    assert (found.groups, found.in_groups) == (1, 3)
    assert found.examples == (
        (
            ("i2", "Linen table cloth with napkin, white"),
            ("i0", "Linen table cloth with napkins, white"),
        ),
    )


def test_overlap_decides_as_a_comparison_of_all_pairs_would() -> None:
    # Titles of 12 words with one to six words exchanged: overlaps from far below to above .8.
    random = np.random.default_rng(3)
    words = np.array([a + b for a in "bcdfghjklm" for b in ("ander", "iston", "olter", "umpel")])
    titles = []
    for _ in range(40):
        base = random.choice(words, 12, replace=False)
        other = base.copy()
        swapped = random.integers(1, 7)
        other[random.choice(12, swapped, replace=False)] = random.choice(words, swapped)
        titles += [" ".join(base), " ".join(other)]

    def pieces(title: str) -> set[str]:
        padded = f" {title} "
        return {padded[at : at + 3] for at in range(len(padded) - 2)}

    sets = [pieces(title) for title in titles]
    linked = {
        place
        for a in range(80)
        for b in range(80)
        if a != b and len(sets[a] & sets[b]) / len(sets[a] | sets[b]) >= 0.8
        for place in (a, b)
    }

    found = near_duplicates(titled(titles))

    assert found is not None
    assert 10 < len(linked) < 80
    # MinHash misses two in a hundred pairs right at the threshold, and none well above it.
    assert len(linked) - 2 <= found.in_groups <= len(linked)


def test_titles_of_signs_alone_are_no_duplicates() -> None:
    found = near_duplicates(titled(["!!!", "???"]))

    assert found is not None
    assert (found.items, found.groups) == (2, 0)
    assert near_duplicates(titled([None])) is None


def test_short_titles_are_compared_too() -> None:
    found = near_duplicates(titled(["A", "a", "b"]))

    assert found is not None
    assert (found.same_title, found.groups) == (1, 1)


def test_categories_by_hand() -> None:
    paths = ["Home > Mugs", "Home|Mugs", "Home > Cups", "Toys", "TV/Video", None]
    found = categories(titled(["x"] * 6).with_columns(pl.Series("category", paths, pl.String)))

    assert found is not None
    assert (found.items, found.missing, found.distinct, found.single) == (6, 1, 4, 3)
    assert found.depth == {1: 2, 2: 3}
    assert found.broad == {"Home": 3, "TV/Video": 1, "Toys": 1}
    assert found.changes == (PathChange("a|b", 1, "Home|Mugs", "Home > Mugs"),)
    assert (found.unsure, found.unsure_items) == (("TV/Video",), 1)
    nothing = titled(["x"]).with_columns(pl.lit(None, pl.String).alias("category"))
    assert categories(nothing) is None
