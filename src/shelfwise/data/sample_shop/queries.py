"""What shoppers mean by a search, and its wording in their language (slips: see ``typos``).

A search means a product type (or only its category, or only a brand) and up to two facets of it.
``match_strength`` and ``grade`` compare what was *meant* with the catalogue; a typo changes the
text and never the meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from itertools import chain

import numpy as np

from shelfwise.data.sample_shop.catalogue import Catalogue, Flags, Floats, Ints
from shelfwise.data.sample_shop.shoppers import Floats32, Shoppers
from shelfwise.data.sample_shop.synonyms import COLOURS, MATERIALS
from shelfwise.data.sample_shop.typos import as_typed
from shelfwise.data.sample_shop.vocabulary import ProductType, Vocabulary

_FACETS = ("brand", "colour", "material", "style")

Words = tuple[str, ...]


class Form(IntEnum):
    """What a query names; the numbers index _FORM_SHARE."""

    TYPE = 0
    COLOUR_TYPE = 1
    BRAND_TYPE = 2
    STYLE_TYPE = 3
    MATERIAL_TYPE = 4
    BRAND_COLOUR_TYPE = 5
    CATEGORY = 6
    BRAND = 7


_FORM_SHARE = (0.27, 0.19, 0.16, 0.12, 0.09, 0.06, 0.06, 0.05)
_NAMES_BRAND = (Form.BRAND_TYPE, Form.BRAND_COLOUR_TYPE, Form.BRAND)
_NAMES_COLOUR = (Form.COLOUR_TYPE, Form.BRAND_COLOUR_TYPE)
_SYNONYM_SHARE = 0.3
_OWN_TASTE = 3.0  # Gumbel bonus of a facet the shopper likes
_SAME_CATEGORY, _SAME_DEPARTMENT, _OTHER_BRAND = 0.35, 0.06, 0.1
_FACET_PART = 0.5  # share of the match that named facets decide


@dataclass(frozen=True, slots=True)
class Searches:
    """One row per search. A facet of -1 was not named."""

    type_Q: Ints  # -1 where only a category or a brand is named
    category_Q: Ints  # -1 where only a brand is named
    department_Q: Ints  # where the search engine looks
    brand_Q: Ints
    colour_Q: Ints
    material_Q: Ints
    style_Q: Ints
    clean: tuple[str, ...]  # the words as meant
    texts: tuple[str, ...]  # the words as typed

    def __len__(self) -> int:
        return len(self.type_Q)

    def slipped(self) -> Flags:
        """Whether the text is not what was meant to be typed."""
        return np.array(
            [clean != text for clean, text in zip(self.clean, self.texts, strict=True)], dtype=bool
        )


def stacked_searches(parts: Sequence[Searches]) -> Searches:
    """One table out of several."""
    names = [field.name for field in fields(Searches) if field.name not in ("clean", "texts")]
    return replace(
        parts[0],
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names},
        clean=tuple(chain.from_iterable(part.clean for part in parts)),
        texts=tuple(chain.from_iterable(part.texts for part in parts)),
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is about to search for what type; item >= 0 asks for this very item's brand."""

    user_Q: Ints
    type_Q: Ints
    item_Q: Ints


def draw_searches(
    wanted: Wanted,
    shoppers: Shoppers,
    catalogue: Catalogue,
    typo_share: float,
    rng: np.random.Generator,
) -> Searches:
    """What each shopper means and types; named facets lean to the shopper's own taste."""
    words = catalogue.vocabulary
    count = len(wanted.type_Q)
    form_Q = rng.choice(len(Form), size=count, p=_FORM_SHARE)
    again_Q = wanted.item_Q >= 0
    form_Q = np.where(again_Q, int(Form.BRAND_TYPE), form_Q)
    types = words.types
    brands = [
        tuple(n for n, brand in enumerate(words.brands) if brand.department == row.department)
        for row in types
    ]
    mood_UY = shoppers.mood_UM[:, list(words.style_mood)]
    brand_Q = _favourites(wanted, brands, shoppers.brand_UB, rng)
    colour_Q = _favourites(wanted, [row.colours for row in types], shoppers.colour_UC, rng)
    style_Q = _favourites(wanted, [row.styles for row in types], mood_UY, rng)
    material_Q = _favourites(wanted, [row.materials for row in types], None, rng)
    brand_Q = np.where(again_Q, catalogue.brand_I[wanted.item_Q], brand_Q)

    category_Q = np.array([row.category for row in types])[wanted.type_Q]
    named = {
        "type": np.where(np.isin(form_Q, (Form.CATEGORY, Form.BRAND)), -1, wanted.type_Q),
        "category": np.where(form_Q == Form.BRAND, -1, category_Q),
        "brand": np.where(np.isin(form_Q, _NAMES_BRAND), brand_Q, -1),
        "colour": np.where(np.isin(form_Q, _NAMES_COLOUR), colour_Q, -1),
        "material": np.where(form_Q == Form.MATERIAL_TYPE, material_Q, -1),
        "style": np.where(form_Q == Form.STYLE_TYPE, style_Q, -1),
    }
    clean = _wordings(named, words, rng)
    return Searches(
        type_Q=named["type"],
        category_Q=named["category"],
        department_Q=np.array([row.department for row in types])[wanted.type_Q],
        brand_Q=named["brand"],
        colour_Q=named["colour"],
        material_Q=named["material"],
        style_Q=named["style"],
        clean=clean,
        texts=as_typed(clean, typo_share, rng),
    )


def match_strength(searches: Searches, search: Ints, catalogue: Catalogue, item: Ints) -> Floats:
    """How well items answer searches, 0 to 1; ``search`` and ``item`` broadcast.

    The kind of thing counts 1 for the type meant, less for its category and department; half of
    it hangs on the share of the named facets that the item has.
    """
    kind = _kind(searches, search, catalogue, item)
    kept = np.where(
        searches.type_Q[search] >= 0, _facet_share(searches, search, catalogue, item), 1
    )
    return np.asarray(kind * (1 - _FACET_PART + _FACET_PART * kept))


def meanings(searches: Searches, slipped_Q: Flags) -> Ints:
    """A number for each search, the same for searches that mean the same and slipped alike."""
    columns = [searches.type_Q, searches.category_Q, searches.department_Q, searches.brand_Q]
    columns += [searches.colour_Q, searches.material_Q, searches.style_Q]
    key_Q = slipped_Q.astype(np.int64)
    for column in columns:
        # Numbered anew at each step, so that keys stay small.
        key_Q = key_Q * (int(column.max(initial=0)) + 2) + column + 1
        key_Q = np.unique(key_Q, return_inverse=True)[1]
    return key_Q


def grade(searches: Searches, search: Ints, catalogue: Catalogue, item: Ints) -> Ints:
    """A judge's grade, an index into ``judgements.LABELS``."""
    kind = _kind(searches, search, catalogue, item)
    whole = _facet_share(searches, search, catalogue, item) == 1
    right = np.where(whole, 3, 2)
    return np.where(kind == 1, right, np.where(kind == _SAME_CATEGORY, 1, 0))


def _kind(searches: Searches, search: Ints, catalogue: Catalogue, item: Ints) -> Floats:
    of_type = catalogue.type_I[item] == searches.type_Q[search]
    of_category = catalogue.category_I[item] == searches.category_Q[search]
    of_department = catalogue.department_I[item] == searches.department_Q[search]
    of_brand = catalogue.brand_I[item] == searches.brand_Q[search]
    by_brand = np.where(of_brand, 1.0, _OTHER_BRAND)
    near = np.where(searches.type_Q[search] >= 0, _SAME_CATEGORY, 1.0)
    by_kind = np.where(of_type, 1.0, np.where(of_category, near, _SAME_DEPARTMENT))
    kind = np.where(searches.category_Q[search] >= 0, by_kind, by_brand)
    return np.where(of_department, kind, 0.0)


def _facet_share(searches: Searches, search: Ints, catalogue: Catalogue, item: Ints) -> Floats:
    """Share of the named facets that the item has; 1 where none is named."""
    named = np.zeros(1)
    kept = np.zeros(1)
    for meant_Q, has_I in (
        (searches.brand_Q, catalogue.brand_I),
        (searches.colour_Q, catalogue.colour_I),
        (searches.material_Q, catalogue.material_I),
        (searches.style_Q, catalogue.style_I),
    ):
        meant = meant_Q[search]
        named = named + (meant >= 0)
        kept = kept + ((meant >= 0) & (meant == has_I[item]))
    return np.asarray(np.where(named > 0, kept / np.maximum(named, 1), 1.0))


def _favourites(
    wanted: Wanted,
    choices: list[tuple[int, ...]],
    liking_UX: Floats32 | None,
    rng: np.random.Generator,
) -> Ints:
    """One of the type's choices for each search, liked ones more often; -1 where it has none."""
    chosen_Q = np.full(len(wanted.type_Q), -1, dtype=np.int64)
    for kind in np.unique(wanted.type_Q):
        if not choices[kind]:
            continue
        rows = np.flatnonzero(wanted.type_Q == kind)
        options = np.array(choices[kind])
        score = rng.gumbel(size=(len(rows), len(options)))
        if liking_UX is not None:
            score += _OWN_TASTE * liking_UX[wanted.user_Q[rows][:, None], options]
        chosen_Q[rows] = options[score.argmax(axis=1)]
    return chosen_Q


def _wordings(
    named: dict[str, Ints], words: Vocabulary, rng: np.random.Generator
) -> tuple[str, ...]:
    count = len(named["type"])
    synonym_Q = np.where(rng.random(count) < _SYNONYM_SHARE, rng.integers(0, 100, count), -1)
    columns = [named[name].tolist() for name in ("type", "category", *_FACETS)]
    colours = _with_synonyms(words.colours, COLOURS[words.language])
    materials = _with_synonyms(words.materials, MATERIALS[words.language])
    return tuple(
        _wording(words, row, synonym, (colours, materials))
        for row, synonym in zip(zip(*columns, strict=True), synonym_Q.tolist(), strict=True)
    )


def _with_synonyms(texts: tuple[str, ...], synonyms: Mapping[str, str]) -> tuple[Words, Words]:
    """The words as titles have them, and as those say who know another word."""
    return texts, tuple(synonyms.get(text, text) for text in texts)


def _wording(
    words: Vocabulary,
    named: tuple[int, ...],
    synonym: int,
    facet_words: tuple[tuple[Words, Words], tuple[Words, Words]],
) -> str:
    kind, category, brand, colour, material, style = named
    brand_word = words.brands[brand].name if brand >= 0 else ""
    if kind >= 0:
        noun = _noun(words.types[kind], synonym)
    else:
        noun = words.categories[category] if category >= 0 else ""
    colours, materials = (pair[synonym >= 0] for pair in facet_words)
    facets = [
        colours[colour] if colour >= 0 else "",
        words.styles[style] if style >= 0 else "",
        materials[material] if material >= 0 else "",
    ]
    if words.language == "zh":
        return " ".join(filter(None, (brand_word, "".join(facets) + noun)))
    return " ".join(filter(None, (brand_word, *facets, noun))).lower()


def _noun(kind: ProductType, synonym: int) -> str:
    return kind.name if synonym < 0 else kind.synonyms[synonym % len(kind.synonyms)]
