"""Which of two texts read together a token belongs to.

Shape suffixes in this file: B = pairs, L = tokens of the longest.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


def segments_of(input_ids_BL: Tensor, mask_BL: Tensor, separator: int) -> Tensor:
    """``[B, L]`` 0 up to the first separator, 1 after it, 0 again where a text is filled up.

    It follows from the tokens: a text read alone ends in its only separator, and is all 0.
    """
    is_separator_BL = (input_ids_BL == separator).long()
    before_BL = is_separator_BL.cumsum(-1) - is_separator_BL
    return (before_BL > 0).long() * mask_BL.long()


def knows_segments(model: nn.Module) -> bool:
    """Whether the encoder was built to tell first and second text apart (BERT; not RoBERTa)."""
    config: Any = model.config
    return getattr(config, "type_vocab_size", 0) > 1
