"""One way to write each text: what looks the same to a shopper is the same to the model."""

from __future__ import annotations

import html
import re

import ftfy
import polars as pl

# Printable ASCII, single spaces inside only and no entity: nothing below would change it.
ALREADY_NORMAL = r"^(?:[!-%'-~]+(?: [!-%'-~]+)*)?$"
# Invisible: soft hyphen, zero-width space, word joiner, direction marks, byte order mark.
# The zero-width joiners stay; emoji and several scripts need them.
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
_REPAIR = ftfy.TextFixerConfig(unescape_html=False, normalization="NFKC", explain=False)
_MOST_ROUNDS = 10  # one repair can uncover another: "&amp;eacute;" is "&eacute;" is "é"


def normalise(texts: pl.Series) -> pl.Series:
    """Every text as ``normalise_text`` writes it, each distinct one computed once."""
    distinct = texts.unique().drop_nulls()
    to_do = distinct.filter(~distinct.str.contains(ALREADY_NORMAL))
    if to_do.is_empty():
        return texts
    done = pl.Series([normalise_text(text) for text in to_do], dtype=pl.String)
    return texts.replace(to_do, done)


def normalise_text(text: str) -> str:
    """Repair mojibake, resolve entities, fold to NFKC, drop what cannot be seen.

    White space of any kind becomes one space, and none is left at the ends. Doing it
    twice changes nothing more.
    """
    for _ in range(_MOST_ROUNDS):
        repaired = _normalise_once(text)
        if repaired == text:
            break
        text = repaired
    return text


def _normalise_once(text: str) -> str:
    text = ftfy.fix_text(html.unescape(text), _REPAIR)
    return " ".join(_INVISIBLE.sub("", _CONTROL.sub("", text)).split())
