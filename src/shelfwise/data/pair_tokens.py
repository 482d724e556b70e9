"""Token ids of two texts read together, as the tokenizer's own template joins them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer

from shelfwise.data.tokens import TokenTable, open_tokenizer, pad_id_of

_CHUNK = 20_000


class PairTokens(NamedTuple):
    """Tokens of pairs, and the token that ends a text."""

    table: TokenTable
    separator: int  # -1: the tokenizer has none


def tokenise_pairs(
    first: Sequence[str], second: Sequence[str], tokenizer_file: Path, max_tokens: int
) -> PairTokens:
    """Token ids of each pair, cut to ``max_tokens`` where the pair is longest.

    Args:
        first: such as queries.
        second: such as items' texts, one each.
        tokenizer_file: tokenizer.json.
        max_tokens: of a pair, special tokens included.
    """
    tokenizer = open_tokenizer(tokenizer_file, max_tokens)
    ids: list[list[int]] = []
    for start in range(0, len(first), _CHUNK):
        end = start + _CHUNK
        pairs = list(zip(first[start:end], second[start:end], strict=True))
        ids.extend(one.ids for one in tokenizer.encode_batch_fast(pairs))
    length_N = np.array([len(one) for one in ids], np.int64)
    table = TokenTable(
        offset_T1=np.concatenate([[0], length_N.cumsum()]).astype(np.int64),
        ids=np.fromiter((token for one in ids for token in one), np.int32, int(length_N.sum())),
        pad_id=pad_id_of(tokenizer),
    )
    return PairTokens(table, _separator(tokenizer))


def _separator(tokenizer: Tokenizer) -> int:
    for name in ("[SEP]", "</s>"):
        found = tokenizer.token_to_id(name)
        if found is not None:
            return int(found)
    return -1
