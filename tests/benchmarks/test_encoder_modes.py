"""What a way of fine-tuning costs: counts are exact, seconds are only there."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from benchmarks.encoder_modes import MODES, Asked, cost_of

from shelfwise.models.config import Adapter, EncoderOptions, Frozen, Lora, TuningOptions
from shelfwise.models.pretrained import MINILM, encoder_folder
from shelfwise.models.text_encoder import load_text_encoder

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "encoder.md"


@pytest.mark.parametrize(
    ("tuning", "learning"),
    [
        (Frozen(), 0),
        # Width 32, 2 layers: 4 weights of 32 x 32 in each, 2 x 2 x 32 numbers for each of them.
        (Lora(rank=2), 2 * 4 * 128),
        # In one layer, twice: 32 x 4 + 4 down, 4 x 32 + 32 up.
        (Adapter(width=4, layers=1), 2 * 292),
    ],
)
def test_costs_of_a_mode(tiny_encoder: Path, tuning: TuningOptions, learning: int) -> None:
    cost = cost_of(tuning, Asked(str(tiny_encoder), texts=300, batch=4, steps=2, threads=1))

    assert cost.learning_parameters == learning
    assert math.isnan(cost.step_ms) == (learning == 0)
    # AdamW remembers two numbers of 4 bytes for each that learns, and how often each tensor moved.
    assert cost.optimiser_mib == pytest.approx(8 * learning / 1024**2, rel=0.05)


def test_the_page_tells_how_much_of_minilm_learns() -> None:
    folder = encoder_folder(MINILM)
    told = re.findall(
        r"^\| `[^|]*\|[^|]*\| ([\d,]+) \| ([\d.]+) \|", PAGE.read_text(), re.MULTILINE
    )

    for (learning, remembered), tuning in zip(told, MODES.values(), strict=True):
        encoder = load_text_encoder(folder, EncoderOptions(tuning=tuning))
        found = sum(p.numel() for p in encoder.parameters() if p.requires_grad)
        assert f"{found:,}" == learning, tuning
        # Two numbers of 4 bytes for each.
        assert float(remembered) == pytest.approx(8 * found / 1024**2, abs=0.05)
