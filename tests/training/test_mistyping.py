from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from shelfwise.data.tokens import open_tokenizer, tokenise
from shelfwise.models.config import EncoderOptions, Full, TopLayers, TuningOptions
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.schema.progress import Silent
from shelfwise.training.mistyping import Mistyping
from shelfwise.training.text_bank import TextBank

TEXTS = ["red running shoe", "a white lamp of glass", "wooden table", "mirror", "green garden hose"]
CPU = torch.device("cpu")


def bank_of(folder: Path, share: float, tuning: TuningOptions) -> TextBank:
    encoder = load_text_encoder(folder, EncoderOptions(name=str(folder), tuning=tuning))
    bank = TextBank(encoder, tokenise(TEXTS, folder / "tokenizer.json", 48), CPU, Silent())
    tokenizer = open_tokenizer(folder / "tokenizer.json", 48)
    bank.mistyping = Mistyping([""] * len(TEXTS), TEXTS, tokenizer, share)
    return bank


def test_what_is_mistyped_is_read_so_and_the_rest_as_it_is(tiny_encoder: Path) -> None:
    asked = np.array([4, 0, 2, 1])
    for tuning in (Full(), TopLayers(layers=1)):
        bank = bank_of(tiny_encoder, 0.5, tuning)
        assert bank.mistyping is not None
        for seed in range(6):
            torch.manual_seed(seed)
            found = bank.encode_many(asked, learning=True)
            torch.manual_seed(seed)
            wrong = bank.mistyping.chosen(4)
            plain = bank.encode_many(asked)

            torch.testing.assert_close(found[~wrong], plain[~wrong], atol=1e-5, rtol=1e-4)
            if wrong.any():
                tokens = bank.mistyping.of(asked[wrong])
                ids, mask = tokens.padded(np.arange(int(wrong.sum())))
                expected = bank.read(torch.from_numpy(ids), torch.from_numpy(mask))
                torch.testing.assert_close(found[wrong], expected, atol=1e-5, rtol=1e-4)
                assert found.requires_grad


def test_only_what_is_learned_from_is_mistyped(tiny_encoder: Path) -> None:
    bank = bank_of(tiny_encoder, 0.99, Full())
    plain = bank_of(tiny_encoder, 0.0, Full())
    asked = np.arange(5)

    torch.testing.assert_close(bank.encode_many(asked), plain.encode_many(asked, learning=True))
    torch.manual_seed(0)
    typed = bank.encode_many(asked, learning=True)
    assert not torch.allclose(typed, bank.encode_many(asked), atol=1e-3)


def test_prefixes_are_typed_right(tiny_encoder: Path) -> None:
    tokenizer = open_tokenizer(tiny_encoder / "tokenizer.json", 48)
    prefixed = Mistyping(["query: "] * 5, TEXTS, tokenizer, 1.0)
    start = tokenizer.encode("query: ").ids[:-1]

    for seed in range(5):
        torch.manual_seed(seed)
        tokens = prefixed.of(np.arange(5))
        for n in range(5):
            ids = tokens.ids[tokens.offset_T1[n] : tokens.offset_T1[n + 1]].tolist()
            assert ids[: len(start)] == start
