"""The lines of a text file, and which of them no parser should see.

Shape suffixes in this file: L = lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_WINDOW = 1 << 24  # bytes looked at together, so that masks stay small
_LINES_TOGETHER = 1 << 12
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Lines:
    """Text split at its line breaks; a line is ``data[start:end]``, break left out."""

    data: bytes
    start_L: NDArray[np.int64]
    end_L: NDArray[np.int64]
    not_utf8_L: NDArray[np.bool_]
    has_nul_L: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.start_L)

    def text(self, first: int, last: int | None = None) -> str:
        """One line or several as text, bytes that are not UTF-8 replaced."""
        end = self.end_L[first if last is None else last]
        return self.data[self.start_L[first] : end].decode("utf-8", "replace")

    def count(self, position: NDArray[np.int64]) -> NDArray[np.int64]:
        """``[L]`` how many of the ascending positions lie in each line."""
        return np.searchsorted(position, self.end_L) - np.searchsorted(position, self.start_L)

    def at(self, position: NDArray[np.int64]) -> NDArray[np.int64]:
        """The line in which each position lies."""
        return np.searchsorted(self.start_L, position, side="right") - 1


def whole_lines(data: bytes) -> int:
    """How many leading bytes end with a line break that is surely whole."""
    end = data.rfind(b"\n") + 1
    if end == 0:  # a file whose lines end in CR; the last one may be half of CR LF
        end = data.rfind(b"\r", 0, len(data) - 1) + 1
    return end


def split_lines(data: bytes, *, cr_ends: bool | None = None) -> Lines:
    """Split at LF, CR LF or, in files that know no other, CR; a UTF-8 mark is dropped.

    ``cr_ends`` says whether a lone CR ends a line, where an earlier part of the file told.
    """
    if cr_ends is None:  # the file begins here
        data = data.removeprefix(_BYTE_ORDER_MARK)
    if b"\r" in data:
        if cr_ends is None:
            cr_ends = b"\n" not in data
        data = data.replace(b"\r\n", b"\n")
        data = data.replace(b"\r", b"\n") if cr_ends else data
    breaks = positions(data, b"\n")
    ends_open = len(data) > 0 and not data.endswith(b"\n")
    end_L = np.append(breaks, len(data)) if ends_open else breaks
    start_L = np.concatenate([np.zeros(1, np.int64), end_L[:-1] + 1])[: len(end_L)]
    return Lines(
        data, start_L, end_L, _not_utf8(data, start_L, end_L), _has_nul(data, start_L, end_L)
    )


def positions(data: bytes, byte: bytes) -> NDArray[np.int64]:
    """Where ``byte`` occurs, ascending."""
    if byte not in data:
        return np.empty(0, np.int64)
    array = np.frombuffer(data, np.uint8)
    return np.concatenate(
        [
            np.flatnonzero(array[at : at + _WINDOW] == byte[0]) + at
            for at in range(0, len(array), _WINDOW)
        ]
    )


def _not_utf8(
    data: bytes, start_L: NDArray[np.int64], end_L: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """``[L]`` found block by block; only in a block with damage is each line looked at."""
    bad_L = np.zeros(len(start_L), np.bool_)
    if data.isascii():
        return bad_L
    for first in range(0, len(bad_L), _LINES_TOGETHER):
        starts = start_L[first : first + _LINES_TOGETHER].tolist()
        ends = end_L[first : first + _LINES_TOGETHER].tolist()
        if not _is_utf8(data[starts[0] : ends[-1]]):
            bad_L[first : first + len(starts)] = [
                not _is_utf8(data[start:end]) for start, end in zip(starts, ends, strict=True)
            ]
    return bad_L


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_nul(
    data: bytes, start_L: NDArray[np.int64], end_L: NDArray[np.int64]
) -> NDArray[np.bool_]:
    bad_L = np.zeros(len(start_L), np.bool_)
    bad_L[np.searchsorted(end_L, positions(data, b"\0"))] = True
    return bad_L
