from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from shelfwise.models.config import AdaLora, Lora
from shelfwise.models.low_rank import plain_weights
from shelfwise.models.text_encoder import TextEncoder

from .test_text_encoder import encoder_of, tokens_of

QUERY = "encoder.layer.1.attention.self.query"


def counts(encoder: TextEncoder) -> int:
    return sum(p.numel() for p in encoder.parameters() if p.requires_grad)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # Width 32, feed-forward 64, 2 layers. One of 32 x 32 at rank 2: 2 * (32 + 32) = 128.
        (Lora(rank=2), 2 * 4 * 128),
        (Lora(rank=2, layers=1), 4 * 128),
        # And two of 32 x 64: 2 * (32 + 64) = 192.
        (Lora(rank=2, parts="all"), 2 * (4 * 128 + 2 * 192)),
        # At rank 3: 3 * (32 + 32) and the 3 values between them.
        (AdaLora(rank=1, first_rank=3), 2 * 4 * (3 * 64 + 3)),
    ],
)
def test_how_much_learns(tiny_encoder: Path, options: Lora | AdaLora, expected: int) -> None:
    assert counts(encoder_of(tiny_encoder, options)) == expected


def test_a_merged_weight_by_hand(tiny_encoder: Path) -> None:
    encoder = encoder_of(tiny_encoder, Lora(rank=1, alpha=3))
    was = plain_weights(encoder.model)[f"{QUERY}.weight"].clone()
    layer = encoder.model.get_submodule(QUERY)
    with torch.no_grad():
        layer.lora_A["default"].weight.copy_(torch.arange(32.0)[None, :] / 32)
        layer.lora_B["default"].weight.copy_(torch.ones(32, 1) * 2)

    merged = plain_weights(encoder.model)

    # W + alpha / rank * B A: in column j, 3 / 1 * 2 * j / 32.
    expected = was + 6 * torch.arange(32.0)[None, :] / 32
    torch.testing.assert_close(merged[f"{QUERY}.weight"], expected)
    # The encoder itself is left as it was.
    assert torch.equal(layer.base_layer.weight, was)


def test_plain_weights_have_the_names_of_before(tiny_encoder: Path) -> None:
    from transformers import AutoModel

    plain = AutoModel.from_pretrained(tiny_encoder, add_pooling_layer=False).state_dict()

    found = plain_weights(encoder_of(tiny_encoder, AdaLora(parts="all")).model)

    assert set(found) == set(plain)
    for name, tensor in plain.items():
        assert torch.equal(found[name], tensor)


def test_the_penalty_by_hand(tiny_encoder: Path) -> None:
    encoder = encoder_of(tiny_encoder, AdaLora(rank=1, first_rank=2, orthogonality=0.25))
    with torch.no_grad():
        for name, matrix in encoder.model.named_parameters():
            if "lora_A" in name or "lora_B" in name:
                matrix.zero_()
            if "lora_B" in name:
                matrix[0, 0] = matrix[1, 1] = 2.0

    penalty = encoder.penalty()

    # A A' - 1 = -1 of 2 x 2: length sqrt(2). B' B - 1 = diag(3, 3): length sqrt(18) = 3 sqrt(2).
    # Their mean is 2 sqrt(2); times .25 that is sqrt(2) / 2.
    assert penalty is not None
    assert penalty.item() == pytest.approx(2**0.5 / 2)
    penalty.backward()  # type: ignore[no-untyped-call]
    # Where the encoder is told to stand still, there is nothing to be drawn to.
    assert encoder.requires_grad_(False).penalty() is None


def test_lora_adds_nothing_to_the_loss(tiny_encoder: Path) -> None:
    assert encoder_of(tiny_encoder, Lora()).penalty() is None


def take_steps(
    encoder: TextEncoder, folder: Path, steps: range, total: int, idle: tuple[int, ...] = ()
) -> None:
    ids, mask = tokens_of(folder)
    for step in steps:
        if step not in idle:
            vectors = encoder(ids, mask)
            (vectors @ vectors.T).sum().backward()
        with torch.no_grad():
            for parameter in encoder.parameters():
                if parameter.grad is not None:
                    parameter.sub_(parameter.grad, alpha=0.05)
        encoder.after_step(step, total)
        encoder.zero_grad(set_to_none=True)


def test_ranks_shrink_to_their_budget(tiny_encoder: Path) -> None:
    encoder = encoder_of(tiny_encoder, AdaLora(rank=2, first_rank=4))
    assert encoder.ranks is not None

    take_steps(encoder, tiny_encoder, range(1, 3), total=20)
    # 8 weights of rank 4, all of them kept for the first tenth of the steps.
    assert sum(encoder.ranks.ranks().values()) == 32
    take_steps(encoder, tiny_encoder, range(3, 15), total=20)
    # Six steps before the end the budget is reached: 8 weights of rank 2 on average.
    assert sum(encoder.ranks.ranks().values()) == 16
    assert len(set(encoder.ranks.ranks().values())) > 1
    allotted = encoder.ranks.ranks()
    take_steps(encoder, tiny_encoder, range(15, 21), total=20)
    assert encoder.ranks.ranks() == allotted


def test_a_step_without_texts_is_passed_over(tiny_encoder: Path) -> None:
    encoder = encoder_of(tiny_encoder, AdaLora(rank=2, first_rank=4))
    assert encoder.ranks is not None

    take_steps(encoder, tiny_encoder, range(1, 21), total=20, idle=(1, 5, 14, 20))

    assert sum(encoder.ranks.ranks().values()) == 16


@pytest.mark.parametrize("total", [1, 2, 3, 4])
def test_a_very_short_training_goes_through(tiny_encoder: Path, total: int) -> None:
    encoder = encoder_of(tiny_encoder, AdaLora(rank=2, first_rank=4))

    take_steps(encoder, tiny_encoder, range(1, total + 1), total)

    assert torch.isfinite(encoder(*tokens_of(tiny_encoder))).all()


@pytest.mark.parametrize("stop", [6, 16])
def test_what_is_remembered_goes_on_the_same(tiny_encoder: Path, stop: int) -> None:
    options = AdaLora(rank=2, first_rank=4)
    torch.manual_seed(0)
    whole = encoder_of(tiny_encoder, options)
    torch.manual_seed(0)
    first = encoder_of(tiny_encoder, options)
    take_steps(whole, tiny_encoder, range(1, 21), total=20)

    take_steps(first, tiny_encoder, range(1, stop), total=20)
    assert first.ranks is not None
    memory = {name: tensor.clone() for name, tensor in first.ranks.memory().items()}
    second = encoder_of(tiny_encoder, options)
    assert second.ranks is not None
    second.load_state_dict(first.state_dict())
    second.ranks.remember(memory)
    take_steps(second, tiny_encoder, range(stop, 21), total=20)

    for name, value in whole.state_dict().items():
        assert torch.equal(second.state_dict()[name], value), name


def test_ranks_must_be_there_to_be_given_up() -> None:
    with pytest.raises(ValidationError, match=r"rank \(8\) must be below first_rank \(8\)"):
        AdaLora(rank=8, first_rank=8)
