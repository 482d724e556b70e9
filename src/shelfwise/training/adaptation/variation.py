"""An item's text as somebody else might have written it.

Shape suffixes in this file: B = texts, L = tokens of the longest, W = words of a text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from shelfwise.data.config import TextOptions
from shelfwise.data.prepared import PreparedShop, item_of
from shelfwise.data.text import item_text
from shelfwise.data.text_noise import WORD
from shelfwise.data.tokens import pad_id_of
from shelfwise.schema.item import Item

_FIELD_LEFT_OUT = 0.5
_WORD_LEFT_OUT = 0.2
_SWAPPED = 0.5


def varied_text(item: Item, options: TextOptions, rng: np.random.Generator) -> str:
    """The item's text with brand, category and some words left out, and two neighbours swapped.

    It never becomes empty, and of a word it never has more than the full text.
    """
    brand_goes, category_goes = rng.random(2) < _FIELD_LEFT_OUT
    shorter = replace(
        item,
        brand="" if brand_goes else item.brand,
        category="" if category_goes else item.category,
    )
    text = item_text(shorter, options)
    if text == item.item_id:  # nothing else was said of it
        text = item_text(item, options)
    return varied_words(text, rng)


def varied_words(text: str, rng: np.random.Generator) -> str:
    """Words left out one time in five, at least one kept; half the time two neighbours swapped."""
    words = WORD.findall(text)
    if not words:
        return text
    kept_W = rng.random(len(words)) >= _WORD_LEFT_OUT
    kept_W[rng.integers(len(words))] = True
    words = [word for word, kept in zip(words, kept_W, strict=True) if kept]
    if len(words) > 1 and rng.random() < _SWAPPED:
        place = int(rng.integers(len(words) - 1))
        # The words change places, the gaps do not.
        (one, gap), (other, end) = words[place : place + 2]
        words[place : place + 2] = [(other, gap), (one, end)]
    return "".join(word + gap for word, gap in words).strip()


@dataclass(frozen=True, slots=True)
class Variations:
    """Varied texts of a shop's items, as the encoder reads them."""

    prepared: PreparedShop
    tokenizer: Tokenizer  # cuts, and does not pad
    prefix: str

    def of(
        self, items: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """``[B, L]`` ids and mask of a variation of each item."""
        options = self.prepared.options.text
        rows = (self.prepared.items.row(item, named=True) for item in items.tolist())
        texts = [self.prefix + varied_text(item_of(row), options, rng) for row in rows]
        encoded = [one.ids for one in self.tokenizer.encode_batch_fast(texts)]
        longest = max(map(len, encoded))
        pad = pad_id_of(self.tokenizer)
        ids_BL = np.array([ids + [pad] * (longest - len(ids)) for ids in encoded], np.int64)
        length_B = np.array([len(ids) for ids in encoded])
        return ids_BL, np.arange(longest) < length_B[:, None]
