from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from shelfwise.models.config import EncoderOptions, Full
from shelfwise.models.packing import rows_for
from shelfwise.models.text_encoder import TextEncoder, load_text_encoder


def mask_of(*lengths: int, longest: int | None = None) -> Tensor:
    return torch.arange(longest or max(lengths))[None, :] < torch.tensor(lengths)[:, None]


def test_the_longest_comes_first_and_each_goes_where_it_fits_best() -> None:
    # Rows of 64: 60 alone leaves 4; 30 and 30 leave 4; 20 opens the third, which 5, 4 and 3 join
    # only where the first two have no room: 5 has none there, 4 fills the first, 3 the second.
    rows = rows_for(mask_of(5, 30, 60, 20, 30, 4, 3))

    assert rows is not None
    assert rows.text_RW.shape == (3, 64)
    assert rows.text_RW[0].tolist() == [2] * 60 + [5] * 4
    assert rows.text_RW[1].tolist() == [1] * 30 + [4] * 30 + [6] * 3 + [-1]
    assert rows.text_RW[2].tolist() == [3] * 20 + [0] * 5 + [-1] * 39


def test_there_and_back_is_what_it_was() -> None:
    mask = mask_of(3, 70, 12, 1, 40)
    hidden = torch.randn(5, 70, 4)

    rows = rows_for(mask)
    assert rows is not None
    back = rows.apart(rows.packed(hidden))

    assert torch.equal(back[mask], hidden[mask])
    assert rows.packed(hidden).shape == (2, 70, 4)  # 70, and 40 + 12 + 3 + 1


def test_a_token_attends_to_its_own_text_alone() -> None:
    rows = rows_for(mask_of(40, 2, 3))
    assert rows is not None

    attends = rows.attends()[0]

    assert attends[0].tolist() == [True] * 40 + [False] * 24
    assert attends[41].tolist() == [False] * 40 + [True] * 3 + [False] * 21
    assert attends[43].tolist() == [False] * 43 + [True] * 2 + [False] * 19


@pytest.mark.parametrize("lengths", [(20, 20, 19), (7,), (64, 30), (60, 30, 30)])
def test_where_little_would_be_saved_padding_stays(lengths: tuple[int, ...]) -> None:
    # (60, 30, 30): two rows of 64 for three of 60 are 128 places for 180: that is a saving.
    saving = lengths == (60, 30, 30)

    assert (rows_for(mask_of(*lengths)) is not None) == saving


@pytest.mark.parametrize("seed", range(8))
def test_texts_together_say_what_each_says_alone(tiny_encoder: Path, seed: int) -> None:
    draw = np.random.default_rng(seed)
    lengths = draw.integers(1, 48, size=int(draw.integers(3, 30))).tolist()
    mask = mask_of(*lengths)
    ids = torch.from_numpy(draw.integers(5, 40, size=tuple(mask.shape))) * mask
    assert rows_for(mask) is not None
    encoder = load_text_encoder(
        tiny_encoder, EncoderOptions(name=str(tiny_encoder), tuning=Full())
    ).eval()
    weight = torch.randn(len(lengths), encoder.width)

    together = encoder(ids, mask)
    gradient = _gradient(encoder, (together * weight).sum())
    alone = torch.cat(
        [encoder(ids[row : row + 1, :n], mask[row : row + 1, :n]) for row, n in enumerate(lengths)]
    )

    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
    expected = _gradient(encoder, (alone * weight).sum())
    for found, wanted in zip(gradient, expected, strict=True):
        torch.testing.assert_close(found, wanted, atol=2e-4, rtol=1e-3)


def _gradient(encoder: TextEncoder, loss: Tensor) -> list[Tensor]:
    learning = [p for p in encoder.parameters() if p.requires_grad]
    found = torch.autograd.grad(loss, learning, allow_unused=True)
    return [torch.zeros_like(p) if g is None else g for p, g in zip(learning, found, strict=True)]
