"""Category paths in one way of writing: ``Home > Kitchen > Mugs``.

Shops write the same path as ``a>b``, ``a | b``, ``/a/b/`` or ``["a", "b"]``. Two ways for one
category would be two categories to whatever counts by category.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

JOINED = " > "
_EXAMPLES = 5
_MOST_ROUNDS = 10

# The strongest first: where one is there, what stands lower is part of a name.
_SEPARATORS = (
    ("a>b", re.compile(r"\s*[>\u00bb\u203a\u2192]\s*")),
    ("a|b", re.compile(r"\s*\|\s*")),
    ("/a/b", re.compile(r"\s*/\s*")),
    ("a / b", re.compile(r"\s+/\s+")),
)


class _Written(NamedTuple):
    path: str
    way: str  # "" for a single name


@dataclass(frozen=True, slots=True)
class PathChange:
    """A way of writing that was found and replaced."""

    way: str
    rows: int
    example: str  # as it was
    became: str


@dataclass(frozen=True, slots=True)
class CategoryPaths:
    """The paths, and what was done to them."""

    paths: pl.Series  # null where nothing is left
    changes: tuple[PathChange, ...]
    unsure: tuple[str, ...]  # examples of names with a bare "/" inside, which were left alone
    unsure_rows: int


def normalise_paths(texts: pl.Series) -> CategoryPaths:
    """Every path with its parts joined by `` > ``; each distinct one is looked at once.

    A bare ``/`` parts names only where the path begins with one or has spaces on both sides:
    ``TV/Video`` is one name. Empty parts fall away, and a part that repeats the one before it.
    """
    counts = texts.drop_nulls().value_counts(name="rows").sort(texts.name)
    given: list[str] = counts[texts.name].to_list()
    rows: list[int] = counts["rows"].to_list()
    written = [_written(text) for text in given]
    new = pl.Series([one.path or None for one in written], dtype=pl.String)
    unsure = [place for place, one in enumerate(written) if not one.way and "/" in one.path]
    return CategoryPaths(
        texts.replace_strict(pl.Series(given, dtype=pl.String), new, default=None),
        _changes(given, written, rows),
        tuple(given[place] for place in unsure[:_EXAMPLES]),
        sum(rows[place] for place in unsure),
    )


def path_parts(path: str) -> tuple[str, ...]:
    """The names of a path as `normalise_paths` writes it, from broad to narrow."""
    return tuple(path.split(JOINED))


def _written(text: str) -> _Written:
    once = _written_once(text)
    path = once.path
    # A name can hide another way of writing: ["a|b"] is a|b is a > b.
    for _ in range(_MOST_ROUNDS):
        again = _written_once(path).path
        if again == path:
            break
        path = again
    return _Written(path, once.way)


def _written_once(text: str) -> _Written:
    text = text.strip()
    listed = _listed(text)
    if listed is not None:
        return _Written(_joined(listed), '["a", "b"]')
    for way, separator in _SEPARATORS:
        if separator.search(text) and (way != "/a/b" or text.startswith("/")):
            return _Written(_joined(separator.split(text)), way)
    return _Written(_joined([text]), "")


def _listed(text: str) -> list[str] | None:
    """The names of a JSON list of texts, or of the only list in a list."""
    if not text.startswith("["):
        return None
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        return None
    while isinstance(names, list) and len(names) == 1 and isinstance(names[0], list):
        names = names[0]
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return names
    return None


def _joined(names: list[str]) -> str:
    told: list[str] = []
    for name in (" ".join(name.split()) for name in names):
        if name and (not told or told[-1] != name):
            told.append(name)
    return JOINED.join(told)


def _changes(given: list[str], written: list[_Written], rows: list[int]) -> tuple[PathChange, ...]:
    """One entry a way, the most frequent first; the example is the first by spelling."""
    found: Counter[str] = Counter()
    first: dict[str, tuple[str, str]] = {}
    for text, one, count in zip(given, written, rows, strict=True):
        if one.path != text:
            way = one.way or "spaces"
            found[way] += count
            first.setdefault(way, (text, one.path))
    return tuple(PathChange(way, count, *first[way]) for way, count in found.most_common())
