"""Texts as they reach a shop: mistyped, run together, shouted, disguised, cut, said otherwise.

Words are altered one by one, each with the probability that is asked for, by a kind that can alter
it. Chinese and Japanese write no gaps: there each character is a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeVar, get_args

import numpy as np

from shelfwise.data.slips import SHAPES, SOUNDS, neighbour_key, swap_letters

NoiseKind = Literal[
    "keyboard", "swap", "case", "joined", "homoglyph", "sound", "shape", "drop", "synonym"
]
_Choice = TypeVar("_Choice")
NOISE_KINDS: tuple[NoiseKind, ...] = get_args(NoiseKind)
# What is written without gaps: kana, the sign for zero, Chinese characters of all planes.
_GAPLESS = "\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# A word and the gap after it.
WORD = re.compile(rf"([{_GAPLESS}]|[^\s{_GAPLESS}]+)(\s*)")
_SHORT = 3  # letters from which on a word can be mistyped and still be known
# Latin letters and what looks like them in Cyrillic and Greek.
_LOOKALIKES = dict(
    zip(
        "aceijopsxyvABCEHIKMOPTXYZ",
        "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0445\u0443\u03bd\u0410\u0412\u0421\u0415\u041d\u0406\u041a\u041c\u041e\u0420\u0422\u0425\u03a5\u0396",
        strict=True,
    )
)
# What English-speaking shoppers call the same thing; each stands for any other of its group.
_SYNONYMS = (
    "couch sofa settee, tv television telly, sneakers trainers, sweater jumper pullover, "
    "pants trousers slacks, purse handbag, bag sack, cap hat, coat jacket, glasses spectacles, "
    "phone mobile cellphone, laptop notebook, earphones headphones earbuds, lamp light, "
    "rug carpet mat, bin trash garbage, faucet tap, stove cooker range, fridge refrigerator, "
    "mug cup, plate dish, pot pan, knife blade, towel cloth, curtain drape, pillow cushion, "
    "blanket throw, closet wardrobe, drawer chest, desk table, chair seat, screw bolt, "
    "drill driver, hose pipe tube, fence railing, paint coating, wood timber lumber, "
    "big large huge, small little tiny, cheap inexpensive budget, gift present, kid child, "
    "baby infant, men mens male, women womens female, red crimson scarlet, grey gray, "
    "shampoo hairwash, perfume fragrance scent, cream lotion, makeup cosmetics, soap cleanser, "
    "bike bicycle, car auto, doll figure, puzzle jigsaw, pen ballpoint, book novel, game toy"
)


class _Word(NamedTuple):
    letters: str
    gap: str  # white space after it


class Noise(NamedTuple):
    """What is done to texts."""

    strength: float  # share of words that are altered, where they can be
    kinds: tuple[NoiseKind, ...] = NOISE_KINDS
    sounds: Mapping[str, str] = SOUNDS  # for a Chinese character, those that sound like it

    def of(self, text: str, rng: np.random.Generator) -> str:
        """The text as it comes; never empty where it was not."""
        words = [_Word(*found) for found in WORD.findall(text)]
        lead = text[: len(text) - len(text.lstrip())]
        altered: list[_Word] = []
        for place, word in enumerate(words):
            is_last = place == len(words) - 1
            chosen, way, spot = rng.random(3)
            kinds = [kind for kind in self.kinds if self._can(kind, word, is_last)]
            if chosen >= self.strength or not kinds:
                altered.append(word)
                continue
            kind = kinds[int(way * len(kinds))]
            if kind == "drop":
                continue
            altered.append(self._altered(kind, word, spot))
        if not altered:
            altered = words[-1:]
        return (lead + "".join(word.letters + word.gap for word in altered)).rstrip()

    def _can(self, kind: NoiseKind, word: _Word, is_last: bool) -> bool:
        return word.letters in self.sounds if kind == "sound" else _CAN[kind](word, is_last)

    def _altered(self, kind: NoiseKind, word: _Word, spot: float) -> _Word:
        if kind == "sound":
            return word._replace(letters=_one(self.sounds[word.letters], spot))
        return _ALTERED[kind](word, spot)


def noisy(texts: Sequence[str], noise: Noise, seed: int) -> list[str]:
    """Each text with draws of its own, so that none depends on the texts before it."""
    return [noise.of(text, np.random.default_rng([seed, row])) for row, text in enumerate(texts)]


def _is_latin(word: _Word, _: bool = False) -> bool:
    return word.letters.isascii() and sum(map(str.isalpha, word.letters)) >= _SHORT


def _spots(word: _Word) -> list[int]:
    """Letters that can be mistyped: not the first, which the eye goes by."""
    return [at for at in range(1, len(word.letters)) if word.letters[at].isalpha()]


def _keyboard(word: _Word, spot: float) -> _Word:
    at = _one(_spots(word), spot)
    lower = word.letters.lower()
    letter = neighbour_key(lower, at)[at]
    return word._replace(letters=word.letters[:at] + letter + word.letters[at + 1 :])


def _swappable(word: _Word) -> list[int]:
    letters = word.letters
    return [at for at in _spots(word) if at + 1 < len(letters) and letters[at] != letters[at + 1]]


def _swap(word: _Word, spot: float) -> _Word:
    return word._replace(letters=swap_letters(word.letters, _one(_swappable(word), spot)))


def _case(word: _Word, _: float) -> _Word:
    upper = word.letters.upper()
    return word._replace(letters=word.letters.lower() if upper == word.letters else upper)


def _joined(word: _Word, _: float) -> _Word:
    return word._replace(gap="")


def _homoglyph(word: _Word, spot: float) -> _Word:
    at = _one([at for at, letter in enumerate(word.letters) if letter in _LOOKALIKES], spot)
    letters = word.letters
    return word._replace(letters=letters[:at] + _LOOKALIKES[letters[at]] + letters[at + 1 :])


def _synonym(word: _Word, spot: float) -> _Word:
    return word._replace(letters=_one(SYNONYMS[word.letters.lower()], spot))


def _one(choices: Sequence[_Choice], spot: float) -> _Choice:
    return choices[int(spot * len(choices))]


def _groups(told: str) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for group in told.split(", "):
        names = group.split()
        for name in names:
            found[name] = tuple(other for other in names if other != name)
    return found


SYNONYMS = _groups(_SYNONYMS)
# All kinds but sounds, which a noise brings with it.
_CAN: Mapping[str, Callable[[_Word, bool], bool]] = {
    "keyboard": _is_latin,
    "swap": lambda word, _: _is_latin(word) and bool(_swappable(word)),
    "case": _is_latin,
    "joined": lambda word, is_last: bool(word.gap) and not is_last,
    "homoglyph": lambda word, _: any(letter in _LOOKALIKES for letter in word.letters),
    "shape": lambda word, _: word.letters in SHAPES,
    "drop": lambda *_: True,
    "synonym": lambda word, _: word.letters.lower() in SYNONYMS,
}
_ALTERED: Mapping[str, Callable[[_Word, float], _Word]] = {
    "keyboard": _keyboard,
    "swap": _swap,
    "case": _case,
    "joined": _joined,
    "homoglyph": _homoglyph,
    "shape": lambda word, _: word._replace(letters=SHAPES[word.letters]),
    "synonym": _synonym,
}
