"""The words of the sample shop: departments, product types, brands, colours, in every language.

The tables (``vocabulary_*.py``) write a word once in all languages, in the order of LANGUAGES:
``"navy|藏青色"``. A style has a last part more, the mood that it suits: ``"slim-fit|修身|modern"``;
a brand has its price tier. Lists are separated by commas. A further language is a further part
in each word.
"""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("en", "zh")
DOMAINS = ("goods", "books")
MOODS = ("classic", "modern", "active", "natural", "playful")


@dataclass(frozen=True, slots=True)
class TypeRow:
    """A product type as the tables write it; an empty list means it has no such property."""

    category: str
    name: str
    synonyms: str
    price: float  # of a middling brand, in the shop's currency
    styles: str
    materials: str = ""
    colours: str = ""
    sizes: str = ""  # from small to large; the same in all languages where there is no "|"
    model: bool = False  # whether makers give it a model name such as "K40"
    reorder_days: int = 0  # how long one lasts; 0 for what is not used up


@dataclass(frozen=True, slots=True)
class DepartmentRow:
    """A department as the tables write it."""

    name: str
    brands: str
    types: tuple[TypeRow, ...]
    domain: str = DOMAINS[0]


@dataclass(frozen=True, slots=True)
class ProductType:
    """A product type in one language; numbers point into the Vocabulary's lists."""

    key: str  # its English name, by which other tables know it
    name: str
    synonyms: tuple[str, ...]
    category: int
    department: int
    domain: int
    price: float
    styles: tuple[int, ...]
    materials: tuple[int, ...]
    colours: tuple[int, ...]
    sizes: tuple[str, ...]
    model: bool
    reorder_days: int


@dataclass(frozen=True, slots=True)
class Brand:
    """A maker, in one department, with a price tier from -1 (cheap) over 0 to 1 (dear)."""

    name: str
    department: int
    tier: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words of one language. The same number means the same thing in every language."""

    language: str
    departments: tuple[str, ...]
    categories: tuple[str, ...]
    category_department: tuple[int, ...]
    types: tuple[ProductType, ...]
    brands: tuple[Brand, ...]
    colours: tuple[str, ...]
    materials: tuple[str, ...]
    styles: tuple[str, ...]
    style_mood: tuple[int, ...]


class _Numbering:
    """Gives each distinct word a number, in the order of first sight."""

    def __init__(self, part: int) -> None:
        self._part = part
        self._number: dict[str, int] = {}

    def __call__(self, word: str) -> int:
        return self._number.setdefault(word, len(self._number))

    def numbers(self, listed: str) -> tuple[int, ...]:
        return tuple(map(self, _split(listed)))

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self._number)

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(_in_language(word, self._part) for word in self._number)


def _split(listed: str) -> list[str]:
    return [word.strip() for word in listed.split(",") if word.strip()]


def _in_language(word: str, part: int) -> str:
    parts = word.split("|")
    return parts[part] if len(parts) > 1 else word


def read_vocabulary(departments: tuple[DepartmentRow, ...], language: str) -> Vocabulary:
    """Number the words of the tables and pick their texts in ``language``."""
    part = LANGUAGES.index(language)
    categories, colours = _Numbering(part), _Numbering(part)
    materials, styles = _Numbering(part), _Numbering(part)
    types: list[ProductType] = []
    brands: list[Brand] = []
    category_department: dict[int, int] = {}
    for number, department in enumerate(departments):
        brands += [_brand(word, part, number) for word in _split(department.brands)]
        for row in department.types:
            category = categories(row.category)
            category_department[category] = number
            types.append(
                ProductType(
                    key=_in_language(row.name, 0),
                    name=_in_language(row.name, part),
                    synonyms=tuple(_in_language(word, part) for word in _split(row.synonyms)),
                    category=category,
                    department=number,
                    domain=DOMAINS.index(department.domain),
                    price=row.price,
                    styles=styles.numbers(row.styles),
                    materials=materials.numbers(row.materials),
                    colours=colours.numbers(row.colours),
                    sizes=tuple(_in_language(word, part) for word in _split(row.sizes)),
                    model=row.model,
                    reorder_days=row.reorder_days,
                )
            )
    return Vocabulary(
        language=language,
        departments=tuple(_in_language(department.name, part) for department in departments),
        categories=categories.texts,
        category_department=tuple(category_department.values()),
        types=tuple(types),
        brands=tuple(brands),
        colours=colours.texts,
        materials=materials.texts,
        styles=styles.texts,
        style_mood=tuple(MOODS.index(word.split("|")[-1]) for word in styles.words),
    )


def _brand(word: str, part: int, department: int) -> Brand:
    return Brand(_in_language(word, part), department, int(word.split("|")[-1]))
