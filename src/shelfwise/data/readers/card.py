"""What a public data set is, and what became of its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class DatasetCard:
    """A data set a user can fetch from its publisher and convert."""

    name: str  # what the command line calls it
    title: str
    publisher: str
    url: str
    terms: str
    citation: str
    shows: str  # what can honestly be measured on it, and what cannot
    files: tuple[str, ...]  # its main file, by any of these names; see PublishedFolder
    prepares: bool = True  # False where `shelfwise prepare` can make no example of it


@dataclass(frozen=True, slots=True)
class ConversionReport:
    """Where every row of the published files went."""

    dataset: str
    terms: str
    citation: str
    sources: Mapping[str, str]  # file read -> its sha256
    rows_in: int
    kept: Mapping[str, int]  # what it became, for an event its kind -> rows
    left_out: Mapping[str, int]  # reason -> rows
    changed: Mapping[str, int]  # what was altered in kept rows -> rows; may overlap
    found: Mapping[str, int]  # further counts worth knowing

    def __post_init__(self) -> None:
        parts = sum(self.kept.values()) + sum(self.left_out.values())
        assert parts == self.rows_in, f"{self.rows_in} rows went in, {parts} came out"

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"
