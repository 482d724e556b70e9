"""What a benchmark keeps of each run as it ends: a stopped call leaves it, a repeated one reads it.

FOLDER/rows.jsonl has a line for each figure, in the order of the runs. FOLDER/DIGEST.npz is what a
peer's answer came to, with its peer.json; DIGEST is that of all that it depends on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_ABOUT = "peer.json"

Arrays = Mapping[str, NDArray[Any]]


class Answer(NamedTuple):
    """A peer's run as it was measured."""

    about: dict[str, Any]  # peer.json
    arrays: Arrays


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder of earlier runs; without one, nothing is kept and nothing is found."""

    folder: Path | None = None

    def note(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows to rows.jsonl at once."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "rows.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(dict(row)) + "\n" for row in rows)

    def keep(self, key: Mapping[str, Any], answer: Answer) -> None:
        """Remember an answer; whole or not at all."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        about = np.array(json.dumps(answer.about))
        unfinished = self.folder / f"{os.getpid()}.unfinished"
        with unfinished.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **{_ABOUT: about}, **answer.arrays)
        unfinished.replace(self._file(self.folder, key))

    def found(self, key: Mapping[str, Any]) -> Answer | None:
        """The answer that was kept under exactly this key."""
        if self.folder is None or not (file := self._file(self.folder, key)).is_file():
            return None
        with np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files if name != _ABOUT}
            return Answer(json.loads(str(stored[_ABOUT])), arrays)

    @staticmethod
    def _file(folder: Path, key: Mapping[str, Any]) -> Path:
        told = json.dumps(key, sort_keys=True)
        return folder / f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.npz"
