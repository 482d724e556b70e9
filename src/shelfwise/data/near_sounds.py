"""Chinese characters that sound alike, as an input method offers one for another.

By pinyin without tones (package pypinyin), with what many speakers do not tell apart and input
methods let them mix: zh and z, ch and c, sh and s, l and n; ang and an, eng and en, ing and in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec

from shelfwise.data.slips import SOUNDS

_PACKAGE = "pypinyin"
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_MIXED_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
_MIXED_FINALS = (("ang", "an"), ("eng", "en"), ("ing", "in"))
# Rows of GB 2312 (1980) that hold its first level: 3,755 characters in everyday use.
_EVERYDAY_ROWS, _COLUMNS = range(0xB0, 0xD8), range(0xA1, 0xFF)


class NearSounds(Mapping[str, str]):
    """For a character, all everyday ones of its sound or a near one; as one string each."""

    def __init__(self) -> None:
        everyday = _everyday()
        self._sound_of = dict(zip(everyday, _sounds(everyday), strict=True))
        groups: dict[str, list[str]] = {}
        for letter, sound in self._sound_of.items():
            groups.setdefault(sound, []).append(letter)
        self._of_sound = {sound: "".join(letters) for sound, letters in groups.items()}
        self._known = [letter for letter in everyday if letter in self]

    def __getitem__(self, letter: str) -> str:
        if len(letter) != 1 or letter.isascii():
            raise KeyError(letter)
        if letter not in self._sound_of:
            (self._sound_of[letter],) = _sounds([letter])
        others = self._of_sound.get(self._sound_of[letter], "").replace(letter, "")
        if not others:
            raise KeyError(letter)
        return others

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def near_sounds() -> Mapping[str, str]:
    """All characters by pinyin where the extra ``zh`` is installed, else a table of some 150."""
    return SOUNDS if find_spec(_PACKAGE) is None else NearSounds()


def unknown_sounds(texts: Iterable[str]) -> list[str]:
    """What to say where texts are Chinese and most characters' sounds are not known."""
    if find_spec(_PACKAGE) is not None or not any(_CHINESE.search(text) for text in texts):
        return []
    found = f"Characters of near sound: {len(SOUNDS)} known"
    return [f"{found}; pip install 'shelfwise[zh]' for all by their pinyin."]


def near(sound: str) -> str:
    """The sound that stands for all that are mixed with it: "zhang" -> "zan", "nin" -> "lin"."""
    for one, other in _MIXED_INITIALS:
        if sound.startswith(one):
            sound = other + sound.removeprefix(one)
            break
    for one, other in _MIXED_FINALS:
        if sound.endswith(one):
            return sound.removesuffix(one) + other
    return sound


def _sounds(letters: Sequence[str]) -> list[str]:
    from pypinyin import lazy_pinyin

    return [near(sound) for sound in lazy_pinyin(list(letters))]


def _everyday() -> list[str]:
    codes = (bytes([row, column]) for row in _EVERYDAY_ROWS for column in _COLUMNS)
    return [letter for code in codes if (letter := code.decode("gb2312", errors="ignore"))]
