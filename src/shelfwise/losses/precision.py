"""The precision in which losses are computed."""

from __future__ import annotations

import torch
from torch import Tensor


def at_least_float32(logit: Tensor) -> Tensor:
    """Half-precision logits in float32: bfloat16 has 3 digits, too few for a log or a mean."""
    return logit.to(torch.promote_types(logit.dtype, torch.float32))
