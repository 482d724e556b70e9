"""Slips of the finger: how the text of a query strays from what was meant.

One slip in a word, its first letter apart, of a kind drawn uniformly:

* Latin letters: two swapped, one dropped, one doubled, one replaced by its neighbour on the
  keyboard; or a space lost.
* Chinese characters: two swapped, one dropped, one replaced by another of the same or a near sound
  (as an input method offers it), or of a near shape; where the tables below know none, dropped.

Apart from slips, some queries have their last word cut short.
"""

from __future__ import annotations

import numpy as np

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

_PARTIAL_SHARE = 0.04  # the last word cut short
_FIRST_CJK = "\u4e00"


def as_typed(
    clean: tuple[str, ...], typo_share: float, rng: np.random.Generator
) -> tuple[str, ...]:
    """The texts as they are typed: some with a slip, some cut short."""
    slip_Q = rng.random(len(clean)) < typo_share
    cut_Q = rng.random(len(clean)) < _PARTIAL_SHARE
    place_Q = rng.random(len(clean))
    way_Q = rng.random(len(clean))
    typed = list(clean)
    for row in np.flatnonzero(slip_Q | cut_Q).tolist():
        text = clean[row]
        typed[row] = with_typo(text, place_Q[row], way_Q[row]) if slip_Q[row] else cut_short(text)
    return tuple(typed)


def with_typo(text: str, place: float, way: float) -> str:
    """One slip inside a word: ``place`` and ``way``, in [0, 1), say where and of which kind.

    A text too short to slip in stays as it is.
    """
    spots = [n for n in range(1, len(text) - 1) if text[n].isalnum() and text[n + 1].isalnum()]
    if not spots:
        return text
    at = spots[int(place * len(spots))]
    if text[at] >= _FIRST_CJK:
        return _chinese_slip(text, at, int(way * 4))
    return _latin_slip(text, at, int(way * 5))


def cut_short(text: str) -> str:
    """The last word as someone in a hurry leaves it: "red headphones" -> "red headpho"."""
    space = text.rfind(" ") + 1
    word = text[space:]
    keep = max(2, round(len(word) * 0.7)) if word[:1] >= _FIRST_CJK else max(4, len(word) * 7 // 10)
    return text[:space] + word[:keep]


def _latin_slip(text: str, at: int, way: int) -> str:
    if way == 0 and text[at] != text[at + 1]:
        return swap_letters(text, at)
    match way:
        case 1:
            return drop_letter(text, at)
        case 2:
            return neighbour_key(text, at)
        case 3:
            return lose_space(text, at)
        case _:
            return double_letter(text, at)


def _chinese_slip(text: str, at: int, way: int) -> str:
    if way == 0 and text[at] != text[at + 1]:
        return swap_letters(text, at)
    match way:
        case 2:
            return other_character(text, at, SOUNDS)
        case 3:
            return other_character(text, at, SHAPES)
        case _:
            return drop_letter(text, at)
