"""Where the network runs, and in which precision."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch


def choose_device(wish: str) -> torch.device:
    """The device asked for; ``auto`` takes CUDA, then Apple's GPU, then the CPU."""
    if wish != "auto":
        return torch.device(wish)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def half_precision(device: torch.device) -> AbstractContextManager[None]:
    """bf16 autocast where the hardware multiplies it natively, else a context that does nothing."""
    able = device.type == "cuda" and torch.cuda.is_bf16_supported()
    if device.type == "cpu":
        # On a CPU without these instructions bf16 is emulated and several times slower.
        able = torch.cpu._is_avx512_bf16_supported()  # no public name in torch 2.13
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=able)
