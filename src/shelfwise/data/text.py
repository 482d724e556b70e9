"""The only place where an item or a query becomes text for the language model.

Training, indexing, evaluation and serving all call these two functions, so that the model meets
the same words everywhere.
"""

from __future__ import annotations

import json

import polars as pl

from shelfwise.data.config import TextOptions
from shelfwise.data.normalise import normalise_text
from shelfwise.schema.item import Item

_SEPARATOR = ", "
_ASCII = r"^[\x00-\x7f]*$"


def item_text(item: Item, options: TextOptions) -> str:
    """What the model reads of an item: the chosen fields, in order, empty ones left out.

    An item of which the shop says nothing at all is written as its id, so that it still differs
    from its neighbours.
    """
    parts = [_field(item, name) for name in options.fields]
    return _SEPARATOR.join(part for part in parts if part) or item.item_id


def item_texts(items: pl.DataFrame, options: TextOptions) -> pl.Series:
    """``item_text`` of every row of a table of items: the same texts, many at a time."""
    items = items.with_columns(
        pl.col("title", "category", "brand", "attributes").fill_null(""),
    )
    parts = [_field_of_all(items, name) for name in options.fields]
    filled = [part.set(part == "", None).alias(f"{place}") for place, part in enumerate(parts)]
    texts = pl.DataFrame(filled).select(
        pl.concat_str(pl.all(), separator=_SEPARATOR, ignore_nulls=True).alias("text")
    )["text"]
    return texts.set(texts == "", None).fill_null(items["item_id"])


def encoded_texts(items: pl.DataFrame) -> list[str]:
    """What the encoder reads of each item: its ``text``, or nothing where none of them has any.

    A shop of ids alone would have the encoder read meaning into them, at the price of real words.
    """
    if (items["text"] == items["item_id"]).all():
        return [""] * len(items)
    return items["text"].to_list()


def _field_of_all(items: pl.DataFrame, name: str) -> pl.Series:
    match name:
        case "category":
            return items["category"].str.replace_all(" > ", " ", literal=True)
        case "brand":
            return _brands(items)
        case "attributes":
            return pl.Series([_attributes(text) for text in items["attributes"]], dtype=pl.String)
        case "price":
            prices = items["price"].cast(pl.Float64)
            texts = ["" if price is None else f"price {price:.2f}" for price in prices]
            return pl.Series(texts, dtype=pl.String)
        case _:
            return items[name]


def _brands(items: pl.DataFrame) -> pl.Series:
    """Brands that the title does not name already; most titles that do begin with it."""
    title, brand = pl.col("title"), pl.col("brand")
    begins = title.str.starts_with(brand + " ") | (title == brand)
    found = items.select("title", "brand", (begins & (brand != "")).alias("begins"))
    inside = found.select(
        title.str.to_lowercase().str.contains(brand.str.to_lowercase(), literal=True)
        | ~title.str.contains(_ASCII)
        | ~brand.str.contains(_ASCII)
    ).to_series()
    unsure = inside & ~found["begins"] & (found["brand"] != "")
    named = found["begins"].to_list()
    for place in unsure.arg_true():
        row = found.row(place)
        named[place] = _names(row[0].casefold(), row[1].casefold())
    return found["brand"].set(pl.Series(named, dtype=pl.Boolean), "")


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
