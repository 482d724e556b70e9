"""Which of several files becomes which table, each table once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path

from shelfwise.data.propose.guess import SECTIONS, TableGuess
from shelfwise.data.propose.look import NotLooked


@dataclass(frozen=True, slots=True)
class Table:
    """The files of one table of shop.toml."""

    section: str
    pattern: str  # as `file` in shop.toml names them
    guess: TableGuess  # of the file in which most rows were looked at
    files: tuple[TableGuess, ...]


def arrange(guesses: Sequence[TableGuess], shop: Path) -> tuple[list[Table], list[NotLooked]]:
    """The tables in the order of shop.toml, and the files that none of them takes.

    Files of one folder with the same columns are one table in several parts.
    """
    tables: list[Table] = []
    unused = [
        NotLooked(one.looked.path, f"no table has columns like {_some_columns(one)}")
        for one in guesses
        if not one.section
    ]
    for section in SECTIONS:
        groups = _groups([one for one in guesses if one.section == section])
        for place, group in enumerate(groups):
            pattern = _pattern(group, guesses)
            if place == 0 and pattern:
                best = max(group, key=lambda one: one.looked.rows)
                tables.append(Table(section, _from_shop(pattern, shop), best, tuple(group)))
                continue
            best_name = groups[0][0].looked.path.name
            why = f"looks like {section} as well, but {best_name} fits better"
            if place == 0:
                why = (
                    f"looks like {section}, but no pattern means such files alone; put them into "
                    "a folder of their own"
                )
            unused += [NotLooked(one.looked.path, why) for one in group]
    return tables, unused


def _groups(guesses: Sequence[TableGuess]) -> list[list[TableGuess]]:
    """Files of the same folder, ending and columns together, the best group first."""
    groups: dict[tuple[Path, tuple[str, ...]], list[TableGuess]] = {}
    for one in guesses:
        key = (one.looked.path.parent, tuple(column.name for column in one.looked.columns))
        groups.setdefault(key, []).append(one)
    return sorted(
        groups.values(), key=lambda group: (-group[0].score, -sum(one.looked.rows for one in group))
    )


def _pattern(group: Sequence[TableGuess], all_files: Sequence[TableGuess]) -> Path | None:
    """The path of one file, or the glob of several that means no other file looked at."""
    folder = group[0].looked.path.parent
    names = sorted(one.looked.path.name for one in group)
    if len(names) == 1:
        return group[0].looked.path
    first = _shared(names)
    last = _shared([name[len(first) :][::-1] for name in names])[::-1]
    pattern = f"{first}*{last}"
    others = {one.looked.path.name for one in all_files if one.looked.path.parent == folder} - set(
        names
    )
    return None if any(fnmatchcase(name, pattern) for name in others) else folder / pattern


def _shared(texts: Sequence[str]) -> str:
    """The letters with which all of them begin."""
    letters = takewhile(lambda column: len(set(column)) == 1, zip(*texts, strict=False))
    return "".join(column[0] for column in letters)


def _from_shop(path: Path, shop: Path) -> str:
    """As shop.toml names it: inside of the shop folder relative to it, else from the root."""
    whole, home = path.absolute(), shop.absolute()
    return whole.relative_to(home).as_posix() if whole.is_relative_to(home) else whole.as_posix()


def _some_columns(one: TableGuess) -> str:
    names = [column.name for column in one.looked.columns]
    return ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
