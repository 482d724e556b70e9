"""Items whose titles say nearly the same: reported, never removed.

Titles are compared by their sets of three-letter pieces. MinHash (Broder, 1997) makes a short
signature of each set, in which two sets agree as often as they overlap; titles that agree on a
whole band of a signature (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3)
are compared in full. Titles with different numbers in them are sizes or models, not duplicates.

Shape suffixes in this file: T = distinct titles, S = pieces of all titles, H = hash functions,
P = pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

OVERLAP = 0.8  # Jaccard similarity from which two titles are near-duplicates
_PIECE = 3  # letters
_BANDS, _ROWS = 8, 4  # finds 98 of 100 pairs at .8, all but one of 10,000 at .9
_EXAMPLES = 8
_SHOWN = 4  # items of an example
_AT_ONCE = 50_000  # pairs compared in one go
_PLAIN = r"[^\p{L}\p{N}]+"


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """Groups of items that may be one product."""

    items: int  # with a title
    same_title: int  # items beyond the first of each title, letter case and signs aside
    groups: int  # of two items or more, same titles included
    in_groups: int  # items in them
    examples: tuple[tuple[tuple[str, str], ...], ...]  # (item_id, title); not the same title


def near_duplicates(catalogue: pl.DataFrame) -> NearDuplicates | None:
    """None where no item has a title."""
    titled = catalogue.filter(pl.col("title").is_not_null()).select("item_id", "title")
    if titled.is_empty():
        return None
    plain = titled.with_columns(
        pl.col("title")
        .str.to_lowercase()
        .str.replace_all(_PLAIN, " ")
        .str.strip_chars()
        .alias("plain")
    ).filter(pl.col("plain") != "")
    if plain.is_empty():
        return NearDuplicates(len(titled), 0, 0, 0, ())
    once = plain.select(pl.col("plain").unique().sort())["plain"]
    group_T = _groups(once)
    grouped = plain.join(pl.DataFrame({"plain": once, "group": group_T}), on="plain", how="left")
    sizes = grouped.group_by("group").agg(
        pl.len().alias("items"), pl.col("plain").n_unique().alias("titles")
    )
    several = sizes.filter(pl.col("items") > 1)
    return NearDuplicates(
        len(titled),
        len(plain) - len(once),
        len(several),
        int(several["items"].sum()),
        _examples(grouped, several.filter(pl.col("titles") > 1)),
    )


def _examples(
    grouped: pl.DataFrame, several: pl.DataFrame
) -> tuple[tuple[tuple[str, str], ...], ...]:
    """The largest groups of different titles, one item a title."""
    shown = (
        grouped.join(several, on="group")
        .unique(["group", "plain"], keep="any")
        .sort("titles", "group", "plain", "item_id", descending=[True, False, False, False])
        .group_by("group", maintain_order=True)
        .head(_SHOWN)
        .group_by("group", maintain_order=True)
        .agg("item_id", "title")
        .head(_EXAMPLES)
    )
    return tuple(tuple(zip(ids, titles, strict=True)) for _, ids, titles in shown.iter_rows())


def _groups(once: pl.Series) -> NDArray[np.int32]:
    """``[T]`` number of the group that each distinct title belongs to."""
    titles, piece_S, start_T = _pieces(once)
    first_P, second_P = _candidates(_signatures(piece_S, start_T))
    first_P, second_P = _same_numbers(once, first_P, second_P)
    pieces = _as_matrix(piece_S, start_T, titles)
    alike_P = _overlap(pieces, first_P, second_P) >= OVERLAP
    links = coo_array(
        (np.ones(alike_P.sum(), np.int8), (first_P[alike_P], second_P[alike_P])),
        shape=(titles, titles),
    )
    group_T: NDArray[np.int32] = connected_components(links.tocsr(), directed=False)[1]
    return group_T


def _pieces(once: pl.Series) -> tuple[int, NDArray[np.uint64], NDArray[np.int64]]:
    """Hashes of the distinct three-letter pieces of every title, and where each title's begin."""
    padded = (
        once.to_frame("plain")
        .with_row_index("title")
        .with_columns(pl.format(" {} ", "plain").alias("plain"))
    )
    longest = padded.select(pl.col("plain").str.len_chars().max()).item()
    parts = [
        padded.filter(pl.col("plain").str.len_chars() >= place + _PIECE).select(
            "title", pl.col("plain").str.slice(place, _PIECE).hash().alias("piece")
        )
        for place in range(max(1, longest - _PIECE + 1))
    ]
    pieces = pl.concat(parts).unique().sort("title", "piece")
    count = np.bincount(pieces["title"].to_numpy(), minlength=len(once))
    return len(once), pieces["piece"].to_numpy(), np.concatenate([[0], count.cumsum()[:-1]])


def _signatures(piece_S: NDArray[np.uint64], start_T: NDArray[np.int64]) -> NDArray[np.uint64]:
    """``[T, H]`` least hash of each title's pieces under each of the hash functions."""
    random = np.random.default_rng(0)
    signature_TH = np.empty((len(start_T), _BANDS * _ROWS), np.uint64)
    for place in range(_BANDS * _ROWS):
        factor = random.integers(2**63, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        mixed_S = piece_S * factor  # modulo 2**64; odd, so that no two pieces become one
        mixed_S ^= mixed_S >> np.uint64(31)
        signature_TH[:, place] = np.minimum.reduceat(mixed_S, start_T)
    return signature_TH


def _candidates(
    signature_TH: NDArray[np.uint64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of titles that agree on a band, each with the first title of its bucket."""
    keys = []
    for band in range(_BANDS):
        rows = [pl.Series(str(row), signature_TH[:, band * _ROWS + row]) for row in range(_ROWS)]
        bucket = pl.DataFrame(rows).with_row_index("title")
        first = pl.col("title").first().over([row.name for row in rows])
        keys.append(
            bucket.select(first.alias("first"), pl.col("title").alias("second")).filter(
                pl.col("first") != pl.col("second")
            )
        )
    pairs = pl.concat(keys).unique().sort("first", "second")
    return (
        pairs["first"].cast(pl.Int64).to_numpy(),
        pairs["second"].cast(pl.Int64).to_numpy(),
    )


def _same_numbers(
    once: pl.Series, first_P: NDArray[np.int64], second_P: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    numbers = once.str.extract_all(r"\p{N}+").list.sort().list.join(" ").hash().to_numpy()
    same_P = numbers[first_P] == numbers[second_P]
    return first_P[same_P], second_P[same_P]


def _as_matrix(piece_S: NDArray[np.uint64], start_T: NDArray[np.int64], titles: int) -> csr_array:
    """``[T, pieces]``, 1 where a title has the piece."""
    column_S = np.unique(piece_S, return_inverse=True)[1]
    return csr_array(
        (np.ones(len(piece_S), np.int32), column_S, np.append(start_T, len(piece_S))),
        shape=(titles, int(column_S.max(initial=-1)) + 1),
    )


def _overlap(
    pieces: csr_array, first_P: NDArray[np.int64], second_P: NDArray[np.int64]
) -> NDArray[np.float64]:
    """``[P]`` Jaccard similarity: pieces that both titles have over pieces that either has."""
    size_T = np.diff(pieces.indptr)
    both_P = np.zeros(len(first_P))
    for start in range(0, len(first_P), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        both_P[some] = pieces[first_P[some]].multiply(pieces[second_P[some]]).sum(axis=1)
    either_P = size_T[first_P] + size_T[second_P] - both_P
    overlap_P: NDArray[np.float64] = both_P / np.maximum(either_P, 1)
    return overlap_P
