"""`shelfwise demo`: the whole walk on the sample shop."""

from __future__ import annotations


def demo() -> None:
    """x"""
