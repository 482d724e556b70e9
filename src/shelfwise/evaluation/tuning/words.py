"""How options, their values and where they are searched are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def short_names(names: Sequence[str]) -> dict[str, str]:
    """The fewest last parts of each name that no other ends with: ``heads.dropout``."""
    return {name: _short(name, names) for name in names}


def short_value(value: Any) -> str:
    """Four digits of a number with a point; anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def where_words(axis: Mapping[str, Any]) -> str:
    """Where an axis is searched, of its plain form (`Space.as_json`)."""
    if "values" in axis:
        return ", ".join(map(str, axis["values"]))
    return f"{axis['low']:g} to {axis['high']:g}{', in powers' if axis['log'] else ''}"


def _short(name: str, names: Sequence[str]) -> str:
    parts = name.split(".")
    for count in range(1, len(parts)):
        tail = ".".join(parts[-count:])
        if sum(other == tail or other.endswith(f".{tail}") for other in names) == 1:
            return tail
    return name
