"""The little of SVG that a plain plot needs: elements, a linear scale, round ticks."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, isfinite, log10
from typing import NamedTuple

from markupsafe import Markup

_NAMESPACE = "http://www.w3.org/2000/svg"


class Scale(NamedTuple):
    """Straight line from values to coordinates: ``low`` lands on ``start``, ``high`` on ``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def element(name: str, *inside: str, **attributes: str | float) -> Markup:
    """One element; text and attributes are escaped, what is markup already stays.

    In attribute names ``_`` stands for ``-``, and one at the end is dropped (``class_``).
    """
    pairs = [(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items()]
    opening = Markup("").join(
        Markup(' {}="{}"').format(key, rounded(value) if isinstance(value, float) else value)
        for key, value in pairs
    )
    body = Markup("").join(inside)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), opening, body)


def drawing(
    title: str, description: str, size: tuple[float, float], inside: Iterable[str]
) -> Markup:
    """A whole picture: one image to a screen reader, which hears title and description."""
    width, height = size
    return element(
        "svg",
        element("title", title),
        element("desc", description),
        *inside,
        xmlns=_NAMESPACE,
        viewBox=f"0 0 {rounded(width)} {rounded(height)}",
        role="img",
    )


def text(words: str, x: float, y: float, class_: str = "", anchor: str = "start") -> Markup:
    return element("text", words, x=x, y=y, class_=class_, text_anchor=anchor)


def line(start: tuple[float, float], end: tuple[float, float], class_: str) -> Markup:
    return element("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], class_=class_)


def rounded(value: float) -> str:
    """A coordinate to a hundredth, without idle zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten) that cover ``low`` to ``high``.

    The first is at or below ``low`` and the last at or above ``high``, so they also are the
    ends of an axis. A single value, but for rounding, gets an axis around it.
    """
    if not (isfinite(low) and isfinite(high) and low <= high):
        raise ValueError(f"ticks need two finite numbers in order, got {low} and {high}")
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-300):
        margin = abs(low) / 10 or 1.0
        low, high = low - margin, high + margin
    rough = (high - low) / about
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    # A hair of tolerance: 0.3 / 0.1 is a little below 3.
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [float(f"{place * step:.12g}") for place in range(first, last + 1)]


def tick_labels(values: list[float]) -> list[str]:
    """Ticks as words, all with the decimals that their step needs."""
    step = values[1] - values[0]
    places = max(0, -floor(log10(step) + 1e-9))
    return [f"{value + 0.0:,.{places}f}" for value in values]
