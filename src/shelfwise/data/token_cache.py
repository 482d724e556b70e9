"""Token ids kept on disk, so that the next training of a shop need not tokenise its texts again.

A cache is a folder of segments, one for each time something new was tokenised. A segment is a
Parquet file named by the digest of its own bytes and renamed into place when it is whole: two
processes never write the same file differently, a reader never meets half of one, and a damaged
one is known by its name. What is missing or damaged is tokenised again.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from secrets import token_hex
from typing import ClassVar

import polars as pl

# The dot keeps it out of the manifest of a sealed folder it stands in; removing that folder, or
# preparing it anew, removes what shoppers typed from here too.
TOKEN_CACHE = ".token-cache"


@dataclass(frozen=True, slots=True)
class TokenCache:
    """Token ids of texts, as one tokenizer at one length makes them."""

    SCHEMA: ClassVar[pl.Schema] = pl.Schema([("text", pl.String()), ("ids", pl.List(pl.Int32()))])

    folder: Path

    @classmethod
    def of(cls, root: Path, *made_by: bytes) -> TokenCache:
        """The part of the cache ``root`` whose ids were made by exactly this."""
        digests = b"".join(hashlib.sha256(part).digest() for part in made_by)
        return cls(root / hashlib.sha256(digests).hexdigest()[:32])

    def known(self) -> pl.DataFrame:
        """``text, ids`` of everything kept, each text once; damaged segments are removed."""
        found = [self._read(file) for file in sorted(self.folder.glob("*.parquet"))]
        whole = [self.SCHEMA.to_frame(), *(segment for segment in found if segment is not None)]
        return pl.concat(whole).unique("text", keep="first", maintain_order=True)

    def add(self, tokens: pl.DataFrame) -> None:
        """Keep ``text, ids``; where nothing can be written, nothing is kept."""
        packed = BytesIO()
        tokens.select(self.SCHEMA.names()).cast(self.SCHEMA).write_parquet(packed)
        content = packed.getvalue()
        partial = self.folder / f".{token_hex(8)}.partial"
        # A full or read-only disk must not stop training: the ids are at hand without the cache.
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                partial.write_bytes(content)
                partial.replace(self.folder / f"{hashlib.sha256(content).hexdigest()}.parquet")
            finally:
                partial.unlink(missing_ok=True)

    def _read(self, file: Path) -> pl.DataFrame | None:
        with suppress(OSError):
            content = file.read_bytes()
            if hashlib.sha256(content).hexdigest() == file.stem:
                return pl.read_parquet(BytesIO(content), schema=self.SCHEMA)
            file.unlink(missing_ok=True)
        return None
