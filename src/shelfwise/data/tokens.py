"""Token ids of many texts, kept as one ragged array."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers import __version__ as VERSION

from shelfwise.data.token_cache import TokenCache
from shelfwise.schema.errors import ConfigError

_CHUNK = 20_000


class TokenTable(NamedTuple):
    """Tokens of text t: ``ids[offset[t] : offset[t + 1]]``; every text has at least one."""

    offset_T1: NDArray[np.int64]
    ids: NDArray[np.int32]
    pad_id: int

    def lengths(self) -> NDArray[np.int64]:
        """``[T]`` number of tokens of each text."""
        return np.diff(self.offset_T1)

    def firsts(self) -> NDArray[np.int64]:
        """``[T]`` number of the first text that has the same tokens."""
        first: dict[bytes, int] = {}
        begin_T, end_T = self.offset_T1[:-1].tolist(), self.offset_T1[1:].tolist()
        spans = enumerate(zip(begin_T, end_T, strict=True))
        found = [first.setdefault(self.ids[begin:end].tobytes(), t) for t, (begin, end) in spans]
        return np.array(found, np.int64)

    def padded(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """``[B, L]`` ids and mask of the chosen texts, padded on the right to the longest."""
        length_B = self.lengths()[rows]
        place_L = np.arange(int(length_B.max(initial=1)))
        mask_BL = place_L[None, :] < length_B[:, None]
        flat_BL = np.where(mask_BL, self.offset_T1[rows][:, None] + place_L, 0)
        return np.where(mask_BL, self.ids[flat_BL], self.pad_id).astype(np.int64), mask_BL


def tokenise(
    texts: Sequence[str], tokenizer_file: Path, max_tokens: int, cache: Path | None = None
) -> TokenTable:
    """Token ids of each text, cut to ``max_tokens``, special tokens included.

    Each distinct text is tokenised once; with ``cache``, a folder, once and for all.
    """
    tokenizer = open_tokenizer(tokenizer_file, max_tokens)
    asked = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)})
    distinct = asked.unique(maintain_order=True)
    if cache is None:
        known = _encoded(distinct, tokenizer)
    else:
        made_by = (tokenizer_file.read_bytes(), str(max_tokens).encode(), VERSION.encode())
        kept = TokenCache.of(cache, *made_by)
        known = kept.known()
        new = distinct.join(known, on="text", how="anti", maintain_order="left")
        if len(new):
            made = _encoded(new, tokenizer)
            kept.add(made)
            known = pl.concat([known, made])
    ids = asked.join(known, on="text", how="left", maintain_order="left")["ids"]
    return TokenTable(
        offset_T1=np.concatenate([[0], ids.list.len().to_numpy().cumsum()]).astype(np.int64),
        ids=ids.explode(empty_as_null=False).to_numpy().astype(np.int32),
        pad_id=pad_id_of(tokenizer),
    )


def _encoded(texts: pl.DataFrame, tokenizer: Tokenizer) -> pl.DataFrame:
    """``text, ids`` of different texts."""
    ids: list[list[int]] = []
    for start in range(0, len(texts), _CHUNK):
        encoded = tokenizer.encode_batch_fast(texts["text"][start : start + _CHUNK].to_list())
        ids.extend(one.ids for one in encoded)
    return texts.with_columns(pl.Series("ids", ids, pl.List(pl.Int32)))


def open_tokenizer(file: Path, max_tokens: int) -> Tokenizer:
    """A tokenizer that cuts at ``max_tokens`` and does not pad.

    Raises:
        ConfigError: ``max_tokens`` leaves no room beside the special tokens.
    """
    tokenizer: Tokenizer = Tokenizer.from_file(str(file))
    special = tokenizer.num_special_tokens_to_add(is_pair=False)
    if max_tokens <= special:  # the tokenizer would cut all away, or nothing
        raise ConfigError(
            f"text.max_tokens: {max_tokens} leaves no room for words beside {special} special "
            "tokens of this encoder; raise it"
        )
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=max_tokens)
    return tokenizer


def pad_id_of(tokenizer: Tokenizer) -> int:
    """The token that fills a text up; 0 where the tokenizer names none."""
    for name in ("[PAD]", "<pad>"):
        found = tokenizer.token_to_id(name)
        if found is not None:
            return int(found)
    return 0
