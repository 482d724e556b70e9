"""What the sample shop sells: items from the vocabulary, with titles, prices, hidden quality.

Shape suffixes in this folder: I = items, T = product types, B = brands, C = colours, M = moods,
U = shoppers, S = sessions, R = requests, Q = searches, N = impressions, K = campaigns.
-1 stands for "has none" in every array of numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.sample_shop.vocabulary import ProductType, Vocabulary, read_vocabulary
from shelfwise.data.sample_shop.vocabulary_books import BOOKS
from shelfwise.data.sample_shop.vocabulary_household import HOUSEHOLD
from shelfwise.data.sample_shop.vocabulary_leisure import LEISURE
from shelfwise.data.sample_shop.vocabulary_pantry import PANTRY
from shelfwise.data.sample_shop.vocabulary_wardrobe import WARDROBE

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_UNAVAILABLE_SHARE = 0.03
_TYPE_SPREAD = 0.5  # standard deviation of the log of a type's number of items
_TIER_STEP = 0.45  # log price between two brand tiers
_PRICE_SPREAD = 0.22  # standard deviation of the rest of the log price
_LEVEL_UNIT = 0.45  # log price that counts as one price level
_POPULARITY_POWER = 0.8


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language's items: numbers into the vocabulary, texts, and what shoppers feel of them."""

    vocabulary: Vocabulary
    type_I: Ints
    category_I: Ints
    department_I: Ints
    domain_I: Ints
    brand_I: Ints
    style_I: Ints
    mood_I: Ints
    colour_I: Ints
    material_I: Ints
    size_I: Ints
    price_I: Floats
    level_I: Floats  # log price above the type's middle, in price levels
    quality_I: Floats  # standard normal; hidden but for what shoppers do
    popularity_I: Floats  # share of attention, power law; sums to 1
    available_I: Flags
    added_I: Ints  # milliseconds into the log when it is first sold; 0: before the log
    titles: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.type_I)


def shop_vocabulary(language: str, domains: int = 1) -> Vocabulary:
    """All departments' words in one language; the second domain is books."""
    books = BOOKS if domains > 1 else ()
    return read_vocabulary(WARDROBE + HOUSEHOLD + LEISURE + PANTRY + books, language)


def draw_catalogue(vocabulary: Vocabulary, items: int, rng: np.random.Generator) -> Catalogue:
    """Items of every type, with distinct titles; types differ in how many items they have."""
    types = vocabulary.types
    type_I = _draw_types(len(types), items, rng)

    def of_type(values: Callable[[ProductType], int]) -> Ints:
        return np.array([values(row) for row in types], dtype=np.int64)[type_I]

    department_I = of_type(lambda row: row.department)
    brand_I = _pick([_brands_of(vocabulary, row.department) for row in types], type_I, rng)
    style_I = _pick([row.styles for row in types], type_I, rng)
    colour_I = _pick([row.colours for row in types], type_I, rng)
    material_I = _pick([row.materials for row in types], type_I, rng)
    size_I = _pick([tuple(range(len(row.sizes))) for row in types], type_I, rng)

    tier_I = np.array([brand.tier for brand in vocabulary.brands])[brand_I]
    sizes_I = np.array([max(1, len(row.sizes)) for row in types])[type_I]
    size_step_I = np.where(size_I >= 0, (size_I - (sizes_I - 1) / 2), 0.0)
    consumable_I = of_type(lambda row: row.reorder_days) > 0
    above_I = _TIER_STEP * tier_I + rng.normal(0, _PRICE_SPREAD, items)
    # A bag twice as big costs nearly twice as much, but is no dearer: no part of the level.
    size_effect_I = np.where(consumable_I, 0.45, 0.12) * size_step_I
    middle_I = np.array([row.price for row in types])[type_I]
    return Catalogue(
        vocabulary=vocabulary,
        type_I=type_I,
        category_I=of_type(lambda row: row.category),
        department_I=department_I,
        domain_I=of_type(lambda row: row.domain),
        brand_I=brand_I,
        style_I=style_I,
        mood_I=np.array(vocabulary.style_mood)[style_I],
        colour_I=colour_I,
        material_I=material_I,
        size_I=size_I,
        price_I=_shelf_price(middle_I * np.exp(above_I + size_effect_I)),
        level_I=above_I / _LEVEL_UNIT,
        quality_I=rng.normal(0, 1, items),
        popularity_I=_power_law(items, rng),
        available_I=rng.random(items) >= _UNAVAILABLE_SHARE,
        added_I=np.zeros(items, dtype=np.int64),
        titles=_titles(vocabulary, (type_I, brand_I, style_I, colour_I, material_I, size_I), rng),
    )


def attributes_json(catalogue: Catalogue, item: int) -> str:
    """The item's properties as a shop keeps them: keys in English, values in its language."""
    words = catalogue.vocabulary
    kind = words.types[catalogue.type_I[item]]
    found = {
        "colour": (words.colours, catalogue.colour_I[item]),
        "material": (words.materials, catalogue.material_I[item]),
        "style": (words.styles, catalogue.style_I[item]),
        "size": (kind.sizes, catalogue.size_I[item]),
    }
    return json.dumps(
        {key: texts[number] for key, (texts, number) in found.items() if number >= 0},
        ensure_ascii=False,
    )


def category_path(catalogue: Catalogue, item: int) -> str:
    """Department, category and type, from broad to narrow."""
    words = catalogue.vocabulary
    return " > ".join(
        (
            words.departments[catalogue.department_I[item]],
            words.categories[catalogue.category_I[item]],
            headline(words.types[catalogue.type_I[item]].name),
        )
    )


def headline(text: str) -> str:
    """Capitalise each word, leaving what is already capital: "chef's SPF-50" -> "Chef's SPF-50"."""
    return re.sub(r"(?:^|(?<=[ -]))[a-z]", lambda first: first.group().upper(), text)


def _draw_types(types: int, items: int, rng: np.random.Generator) -> Ints:
    """Each type at least once, the rest unevenly, in no order."""
    share_T = np.exp(rng.normal(0, _TYPE_SPREAD, types))
    rest_T = rng.multinomial(items - types, share_T / share_T.sum())
    return rng.permutation(np.repeat(np.arange(types), rest_T + 1))


def _brands_of(vocabulary: Vocabulary, department: int) -> tuple[int, ...]:
    return tuple(n for n, brand in enumerate(vocabulary.brands) if brand.department == department)


def _pick(choices: list[tuple[int, ...]], type_I: Ints, rng: np.random.Generator) -> Ints:
    """One of each item's type's choices, the first ones more often; -1 where it has none.

    Real palettes and brands are uneven: squaring a uniform draw gives the first of ten choices
    about six times the share of the last.
    """
    widest = max(map(len, choices))
    table = np.full((len(choices), widest), -1, dtype=np.int64)
    for row, options in enumerate(choices):
        table[row, : len(options)] = options
    count_I = np.array([max(1, len(options)) for options in choices])[type_I]
    place_I = (rng.random(len(type_I)) ** 1.5 * count_I).astype(np.int64)
    return np.asarray(table[type_I, place_I])


def _shelf_price(price_I: Floats) -> Floats:
    """Prices as printed: ending in .90 or .95 above 10, and in nothing odd below."""
    small_I = np.round(np.ceil(price_I * 20) / 20, 2)
    return np.where(price_I < 10, small_I, np.floor(price_I) + np.where(price_I < 50, 0.95, 0.90))


def _power_law(items: int, rng: np.random.Generator) -> Floats:
    weight_I = (rng.permutation(items) + 10.0) ** -_POPULARITY_POWER
    return np.asarray(weight_I / weight_I.sum())


def _titles(
    vocabulary: Vocabulary, numbers: tuple[Ints, ...], rng: np.random.Generator
) -> tuple[str, ...]:
    """A distinct title for each item; a product sold again unchanged becomes a later series."""
    model_letter_I = rng.integers(0, 26, len(numbers[0]))
    model_number_I = rng.integers(1, 100, len(numbers[0])) * 10
    seen: dict[str, int] = {}
    titles = []
    rows = zip(*(column.tolist() for column in numbers), strict=True)
    models = zip(model_letter_I.tolist(), model_number_I.tolist(), strict=True)
    for row, (letter, number) in zip(rows, models, strict=True):
        base = _title(vocabulary, row, f"{chr(ord('A') + letter)}{number}")
        series = seen[base] = seen.get(base, 0) + 1
        titles.append(base if series == 1 else _later_series(base, series, vocabulary.language))
    return tuple(titles)


def _title(vocabulary: Vocabulary, numbers: tuple[int, ...], model: str) -> str:
    type_number, brand, style, colour, material, size = numbers
    kind = vocabulary.types[type_number]
    name = vocabulary.brands[brand].name + (f" {model}" if kind.model else "")
    style_word = vocabulary.styles[style]
    material_word = vocabulary.materials[material] if material >= 0 else ""
    colour_word = vocabulary.colours[colour] if colour >= 0 else ""
    size_word = kind.sizes[size] if size >= 0 else ""
    if vocabulary.language == "zh":
        parts = (name, material_word + style_word + kind.name, colour_word, size_word)
        return " ".join(filter(None, parts))
    middle = headline(" ".join(filter(None, (style_word, material_word, kind.name))))
    return ", ".join(filter(None, (f"{name} {middle}", headline(colour_word), size_word)))


def _later_series(title: str, series: int, language: str) -> str:
    return f"{title} 第{series}代" if language == "zh" else f"{title}, Series {series}"
