from __future__ import annotations

from .small_shop import small_shop

__all__ = ["small_shop"]
