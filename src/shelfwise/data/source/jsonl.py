"""JSON Lines: every object that can be read, and why each other line cannot.

Shape suffix in this file: L = lines.
"""

from __future__ import annotations

import json

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.source.fault import Reason
from shelfwise.data.source.lines import Lines, split_lines, whole_lines
from shelfwise.data.source.raw import NOT_UTF8, NUL_BYTE, RawTable, Refusal, number_rows

_BROKEN = Reason("broken-json", "each line is one JSON object", "correct or remove the line")


class JsonLines:
    """Reads one object a line, a block at a time; every value becomes text, as in all formats."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._cr_ends: bool | None = None
        self._rows = 0  # seen in earlier blocks

    has_header = False

    def read(self, data: bytes, *, final: bool) -> tuple[RawTable | None, bytes]:
        """The rows of a block and the bytes that belong to the next; None where none is whole."""
        whole = len(data) if final else whole_lines(data)
        text, rest = data[:whole], data[whole:]
        lines = split_lines(text, cr_ends=self._cr_ends)
        if self._cr_ends is None:
            self._cr_ends = b"\n" not in text
        filled_L = lines.end_L > lines.start_L
        if not filled_L.any():
            return None, rest
        row_L = np.cumsum(filled_L, dtype=np.int64) + self._rows
        before, self._rows = self._rows, int(row_L[-1])
        if not (lines.not_utf8_L | lines.has_nul_L).any():
            frame = _parse(lines.data)
            if frame is not None and frame.height == self._rows - before:
                return RawTable(self.file, frame, number_rows(frame.height, after=before)), rest
        return _read_line_by_line(lines, row_L, self.file), rest


def _parse(data: bytes) -> pl.DataFrame | None:
    """All lines at once; None where a line is not an object."""
    try:
        names = pl.read_ndjson(data, infer_schema_length=None).columns
        return pl.read_ndjson(data, schema=dict.fromkeys(names, pl.String))
    except pl.exceptions.PolarsError:
        return None


def _read_line_by_line(lines: Lines, row_L: NDArray[np.int64], file: str) -> RawTable:
    good: list[str] = []
    rows: list[int] = []
    refused: list[Refusal] = []
    for line in np.flatnonzero(lines.end_L > lines.start_L).tolist():
        text = lines.text(line)
        is_object = _is_object(text)
        if lines.not_utf8_L[line]:
            refused.append(Refusal(int(row_L[line]), NOT_UTF8, text))
        elif lines.has_nul_L[line]:
            refused.append(Refusal(int(row_L[line]), NUL_BYTE, text))
        elif not is_object:
            refused.append(Refusal(int(row_L[line]), _BROKEN, text))
        else:
            good.append(text)
            rows.append(int(row_L[line]))
    return RawTable(file, _frame_of(good), pl.Series(rows, dtype=pl.Int64), tuple(refused))


def _frame_of(objects: list[str]) -> pl.DataFrame:
    """The same cells as all lines at once would give: a bad line changes none of its neighbours."""
    frame = _parse("\n".join(objects).encode()) if objects else None
    if frame is not None and frame.height == len(objects):
        return frame
    parsed = [json.loads(text) for text in objects]
    names = dict.fromkeys(name for values in parsed for name in values)
    if not names:  # objects without a member are rows all the same
        return pl.DataFrame({"(nothing)": [None] * len(objects)}, schema={"(nothing)": pl.String})
    return pl.DataFrame(
        {name: [_as_text(values.get(name)) for values in parsed] for name in names},
        schema=dict.fromkeys(names, pl.String),
    )


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else value.encode("utf-8", "replace").decode()
    return json.dumps(value, ensure_ascii=False)
