"""Writes the tables of these pages that the code already holds: columns, options, layers.

A page marks the place with ``<!-- table: NAME -->`` and ``<!-- end of table -->``. After a change
of the code: ``.venv/bin/python docs/write_tables.py``. A test fails until that is done.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shelfwise.config import ShopConfig
from shelfwise.data.readers.datasets import dataset_cards
from shelfwise.schema.columns import (
    CAMPAIGNS,
    CATALOGUE,
    EVENTS,
    JUDGEMENTS,
    PAIRS,
    USERS,
    Column,
)
from shelfwise.schema.event import EventKind
from shelfwise.schema.options import models_in

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs"

_PLACE = re.compile(r"(<!-- table: (.+?) -->\n).*?(<!-- end of table -->)", re.DOTALL)
_TYPES = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    datetime: "time",
}


def filled(page: str) -> str:
    """A page's text with every marked table as the code has it now."""
    return _PLACE.sub(lambda m: f"{m[1]}\n{TABLES[m[2]]()}\n\n{m[3]}", page)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _columns(columns: Sequence[Column]) -> str:
    rows = [
        (f"**`{c.name}`**" if c.required else f"`{c.name}`", c.type, c.meaning) for c in columns
    ]
    return _table(("column", "type", "meaning"), rows)


def _event_kinds() -> str:
    return ", ".join(f"`{kind}`" for kind in EventKind)


def _layers() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    return "\n".join(["```text", *(line.replace("shelfwise.", "") for line in layers), "```"])


def _options() -> str:
    alone, sections = [], []
    for name, field in ShopConfig.model_fields.items():
        if models_in(field.annotation):
            sections += _sections(name, field)
        else:
            alone.append(_row(name, field))
    first = ["Outside any section:", "", _table(_HEAD, alone)]
    return "\n".join([*first, *sections])


_HEAD = ("option", "values", "default", "meaning")


def _sections(path: str, field: FieldInfo) -> list[str]:
    """A heading and a table for a section, then its inner sections; each member of a union."""
    lines: list[str] = []
    default = field.get_default(call_default_factory=True)
    members = models_in(field.annotation)
    for model in members:
        chosen = " (the default)" if len(members) > 1 and isinstance(default, model) else ""
        lines += _section(path, model, chosen, one_of_several=len(members) > 1)
    return lines


def _section(path: str, model: type[BaseModel], chosen: str, *, one_of_several: bool) -> list[str]:
    rows, inner = [], []
    for name, field in model.model_fields.items():
        if models_in(field.annotation):
            inner += _sections(f"{path}.{name}", field)
        else:
            rows.append(_row(name, field))
    which = ", {} = {}".format(*_tag(model)) if one_of_several else ""
    summary = (model.__doc__ or "").strip().splitlines()[0]
    return ["", f"## `[{path}]`{which}{chosen}", "", summary, "", _table(_HEAD, rows), *inner]


def _tag(model: type[BaseModel]) -> tuple[str, str]:
    """Name and value of the option by which a member of a union is chosen."""
    fields = model.model_fields.items()
    name, field = next(
        (name, one)
        for name, one in fields
        if get_origin(one.annotation) is Literal and len(get_args(one.annotation)) == 1
    )
    return name, _default(field)


def _row(name: str, field: FieldInfo) -> tuple[str, str, str, str]:
    meaning = " ".join((field.description or "").split())
    return (f"`{name}`", _values(field.annotation), _default(field), meaning)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return "" if value is None else f"`{_as_toml(value)}`"


def _as_toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_as_toml, value))}]"
    return repr(value)


def _values(annotation: Any) -> str:
    """What may stand there, in words."""
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f'`"{member.value}"`' for member in annotation)
    if annotation in _TYPES:
        return _TYPES[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{_as_toml(choice)}`" for choice in inner)
    if origin is tuple:
        return f"list of {_values(inner[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "table"
    named = [_values(part) for part in inner if part is not type(None) and part != ...]
    return next((name for name in named if name), "")


def _data_sets() -> str:
    rows = [
        (f"[`{card.name}`]({card.url})", f"{card.title}. {card.publisher}", card.shows, card.terms)
        for card in dataset_cards()
    ]
    return _table(("name", "what and whose", "what it can honestly show", "terms"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "catalogue": lambda: _columns(CATALOGUE),
    "events": lambda: _columns(EVENTS),
    "users": lambda: _columns(USERS),
    "judgements": lambda: _columns(JUDGEMENTS),
    "campaigns": lambda: _columns(CAMPAIGNS),
    "pairs": lambda: _columns(PAIRS),
    "event kinds": _event_kinds,
    "data sets": _data_sets,
    "layers": _layers,
    "options": _options,
}


def main() -> None:
    """Rewrite the pages that are out of date, and say which."""
    for path in sorted(PAGES.rglob("*.md")):
        page = path.read_text(encoding="utf-8")
        if filled(page) != page:
            path.write_text(filled(page), encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}: written anew\n")


if __name__ == "__main__":
    main()
