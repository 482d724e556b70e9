from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from shelfwise.data.tokens import tokenise
from shelfwise.models.config import EncoderOptions, Frozen, Full, TopLayers, TuningOptions
from shelfwise.models.text_encoder import TextEncoder, load_text_encoder
from shelfwise.schema.errors import ConfigError

TEXTS = ["red shoe", "a white lamp of glass, large", "茶 tea", "x"]


def encoder_of(folder: Path, tuning: TuningOptions, keep: int | None = None) -> TextEncoder:
    options = EncoderOptions(name=str(folder), keep_layers=keep, tuning=tuning)
    return load_text_encoder(folder, options).eval()


def tokens_of(folder: Path, texts: list[str] = TEXTS) -> tuple[Tensor, Tensor]:
    table = tokenise(texts, folder / "tokenizer.json", 48)
    ids, mask = table.padded(torch.arange(len(texts)).numpy())
    return torch.from_numpy(ids), torch.from_numpy(mask)


@pytest.mark.parametrize("tuning", [Frozen(), TopLayers(layers=1), TopLayers(layers=2), Full()])
def test_vectors_are_those_of_transformers(tiny_encoder: Path, tuning: TuningOptions) -> None:
    from transformers import AutoModel

    ids, mask = tokens_of(tiny_encoder)
    reference = AutoModel.from_pretrained(tiny_encoder, add_pooling_layer=False).eval()
    with torch.no_grad():
        hidden = reference(input_ids=ids, attention_mask=mask.long()).last_hidden_state
    by_hand = []
    for row in range(len(ids)):
        mean = hidden[row][mask[row]].mean(0)
        by_hand.append(mean / mean.norm())

    encoder = encoder_of(tiny_encoder, tuning)
    with torch.no_grad():
        found = encoder(ids, mask)
        in_two = encoder.upper(encoder.lower(ids, mask), mask)

    torch.testing.assert_close(found, torch.stack(by_hand), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(in_two, found)
    assert encoder.width == 32


@pytest.mark.parametrize(
    ("tuning", "learning"),
    [
        (Frozen(), set()),
        (TopLayers(layers=1), {"encoder.layer.1"}),
        (TopLayers(layers=2), {"encoder.layer.0", "encoder.layer.1"}),
        (Full(), {"embeddings", "encoder.layer.0", "encoder.layer.1"}),
    ],
)
def test_a_mode_says_which_parameters_learn(
    tiny_encoder: Path, tuning: TuningOptions, learning: set[str]
) -> None:
    encoder = encoder_of(tiny_encoder, tuning)

    vectors = encoder(*tokens_of(tiny_encoder))
    if vectors.requires_grad:
        vectors[:, 0].sum().backward()

    parts = ("embeddings", "encoder.layer.0", "encoder.layer.1")
    with_gradient = {
        part
        for name, parameter in encoder.model.named_parameters()
        for part in parts
        if name.startswith(part) and parameter.grad is not None and parameter.grad.abs().sum() > 0
    }
    switched_on = {
        part
        for name, parameter in encoder.model.named_parameters()
        for part in parts
        if name.startswith(part) and parameter.requires_grad
    }
    assert with_gradient == switched_on == learning
    # Embeddings alone are as quick to look up anew.
    assert encoder.keeps_lower == ("encoder.layer.0" not in learning)


def test_padding_says_nothing(tiny_encoder: Path) -> None:
    encoder = encoder_of(tiny_encoder, TopLayers(layers=1))
    ids, mask = tokens_of(tiny_encoder)

    with torch.no_grad():
        together = encoder(ids, mask)
        for row in range(len(ids)):
            alone = encoder(ids[row : row + 1, mask[row]], mask[row : row + 1, mask[row]])
            torch.testing.assert_close(alone[0], together[row], atol=1e-6, rtol=1e-5)
        # Whatever stands at padded places.
        junk = torch.where(mask, ids, torch.full_like(ids, 7))
        torch.testing.assert_close(encoder(junk, mask), together)


def test_vectors_have_length_one(tiny_encoder: Path) -> None:
    with torch.no_grad():
        found = encoder_of(tiny_encoder, Frozen())(*tokens_of(tiny_encoder))

    torch.testing.assert_close(found.norm(dim=1), torch.ones(len(TEXTS)))


def test_the_lower_layers_alone(tiny_encoder: Path) -> None:
    # One layer kept of two: the vectors of a model that never had the second.
    from transformers import AutoModel

    ids, mask = tokens_of(tiny_encoder, ["red shoe"])
    reference = AutoModel.from_pretrained(tiny_encoder, add_pooling_layer=False).eval()
    with torch.no_grad():
        states = reference(
            input_ids=ids, attention_mask=mask.long(), output_hidden_states=True
        ).hidden_states
        cut = encoder_of(tiny_encoder, Frozen(), keep=1)
        found = cut(ids, mask)[0]

    mean = states[1][0].mean(0)
    torch.testing.assert_close(found, mean / mean.norm(), atol=1e-6, rtol=1e-5)
    assert len(cut.layers) == 1
    assert cut.model.config.num_hidden_layers == 1


@pytest.mark.parametrize(
    ("tuning", "keep", "message"),
    [
        (TopLayers(layers=3), None, r"tuning\.layers: 3 asked for, the encoder has 2"),
        (TopLayers(layers=2), 1, r"tuning\.layers: 2 asked for, the encoder has 1"),
        (Frozen(), 3, r"keep_layers: 3 asked for, .* has 2"),
    ],
)
def test_more_layers_than_there_are(
    tiny_encoder: Path, tuning: TuningOptions, keep: int | None, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        encoder_of(tiny_encoder, tuning, keep)


def saved(kind: str, folder: Path) -> Path:
    """A random encoder of another family, as transformers saves it."""
    import transformers

    sizes = {
        "vocab_size": 40,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 40,
    }
    more = {"embedding_size": 8} if kind == "Electra" else {}
    if kind == "DistilBert":
        sizes = {"vocab_size": 40, "dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 16}
    config = getattr(transformers, f"{kind}Config")(**sizes, **more)
    model = getattr(transformers, f"{kind}Model")(config)
    model.eval().save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["Roberta", "XLMRoberta", "Electra"])
def test_other_families_built_like_bert(tmp_path: Path, kind: str) -> None:
    from transformers import AutoModel

    folder = saved(kind, tmp_path / kind)
    ids = torch.tensor([[5, 6, 7, 8], [9, 10, 1, 1]])
    mask = torch.tensor([[True] * 4, [True, True, False, False]])
    reference = AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        hidden = reference(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        found = encoder_of(folder, TopLayers(layers=1))(ids, mask)

    means = torch.stack([hidden[0].mean(0), hidden[1, :2].mean(0)])
    expected = torch.nn.functional.normalize(means, dim=-1)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", ["DistilBert", "MPNet"])
def test_an_encoder_built_otherwise_is_refused(tmp_path: Path, kind: str) -> None:
    # MPNet has the same parts; without its relative positions its vectors would be wrong.
    folder = saved(kind, tmp_path / kind)

    with pytest.raises(ConfigError, match="not built like BERT"):
        encoder_of(folder, Frozen())
