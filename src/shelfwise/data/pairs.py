"""The plain case: a table of texts and labels, parted so that no text stands on both sides."""

from __future__ import annotations

import hashlib
import math

import polars as pl

from shelfwise.data.config import PairsOptions
from shelfwise.schema.errors import DataError

_PLACES = 1_000_000


def split_pairs(pairs: pl.DataFrame, options: PairsOptions) -> tuple[pl.DataFrame, list[str]]:
    """Part rows by a hash of their text: the same text always falls in the same part.

    Args:
        pairs: columns ``text`` and ``label``.
        options: the shares held out.

    Returns:
        Rows with ``text``, ``label`` (number of the class) and ``part``; and the class names,
        sorted, numbers before words so that 0 and 1 keep their order.

    Raises:
        DataError: fewer than two classes, or a class that training would never see.
    """
    classes = sorted(pairs["label"].unique().to_list(), key=_numbers_first)
    if len(classes) < 2:
        raise DataError(f"pairs: only the label {classes} was found; at least two are needed")
    number = {name: place for place, name in enumerate(classes)}
    texts = pairs["text"].unique()
    places = pl.Series([text_place(text) for text in texts], dtype=pl.Float64)
    place = pl.col("text").replace_strict(texts, places, return_dtype=pl.Float64)
    part = (
        pl.when(place < options.test_share)
        .then(pl.lit("test"))
        .when(place < options.test_share + options.validation_share)
        .then(pl.lit("validation"))
        .otherwise(pl.lit("train"))
    )
    rows = pairs.select(
        "text",
        pl.col("label").replace_strict(number, return_dtype=pl.Int64),
        part.alias("part"),
    )
    missing = [
        f"  {classes[label]!r} has no row in {name}"
        for name in ("train", "validation", "test")
        for label in sorted(set(range(len(classes))) - set(_labels(rows, name)))
    ]
    if missing:
        raise DataError(
            "\n".join(
                [
                    f"pairs: {len(rows)} rows do not give every class a row in every part:",
                    *missing,
                    "  add rows of these classes, or merge them with others",
                ]
            )
        )
    return rows, classes


def _labels(rows: pl.DataFrame, part: str) -> list[int]:
    return rows.filter(pl.col("part") == part)["label"].to_list()


def text_place(text: str) -> float:
    """A text's fixed place in [0, 1), spread evenly over all texts."""
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8], "big") % _PLACES / _PLACES


def _numbers_first(label: str) -> tuple[int, float, str]:
    try:
        number = float(label)
    except ValueError:
        number = math.nan
    return (0, number, label) if math.isfinite(number) else (1, 0.0, label)
