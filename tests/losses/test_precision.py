from __future__ import annotations

import pytest
import torch

from shelfwise.losses.precision import at_least_float32


@pytest.mark.parametrize(
    ("given_type", "kept"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_only_half_precision_is_raised(given_type: torch.dtype, kept: torch.dtype) -> None:
    assert at_least_float32(torch.ones(1, dtype=given_type)).dtype == kept
