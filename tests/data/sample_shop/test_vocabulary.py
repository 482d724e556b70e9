from __future__ import annotations

import re

import pytest

from shelfwise.data.sample_shop.catalogue import shop_vocabulary
from shelfwise.data.sample_shop.vocabulary import (
    MOODS,
    DepartmentRow,
    ProductType,
    TypeRow,
    read_vocabulary,
)

KITCHEN = DepartmentRow(
    name="Kitchen|厨房",
    brands="Kumo|云间|0, Steelhaus|钢屋|1",
    types=(
        TypeRow(
            category="Cookware|锅具",
            name="frying pan|平底锅",
            synonyms="skillet|煎锅",
            price=42,
            styles="non-stick|不粘|modern",
            colours="red|红色, black|黑色",
            sizes="20 cm, set of 2|2件套",
        ),
        TypeRow(
            category="Cookware|锅具",
            name="saucepan|奶锅",
            synonyms="milk pan|小汤锅",
            price=38,
            styles="lidded|带盖|classic, non-stick|不粘|modern",
            colours="black|黑色",
            reorder_days=3,
        ),
    ),
)


def test_a_small_table_by_hand() -> None:
    words = read_vocabulary((KITCHEN,), "zh")

    assert words.departments == ("厨房",)
    assert words.categories == ("锅具",)
    assert words.category_department == (0,)
    assert words.colours == ("红色", "黑色")
    # "non-stick" is seen first, so it is style 0 in both types.
    assert words.styles == ("不粘", "带盖")
    assert [MOODS[mood] for mood in words.style_mood] == ["modern", "classic"]
    assert [(brand.name, brand.tier) for brand in words.brands] == [("云间", 0), ("钢屋", 1)]
    assert words.types[1] == ProductType(
        key="saucepan",
        name="奶锅",
        synonyms=("小汤锅",),
        category=0,
        department=0,
        domain=0,
        price=38,
        styles=(1, 0),
        materials=(),
        colours=(1,),
        sizes=(),
        model=False,
        reorder_days=3,
    )
    assert words.types[0].sizes == ("20 cm", "2件套")


def test_a_number_means_the_same_in_every_language() -> None:
    english, chinese = shop_vocabulary("en", 2), shop_vocabulary("zh", 2)

    assert english.style_mood == chinese.style_mood
    assert english.category_department == chinese.category_department
    for here, there in zip(english.types, chinese.types, strict=True):
        assert (here.category, here.price, here.styles) == (
            there.category,
            there.price,
            there.styles,
        )
        assert (here.colours, here.materials) == (there.colours, there.materials)
        assert len(here.sizes) == len(there.sizes)
        assert len(here.synonyms) == len(there.synonyms)


@pytest.mark.parametrize(("language", "cjk"), [("en", False), ("zh", True)])
def test_words_are_written_in_their_language(language: str, cjk: bool) -> None:
    words = shop_vocabulary(language, 2)
    texts = [
        *words.departments,
        *words.categories,
        *words.colours,
        *words.styles,
        *(row.name for row in words.types),
        *(synonym for row in words.types for synonym in row.synonyms),
        *(brand.name for brand in words.brands),
    ]

    assert [text for text in texts if bool(re.search(r"[\u4e00-\u9fff]", text)) != cjk] == []
    assert not [text for text in texts if "|" in text or text != text.strip()]


def test_the_shop_is_wide_enough() -> None:
    words = shop_vocabulary("en", 2)

    assert len(words.departments) >= 8
    assert len(words.types) >= 60
    names = [name for row in words.types for name in (row.name, *row.synonyms)]
    assert len(set(names)) == len(names)  # a query's noun means one type


def test_the_second_domain_is_apart_and_wide_enough() -> None:
    goods, both = shop_vocabulary("en"), shop_vocabulary("en", 2)

    assert {row.domain for row in goods.types} == {0}
    assert [row.domain for row in both.types[: len(goods.types)]] == [0] * len(goods.types)
    books = both.types[len(goods.types) :]
    assert {row.domain for row in books} == {1}
    assert len(books) >= 12
    first = len(goods.departments)
    brands = {brand.name for brand in both.brands if brand.department >= first}
    assert not brands & {brand.name for brand in goods.brands}
