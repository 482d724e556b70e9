"""Values as JSON has them."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any


def plain(value: Any) -> Any:
    """``value`` with null for every number that cannot be computed, since JSON has no nan.

    >>> plain({"auc": float("nan"), "ece": (0.5, float("inf"))})
    {'auc': None, 'ece': [0.5, None]}
    """
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value
