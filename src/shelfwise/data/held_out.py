"""Parts by hash: which items, queries or judged searches training never meets the answers of.

The hash is sha256 of the text itself, so that every machine, and every later export of the same
shop, holds out the same ones.
"""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.split import PARTS

_TENTHS = (7, 8)  # first tenth of validation, first tenth of the test; training has 0 to 6
_RANGE = 1 << 64  # of the digest's first eight bytes


def held_out_parts(texts: pl.Series) -> pl.Series:
    """Part of each text by its own digest alone: about 70 % train, 10 % validation, 20 % test.

    A text keeps its part whatever other texts there are, so a grown catalogue moves no old item.
    """
    digest = np.array([_first_bytes(text) for text in texts], np.uint64)
    edges = np.array([_RANGE * tenth // 10 for tenth in _TENTHS], np.uint64)
    return _named(texts.name, np.searchsorted(edges, digest, side="right"))


def judgement_parts(query: pl.Series) -> pl.Series:
    """Part of each judged row by its query: exact shares of the distinct queries.

    Distinct queries in order of their sha256: the first 70 % train, the next 10 % validation, the
    last 20 % test; no query stands in two parts.

    Args:
        query: the query's text, one a judged row.
    """
    distinct = sorted(query.unique(), key=_digest)
    edges = np.array([len(distinct) * tenth // 10 for tenth in _TENTHS])
    place = np.searchsorted(edges, np.arange(len(distinct)), side="right")
    by_text = pl.DataFrame(
        {"text": pl.Series(distinct, dtype=pl.String), "part": _named("part", place)}
    )
    rows = (
        query.rename("text").to_frame().join(by_text, on="text", how="left", maintain_order="left")
    )
    return rows["part"]


def _named(name: str, place: NDArray[np.int64]) -> pl.Series:
    return pl.Series(name, [PARTS[number] for number in place.tolist()], dtype=pl.String)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _first_bytes(text: str) -> int:
    return int.from_bytes(_digest(text)[:8])
