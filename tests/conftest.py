"""What tests of the network share: a tiny encoder, a small sample shop, and a run trained on it."""

from __future__ import annotations

import json
import os
import string
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shelfwise.data.prepared import PreparedShop

# Before torch is imported: one thread a worker, so that workers do not wait for each other's cores;
# and no test may reach a model hub.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"
# The account's own key of pseudonyms is left alone.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="shelfwise-tests-")

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_WORDS = (
    "red blue green black white grey gold small large mini set of for and with shoe shirt dress "
    "jacket lamp mug bowl knife pan towel chair table rug book pen toy ball tea coffee chocolate "
    "oil soap cream phone cable case light wool cotton steel wood glass leather kitchen home sport"
)
_CHARACTERS = string.ascii_lowercase + string.digits + string.punctuation + "红蓝白黑小大茶灯书杯"


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random BERT of 2 layers and width 32 that spells what it has no word for."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny") / "encoder"
    vocabulary = [*_SPECIAL, *_CHARACTERS, *(f"##{c}" for c in _CHARACTERS), *_WORDS.split()]
    _write_tokenizer(folder, vocabulary)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    torch.manual_seed(0)
    BertModel(config, add_pooling_layer=False).eval().save_pretrained(folder)
    return folder


def _write_tokenizer(folder: Path, vocabulary: list[str]) -> None:
    from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece

    folder.mkdir()
    number = {token: place for place, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordPiece(number, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(
        ("[SEP]", number["[SEP]"]), ("[CLS]", number["[CLS]"])
    )
    tokenizer.add_special_tokens(list(_SPECIAL))
    tokenizer.save(str(folder / "tokenizer.json"))
    about = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 64}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


@pytest.fixture(scope="session")
def sample_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small sample shop, with its truth; no test may write into it."""
    from shelfwise.data.sample_shop.config import SampleOptions
    from shelfwise.data.sample_shop.generate import write_sample_shop

    folder = tmp_path_factory.mktemp("sample") / "shop"
    write_sample_shop(folder, SampleOptions(users=120, items=300, days=30, visits_per_month=8))
    return folder


@pytest.fixture(scope="session")
def prepared_sample(sample_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    """The sample shop, prepared as its own shop.toml says; it knows its ``folder``."""
    from shelfwise.config import load_config
    from shelfwise.data.prepare import prepare
    from shelfwise.data.prepared import PreparedShop

    out = tmp_path_factory.mktemp("prepared") / "prepared"
    prepared = prepare(sample_shop, out, load_config(sample_shop))
    assert isinstance(prepared, PreparedShop)
    return prepared


@pytest.fixture(scope="session")
def tiny_run(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run folder: the sample shop learned for two short passes on the tiny encoder."""
    from shelfwise.models.config import EncoderOptions, ModelOptions, TopLayers
    from shelfwise.training.config import TrainOptions
    from shelfwise.training.train import train

    out = tmp_path_factory.mktemp("run") / "run"
    encoder = EncoderOptions(name=str(tiny_encoder), tuning=TopLayers(layers=1))
    train(
        prepared_sample,
        out,
        ModelOptions(width=32, encoder=encoder),
        TrainOptions(epochs=2, live_texts=16, device="cpu", threads=1),
    )
    return out
