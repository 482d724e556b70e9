from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.tokens import TokenTable, tokenise
from shelfwise.models.config import (
    AdaLora,
    Adapter,
    EncoderOptions,
    Frozen,
    Full,
    Lora,
    TuningOptions,
)
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.schema.progress import Silent
from shelfwise.training import text_bank
from shelfwise.training.text_bank import TextBank, length_buckets

from .small_network import TOP, bank_of, tokens_of


@pytest.mark.parametrize(
    ("tuning", "kept_bytes", "keeps"),
    [
        (TOP, 2**31, True),
        (TOP, 0, False),
        (Frozen(), 2**31, True),
        (Full(), 2**31, False),
        (Lora(layers=1), 2**31, True),
        (AdaLora(), 2**31, False),
        (Adapter(layers=1), 2**31, True),
    ],
)
def test_the_table_holds_the_encoders_own_vectors(
    prepared_sample: PreparedShop,
    tiny_encoder: Path,
    monkeypatch: pytest.MonkeyPatch,
    tuning: TuningOptions,
    kept_bytes: int,
    keeps: bool,
) -> None:
    monkeypatch.setattr(text_bank, "_KEPT_BYTES", kept_bytes)
    bank = bank_of(prepared_sample, tiny_encoder, tuning)
    assert (bank._lower is not None) == keeps

    tokens = tokens_of(prepared_sample, tiny_encoder)
    rows = np.arange(len(tokens.lengths()))
    ids, mask = tokens.padded(rows)
    with torch.no_grad():
        direct = bank.encoder(torch.from_numpy(ids), torch.from_numpy(mask))
        some = bank.encode(rows[5:9])

    # bf16 has 8 bits: what was kept in it, or multiplied in it, agrees to about a percent.
    torch.testing.assert_close(bank.vectors_TH, direct, atol=0.02, rtol=0)
    assert (bank.vectors_TH * direct).sum(1).min() > 0.999
    torch.testing.assert_close(some, direct[5:9], atol=0.02, rtol=0)
    assert bank.vectors_TH.dtype == torch.float32


@pytest.mark.parametrize("tuning", [TOP, Lora(layers=1), AdaLora(layers=1), Adapter(layers=1)])
def test_the_table_follows_the_learning_layers_when_told(
    prepared_sample: PreparedShop, tiny_encoder: Path, tuning: TuningOptions
) -> None:
    bank = bank_of(prepared_sample, tiny_encoder, tuning)
    before = bank.vectors_TH.clone()
    with torch.no_grad():
        for parameter in bank.encoder.layers[-1].parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter))

    assert torch.equal(bank.vectors_TH, before)
    bank.refresh(Silent())

    assert not torch.allclose(bank.vectors_TH, before, atol=0.05)
    with torch.no_grad():
        fresh = bank.encode(np.arange(4))
    torch.testing.assert_close(bank.vectors_TH[:4], fresh, atol=0.02, rtol=0)
    assert not bank.vectors_TH.requires_grad


def test_a_frozen_encoder_is_not_asked_again(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    bank = bank_of(prepared_sample, tiny_encoder, Frozen())
    right = bank.vectors_TH.clone()
    bank.vectors_TH.zero_()

    bank.refresh(Silent())  # nothing can have moved

    assert not bank.vectors_TH.any()
    assert right.any()


def test_a_second_bank_takes_what_the_frozen_layers_said(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    first, alone = (bank_of(prepared_sample, tiny_encoder) for _ in range(2))
    with torch.no_grad():  # as training leaves it: the top layer moved, those below did not
        for parameter in first.encoder.layers[-1].parameters():
            parameter.add_(1.0)

    again = TextBank(alone.encoder, first.tokens, first.device, Silent(), like=first)

    assert again._lower is first._lower
    assert torch.equal(again.vectors_TH, alone.vectors_TH)


def test_what_is_kept_is_as_wide_as_hidden_states_are(tiny_encoder: Path) -> None:
    # Vectors of 3 numbers out of hidden states of 32.
    options = EncoderOptions(name=str(tiny_encoder), tuning=TOP, projection=5, dimensions=3)
    encoder = load_text_encoder(tiny_encoder, options).eval()
    tokens = tokenise(["red mug", "tea"], tiny_encoder / "tokenizer.json", 16)

    bank = TextBank(encoder, tokens, torch.device("cpu"), Silent())

    assert bank._lower is not None
    assert bank._lower.kept_KH.shape == (len(tokens.ids), 32)
    with torch.no_grad():
        direct = encoder(*(torch.from_numpy(side) for side in tokens.padded(np.arange(2))))
    torch.testing.assert_close(bank.vectors_TH, direct, atol=0.02, rtol=0)


def bank_of_texts(texts: list[str], folder: Path, tuning: TuningOptions) -> TextBank:
    encoder = load_text_encoder(folder, EncoderOptions(name=str(folder), tuning=tuning))
    tokens = tokenise(texts, folder / "tokenizer.json", 16)
    return TextBank(encoder, tokens, torch.device("cpu"), Silent())


def test_texts_that_are_the_same_are_encoded_once(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    encode = TextBank.encode
    monkeypatch.setattr(
        TextBank, "encode", lambda bank, rows: (asked.extend(rows), encode(bank, rows))[1]
    )

    bank = bank_of_texts(["red mug", "tea", "red mug", "red", "tea"], tiny_encoder, TOP)

    assert sorted(asked) == [0, 1, 3]
    for one, other in ((0, 2), (1, 4)):
        assert torch.equal(bank.vectors_TH[one], bank.vectors_TH[other])
    assert not torch.allclose(bank.vectors_TH[0], bank.vectors_TH[3], atol=0.01)


@pytest.mark.parametrize("tuning", [TOP, Full(), Frozen()])
def test_a_shop_without_words_encodes_one_text_and_teaches_the_encoder_nothing(
    tiny_encoder: Path, tuning: TuningOptions
) -> None:
    bank = bank_of_texts([""] * 40, tiny_encoder, tuning)

    assert bank._lower is None
    assert not any(p.requires_grad for p in bank.encoder.parameters())
    assert (bank.vectors_TH == bank.vectors_TH[0]).all()
    assert bank.vectors_TH.stride(0) == 0  # kept once
    assert bank.vectors_TH[0].norm().item() == pytest.approx(1)


@given(st.lists(st.integers(1, 12), max_size=30), st.integers(1, 40))
def test_buckets_hold_every_text_once_and_stay_small(lengths: list[int], most: int) -> None:
    offset = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    tokens = TokenTable(offset, np.zeros(offset[-1], np.int32), 0)

    groups = length_buckets(tokens, most)

    assert sorted(row for group in groups for row in group.tolist()) == list(range(len(lengths)))
    for group in groups:
        # Only a text that is too long by itself goes over, and then alone.
        assert len(group) == 1 or len(group) * max(lengths[row] for row in group) <= most


def test_frozen_layers_are_asked_for_a_text_once_and_when_it_is_needed(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    tokens = tokens_of(prepared_sample, tiny_encoder)
    encoder = bank_of(prepared_sample, tiny_encoder).encoder  # its top layer learns
    bank = TextBank(encoder, tokens, torch.device("cpu"), Silent(), filled=False)
    assert bank._lower is not None
    bank._lower.kept_KH.fill_(torch.nan)  # what an empty table may hold
    rows = np.array([5, 2, 9])

    first = bank.encode(rows)

    assert np.flatnonzero(bank._lower.known_T).tolist() == [2, 5, 9]
    assert torch.isfinite(first).all()
    bank._lower.kept_KH[: int(tokens.offset_T1[2])] = 7.0  # nobody asks for it again
    torch.testing.assert_close(bank.encode(rows), first)
