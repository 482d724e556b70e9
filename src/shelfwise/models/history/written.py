"""Histories written as text and read whole by the pre-trained encoder.

The text of a history is made of the texts of its items and searches, as everything else reads them,
newest first; what was done with an item, and when, is not written. Tokens are put together, not
words: each text was cut into tokens once, and keeps the mark that ends it.

This is dear: where item vectors come from a table, every history is a text of its own that goes
through all layers of the encoder. So only the latest events are written, up to a number of tokens,
and each distinct history of a batch is read once.

Shape suffixes in this file: R = requests, L = events, T = texts to be read, B = texts of a group,
N = tokens of the longest, H = width of the encoder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.models.config import FlatTextHistory

_GROUP_TOKENS = 4096  # tokens, padding included, read at a time


class TextTokens(Protocol):
    """Token ids of a numbered text, marks at both ends included."""

    def __call__(self, number: int, /) -> NDArray[np.int32]: ...


class TokenReader(Protocol):
    """The encoder: unit vectors of texts."""

    def __call__(self, ids_BN: Tensor, mask_BN: Tensor, /) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class WrittenHistories:
    """Reads the histories of one batch."""

    items: TextTokens
    queries: TextTokens  # by the numbers that the batch gives them
    read: TokenReader
    width: int  # H
    options: FlatTextHistory
    # Vectors of this batch's texts, read so far: the same histories are asked for several times.
    known: dict[bytes, Tensor] = field(default_factory=dict)

    def __call__(self, item_RL: Tensor, query_RL: Tensor) -> Tensor:
        """``[R, H]`` unit vectors of histories; zeros where there is nothing to write.

        Args:
            item_RL: numbers of items, -1 none, newest last.
            query_RL: numbers of searches, -1 none.
        """
        rows = zip(item_RL.cpu().numpy(), query_RL.cpu().numpy(), strict=True)
        texts = [self.written(items, queries) for items, queries in rows]
        new = {text.tobytes(): text for text in texts if len(text)}
        new = {key: text for key, text in new.items() if key not in self.known}
        vector_TH = self._vectors(list(new.values()), item_RL.device)
        self.known.update(zip(new, vector_TH, strict=True))
        nothing_H = torch.zeros(self.width, device=item_RL.device)
        return torch.stack([self.known.get(text.tobytes(), nothing_H) for text in texts])

    def written(self, item_L: NDArray[np.int64], query_L: NDArray[np.int64]) -> NDArray[np.int32]:
        """Tokens of one history; empty where nothing was done."""
        told = np.flatnonzero((item_L >= 0) | (query_L >= 0))[-self.options.last :]
        pieces = [self._text(int(item_L[place]), int(query_L[place])) for place in told[::-1]]
        if not pieces:
            return np.zeros(0, np.int32)
        # One mark begins the whole; each text's end mark parts it from the next.
        text = np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])
        if len(text) > self.options.tokens:
            text = np.append(text[: self.options.tokens - 1], text[-1])
        return text.astype(np.int32)

    def _text(self, item: int, query: int) -> NDArray[np.int32]:
        return self.items(item) if item >= 0 else self.queries(query)

    def _vectors(self, texts: list[NDArray[np.int32]], device: torch.device) -> Tensor:
        """``[T, H]`` in the order given; texts of like length are read together."""
        if not texts:
            return torch.zeros(0, self.width, device=device)
        order = np.argsort([len(text) for text in texts], kind="stable")
        groups: list[list[int]] = [[]]
        for number in order.tolist():
            if (len(groups[-1]) + 1) * len(texts[number]) > _GROUP_TOKENS and groups[-1]:
                groups.append([])
            groups[-1].append(number)
        found = [self._group([texts[number] for number in group], device) for group in groups]
        back = torch.from_numpy(np.argsort(order, kind="stable")).to(device)
        return torch.cat(found).float()[back]

    def _group(self, texts: list[NDArray[np.int32]], device: torch.device) -> Tensor:
        length_B = np.array([len(text) for text in texts])
        mask_BN = np.arange(length_B.max())[None, :] < length_B[:, None]
        # Padding repeats the end mark: it is hidden by the mask, and no encoder counts it as words.
        ids_BN = np.full(mask_BN.shape, texts[0][-1], np.int64)
        ids_BN[mask_BN] = np.concatenate(texts)
        return self.read(torch.from_numpy(ids_BN).to(device), torch.from_numpy(mask_BN).to(device))
