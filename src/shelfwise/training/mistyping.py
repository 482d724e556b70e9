"""Texts read with typos in training, so that what is typed in haste is understood as well.

The slips are of the finger alone: other noise is left to be attacked with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from shelfwise.data.text_noise import Noise
from shelfwise.data.tokens import TokenTable, pad_id_of

_NOISE = Noise(0.3, ("keyboard", "swap", "joined"))


@dataclass(frozen=True, slots=True)
class Mistyping:
    """Other spellings of a bank's texts."""

    prefixes: Sequence[str]
    texts: Sequence[str]  # as the bank numbers them, without their prefixes
    tokenizer: Tokenizer  # cuts, and does not pad
    share: float  # of the texts that learn

    def chosen(self, count: int) -> NDArray[np.bool_]:
        """Which of so many texts are read with typos; by torch's own draws, as dropout is."""
        found: NDArray[np.bool_] = (torch.rand(count) < self.share).numpy()
        return found

    def of(self, numbers: NDArray[np.int64]) -> TokenTable:
        """Tokens of some texts, each mistyped anew."""
        rng = np.random.default_rng(int(torch.randint(2**62, ())))
        typed = [self.prefixes[n] + _NOISE.of(self.texts[n], rng) for n in numbers.tolist()]
        ids = [np.array(one.ids, np.int32) for one in self.tokenizer.encode_batch_fast(typed)]
        offset = np.concatenate([[0], np.cumsum([len(one) for one in ids])]).astype(np.int64)
        return TokenTable(offset, np.concatenate(ids), pad_id_of(self.tokenizer))
