"""The only place where an item or a query becomes text for the language model.

Training, indexing, evaluation and serving all call these two functions, so that the model meets
the same words everywhere.
"""

from __future__ import annotations

import json

from shelfwise.data.config import TextOptions
from shelfwise.data.normalise import normalise_text
from shelfwise.schema.item import Item

_SEPARATOR = ", "


def item_text(item: Item, options: TextOptions) -> str:
    """What the model reads of an item: the chosen fields, in order, empty ones left out.

    An item of which the shop says nothing at all is written as its id, so that it still differs
    from its neighbours.
    """
    parts = [_field(item, name) for name in options.fields]
    return _SEPARATOR.join(part for part in parts if part) or item.item_id


def query_text(query: str) -> str:
    """What the model reads of a query: its words as `prepare` wrote those of the log."""
    return normalise_text(query)


def _field(item: Item, name: str) -> str:
    match name:
        case "title":
            return item.title
        case "category":
            return item.category.replace(" > ", " ")
        case "brand":
            # A brand that the title already names is not said twice.
            return "" if _names(item.title.casefold(), item.brand.casefold()) else item.brand
        case "attributes":
            return _attributes(item.attributes)
        case "price":
            return "" if item.price is None else f"price {item.price:.2f}"
        case _:
            raise AssertionError(f"TextOptions.fields admits {name!r}, item_text does not")


def _names(title: str, brand: str) -> bool:
    """Whether ``brand`` stands in ``title`` as a word: "hp" does not in "graphpaper"."""
    place = title.find(brand)
    while place >= 0:
        end = place + len(brand)
        if not (_one_word(title[:place], brand) or _one_word(brand, title[end:])):
            return True
        place = title.find(brand, place + 1)
    return False


def _one_word(left: str, right: str) -> bool:
    """Whether no gap is between the two; Chinese writes none, so Latin letters alone count."""
    seam = left[-1:] + right[:1]
    return len(seam) == 2 and seam.isascii() and seam.isalnum()


def _attributes(text: str) -> str:
    """The values of the JSON object; text that is no object is kept as it is."""
    try:
        values = json.loads(text) if text else {}
    except ValueError:
        return text
    if not isinstance(values, dict):
        return text
    return _SEPARATOR.join(str(value) for value in values.values() if value not in (None, ""))
