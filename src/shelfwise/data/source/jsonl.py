"""JSON Lines: every object that can be read, and why each other line cannot.

Shape suffix in this file: L = lines.
"""

from __future__ import annotations

import json

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.source.fault import Reason
from shelfwise.data.source.lines import Lines, split_lines
from shelfwise.data.source.raw import (
    EMPTY,
    NOT_UTF8,
    NUL_BYTE,
    RawTable,
    Refusal,
    no_rows,
    number_rows,
)

_BROKEN = Reason("broken-json", "each line is one JSON object", "correct or remove the line")


def read_json_lines(data: bytes, file: str) -> RawTable:
    """Read one object a line; every value becomes text, so that all formats read alike."""
    lines = split_lines(data)
    filled_L = lines.end_L > lines.start_L
    if not filled_L.any():
        return no_rows(file, EMPTY.at_file(file, "no text at all", fatal=True))
    row_L = np.cumsum(filled_L, dtype=np.int64)
    if not (lines.not_utf8_L | lines.has_nul_L).any():
        frame = _parse(lines.data)
        if frame is not None and frame.height == row_L[-1]:
            return RawTable(file, frame, number_rows(frame.height))
    return _read_line_by_line(lines, row_L, file)


def _parse(data: bytes) -> pl.DataFrame | None:
    """All lines at once; None where a line is not an object."""
    try:
        names = pl.read_ndjson(data, infer_schema_length=None).columns
        return pl.read_ndjson(data, schema=dict.fromkeys(names, pl.String))
    except pl.exceptions.PolarsError:
        return None


def _read_line_by_line(lines: Lines, row_L: NDArray[np.int64], file: str) -> RawTable:
    good: list[dict[str, str | None]] = []
    rows: list[int] = []
    refused: list[Refusal] = []
    for line in np.flatnonzero(lines.end_L > lines.start_L).tolist():
        text = lines.text(line)
        parsed = _parse_line(text)
        if lines.not_utf8_L[line]:
            refused.append(Refusal(int(row_L[line]), NOT_UTF8, text))
        elif lines.has_nul_L[line]:
            refused.append(Refusal(int(row_L[line]), NUL_BYTE, text))
        elif parsed is None:
            refused.append(Refusal(int(row_L[line]), _BROKEN, text))
        else:
            good.append(parsed)
            rows.append(int(row_L[line]))
    names = dict.fromkeys(name for values in good for name in values)
    frame = pl.DataFrame(
        {name: [values.get(name) for values in good] for name in names},
        schema=dict.fromkeys(names, pl.String),
    )
    return RawTable(file, frame, pl.Series(rows, dtype=pl.Int64), tuple(refused))


def _parse_line(text: str) -> dict[str, str | None] | None:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parsed, dict):
        return None
    return {name: _as_text(value) for name, value in parsed.items()}


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else value.encode("utf-8", "replace").decode()
    return json.dumps(value, ensure_ascii=False)
