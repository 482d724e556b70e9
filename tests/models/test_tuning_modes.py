"""What every way of fine-tuning the text encoder keeps to."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from shelfwise.models.config import (
    AdaLora,
    Adapter,
    EncoderOptions,
    Frozen,
    Full,
    Lora,
    ModelOptions,
    TopLayers,
    TuningOptions,
)
from shelfwise.models.text_encoder import TextEncoder, load_text_encoder
from shelfwise.models.weights import ENCODER, load_encoder, save_encoder
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.options import Options

from .test_text_encoder import encoder_of, tokens_of

SMALL_RANKS = AdaLora(rank=2, first_rank=4, alpha=8)
MODES: list[TuningOptions] = [
    Frozen(),
    TopLayers(layers=1),
    TopLayers(layers=2),
    Full(),
    Lora(rank=2),
    Lora(rank=2, parts="all", layers=1),
    SMALL_RANKS,
    AdaLora(rank=1, first_rank=2, parts="all", layers=1),
    Adapter(width=4),
    Adapter(width=4, layers=1),
]
LEARNING = [tuning for tuning in MODES if tuning != Frozen()]


def named(value: object) -> str | None:
    """What a case is called: its mode and what differs from the mode's defaults."""
    if not isinstance(value, Options):
        return None
    told = value.model_dump(exclude_defaults=True)
    return "-".join([value.mode, *(f"{key}={what}" for key, what in told.items())])  # type: ignore[attr-defined]


def learned(encoder: TextEncoder, folder: Path, steps: int = 4) -> TextEncoder:
    """After some steps that push the vectors of the texts apart, as a training loop takes them."""
    ids, mask = tokens_of(folder)
    optimizer = torch.optim.AdamW([p for p in encoder.parameters() if p.requires_grad], lr=0.02)
    for step in range(1, steps + 1):
        vectors = encoder(ids, mask)
        penalty = encoder.penalty()
        loss = (vectors @ vectors.T).sum() + (0 if penalty is None else penalty)
        loss.backward()
        optimizer.step()
        encoder.after_step(step, steps)
        optimizer.zero_grad(set_to_none=True)
    return encoder


def vectors_of(encoder: TextEncoder, tokens: tuple[Tensor, Tensor]) -> Tensor:
    with torch.no_grad():
        found: Tensor = encoder(*tokens)
    return found


@pytest.mark.parametrize("tuning", MODES, ids=named)
def test_before_the_first_step_vectors_are_the_plain_ones(
    tiny_encoder: Path, tuning: TuningOptions
) -> None:
    tokens = tokens_of(tiny_encoder)
    plain = vectors_of(encoder_of(tiny_encoder, Frozen()), tokens)

    found = vectors_of(encoder_of(tiny_encoder, tuning), tokens)

    # Updates and adapters begin by adding 0.
    assert torch.equal(found, plain)


@pytest.mark.parametrize("tuning", LEARNING, ids=named)
def test_only_what_learns_moves(tiny_encoder: Path, tuning: TuningOptions) -> None:
    encoder = encoder_of(tiny_encoder, tuning)
    tokens = tokens_of(tiny_encoder)
    before = vectors_of(encoder, tokens)
    lower = encoder.lower(*tokens)
    frozen = {n: p.clone() for n, p in encoder.named_parameters() if not p.requires_grad}
    learning = {n: p.clone() for n, p in encoder.named_parameters() if p.requires_grad}
    encoder(*tokens)[:, 0].sum().backward()
    assert not any(encoder.get_parameter(name).grad is not None for name in frozen)
    encoder.zero_grad()

    learned(encoder, tiny_encoder)

    assert all(torch.equal(encoder.get_parameter(name), was) for name, was in frozen.items())
    still = [
        name for name, was in learning.items() if torch.equal(encoder.get_parameter(name), was)
    ]
    # No text is as long as there are positions; what AdaLoRA has given up is 0, as at first.
    assert all("position_embeddings" in name or "lora_E" in name for name in still)
    assert len(still) < len(learning) / 2
    assert not torch.allclose(vectors_of(encoder, tokens), before, atol=1e-4)
    if encoder.keeps_lower:
        assert torch.equal(encoder.lower(*tokens), lower)


def test_a_frozen_encoder_has_nothing_to_learn(tiny_encoder: Path) -> None:
    encoder = encoder_of(tiny_encoder, Frozen())

    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert not encoder(*tokens_of(tiny_encoder)).requires_grad
    assert encoder.keeps_lower


@pytest.mark.parametrize(
    ("tuning", "kept"),
    [
        (Lora(), False),
        (Lora(layers=1), True),
        (AdaLora(layers=1), True),
        (Adapter(), False),
        (Adapter(layers=1), True),
    ],
    ids=named,
)
def test_layers_below_those_that_learn_can_be_kept(
    tiny_encoder: Path, tuning: TuningOptions, kept: bool
) -> None:
    encoder = encoder_of(tiny_encoder, tuning)

    assert encoder.keeps_lower == kept
    learning = {name for name, p in encoder.named_parameters() if p.requires_grad}
    assert any("layer.0." in name for name in learning) != kept
    assert any("layer.1." in name for name in learning)


@pytest.mark.parametrize("tuning", LEARNING, ids=named)
def test_padding_and_order_say_nothing(tiny_encoder: Path, tuning: TuningOptions) -> None:
    encoder = learned(encoder_of(tiny_encoder, tuning), tiny_encoder)
    ids, mask = tokens_of(tiny_encoder)
    together = vectors_of(encoder, (ids, mask))

    turned = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(vectors_of(encoder, (ids[turned], mask[turned])), together[turned])
    for row in range(len(ids)):
        alone = vectors_of(encoder, (ids[row : row + 1, mask[row]], mask[row : row + 1, mask[row]]))
        torch.testing.assert_close(alone[0], together[row], atol=1e-6, rtol=1e-5)
    in_two = encoder.upper(encoder.lower(ids, mask), mask)
    torch.testing.assert_close(in_two, together)


@pytest.mark.parametrize("tuning", MODES, ids=named)
def test_saved_and_loaded_it_says_the_same(
    tiny_encoder: Path, tmp_path: Path, tuning: TuningOptions
) -> None:
    encoder = encoder_of(tiny_encoder, tuning)
    if tuning != Frozen():
        learned(encoder, tiny_encoder)
    tokens = tokens_of(tiny_encoder)

    save_encoder(encoder, tiny_encoder, tmp_path)
    again = load_encoder(tmp_path, ModelOptions(encoder=EncoderOptions(tuning=tuning)))

    # What is merged is rounded once more.
    torch.testing.assert_close(
        vectors_of(again, tokens), vectors_of(encoder, tokens), atol=1e-5, rtol=1e-5
    )
    assert not any(parameter.requires_grad for parameter in again.parameters())
    assert not any("lora" in name for name, _ in again.named_parameters())


@pytest.mark.parametrize("tuning", MODES, ids=named)
def test_transformers_opens_what_is_saved(
    tiny_encoder: Path, tmp_path: Path, tuning: TuningOptions
) -> None:
    from transformers import AutoModel

    encoder = encoder_of(tiny_encoder, tuning)
    if tuning != Frozen():
        learned(encoder, tiny_encoder)
    save_encoder(encoder, tiny_encoder, tmp_path)

    theirs, told = AutoModel.from_pretrained(
        tmp_path / ENCODER, add_pooling_layer=False, output_loading_info=True
    )

    assert not told["missing_keys"]
    assert not told["mismatched_keys"]
    # Adapters are no part of a BERT: transformers says that it has no place for them.
    unexpected = set(told["unexpected_keys"])
    assert bool(unexpected) == isinstance(tuning, Adapter)
    assert all(".bottleneck." in name for name in unexpected)
    ids, mask = tokens_of(tiny_encoder)
    with torch.no_grad():
        hidden = theirs.eval()(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        hidden = hidden * mask[:, :, None]
        expected = torch.nn.functional.normalize(hidden.sum(1), dim=-1)
    if not isinstance(tuning, Adapter):
        torch.testing.assert_close(expected, vectors_of(encoder, (ids, mask)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "tuning", [Lora(layers=3), AdaLora(layers=3), Adapter(layers=3)], ids=named
)
def test_more_layers_than_there_are(tiny_encoder: Path, tuning: TuningOptions) -> None:
    with pytest.raises(ConfigError, match=r"tuning\.layers: 3 asked for, the encoder has 2"):
        encoder_of(tiny_encoder, tuning)


@pytest.mark.parametrize(
    "next_tuning", [Frozen(), TopLayers(layers=1), Full(), Adapter(width=4)], ids=named
)
def test_an_encoder_with_adapters_learns_on(
    tiny_encoder: Path, tmp_path: Path, next_tuning: TuningOptions
) -> None:
    first = learned(encoder_of(tiny_encoder, Adapter(width=4)), tiny_encoder)
    tokens = tokens_of(tiny_encoder)
    save_encoder(first, tiny_encoder, tmp_path)

    again = load_text_encoder(tmp_path / ENCODER, EncoderOptions(tuning=next_tuning)).eval()

    torch.testing.assert_close(vectors_of(again, tokens), vectors_of(first, tokens))
    adapters = {n: p.requires_grad for n, p in again.named_parameters() if ".bottleneck." in n}
    assert len(adapters) == 2 * 2 * 4  # layers, places, weights and biases of two
    assert any(adapters.values()) == (next_tuning != Frozen())
    assert all(adapters.values()) == isinstance(next_tuning, Full | Adapter)


@pytest.mark.parametrize(
    ("next_tuning", "message"),
    [
        (Lora(), "lora cannot be put on an encoder with bottleneck"),
        (AdaLora(), "adalora cannot be put on an encoder with bottleneck"),
        (Adapter(width=8), r"tuning\.width: 8 asked for, the encoder's adapters have 4"),
    ],
    ids=["lora", "adalora", "width"],
)
def test_what_does_not_go_with_adapters(
    tiny_encoder: Path, tmp_path: Path, next_tuning: TuningOptions, message: str
) -> None:
    save_encoder(encoder_of(tiny_encoder, Adapter(width=4)), tiny_encoder, tmp_path)

    with pytest.raises(ConfigError, match=message):
        load_text_encoder(tmp_path / ENCODER, EncoderOptions(tuning=next_tuning))
