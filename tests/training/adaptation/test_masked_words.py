from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from shelfwise.data.tokens import open_tokenizer
from shelfwise.models.config import EncoderOptions, Full, TopLayers
from shelfwise.models.text_encoder import TextEncoder, load_text_encoder
from shelfwise.schema.errors import ConfigError
from shelfwise.training.adaptation.masked_words import (
    MaskedTexts,
    WordHead,
    Words,
    hide_words,
    masked_word_loss,
    word_table,
    words_of,
)

# 0 pads, 1 and 2 begin and end a text, 3 hides a word.
WORDS = Words(3, np.array([0, 1, 2, 3]), np.arange(4, 100))


def encoder_of(folder: Path, *, full: bool) -> TextEncoder:
    tuning = Full() if full else TopLayers(layers=1)
    return load_text_encoder(folder, EncoderOptions(name=str(folder), tuning=tuning)).eval()


def texts(rows: int, words: int) -> tuple[np.ndarray, np.ndarray]:
    """Texts of ever more words, padded."""
    rng = np.random.default_rng(0)
    ids_BL = rng.integers(4, 100, size=(rows, words + 2))
    length_B = rng.integers(3, words + 3, size=rows)
    mask_BL = np.arange(words + 2) < length_B[:, None]
    ids_BL[:, 0] = 1
    ids_BL[np.arange(rows), length_B - 1] = 2
    return np.where(mask_BL, ids_BL, 0), mask_BL


def test_shares_of_what_is_guessed() -> None:
    ids_BL, mask_BL = texts(2_000, 40)
    masked = hide_words(ids_BL, mask_BL, WORDS, np.random.default_rng(0))

    guessed_BL, shown_BL = masked.guessed_BL, masked.input_ids_BL
    words = (mask_BL & (ids_BL >= 4)).sum()
    hidden = (shown_BL == 3)[guessed_BL].mean()
    replaced = ((shown_BL != 3) & (shown_BL != ids_BL))[guessed_BL].mean()
    assert guessed_BL.sum() / words == pytest.approx(0.15, abs=0.005)
    assert hidden == pytest.approx(0.8, abs=0.02)
    # A word is replaced by itself one time in 96.
    assert replaced == pytest.approx(0.1 * 95 / 96, abs=0.015)
    assert (shown_BL == ids_BL)[guessed_BL].mean() == pytest.approx(0.1, abs=0.015)


def test_padding_and_special_tokens_are_never_touched() -> None:
    ids_BL, mask_BL = texts(500, 20)
    masked = hide_words(ids_BL, mask_BL, WORDS, np.random.default_rng(1))

    closed_BL = ~mask_BL | np.isin(ids_BL, WORDS.special)
    assert not masked.guessed_BL[closed_BL].any()
    assert (masked.input_ids_BL == ids_BL)[~masked.guessed_BL].all()
    assert not np.isin(masked.input_ids_BL, [0, 1, 2])[masked.guessed_BL].any()


def test_words_of_a_tokenizer(tiny_encoder: Path) -> None:
    tokenizer = open_tokenizer(tiny_encoder / "tokenizer.json", 48)

    words = words_of(tokenizer)

    assert words.mask_id == tokenizer.token_to_id("[MASK]")
    named = [tokenizer.token_to_id(n) for n in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")]
    assert words.special.tolist() == sorted(named)
    assert len(words.ordinary) == tokenizer.get_vocab_size() - 5


def test_a_tokenizer_that_hides_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="masked_weight=0"):
        words_of(Tokenizer(WordLevel({"a": 0}, unk_token="a")))


def test_a_head_that_knows_nothing_costs_log_of_the_words(tiny_encoder: Path) -> None:
    # A state of 0 leaves a logit of 0 for every word.
    encoder = encoder_of(tiny_encoder, full=True)
    head = WordHead(encoder)
    torch.nn.init.zeros_(head.norm.weight)
    ids_BL, mask_BL = texts(2, 5)
    guessed_BL = np.zeros_like(mask_BL)
    guessed_BL[0, 1] = True

    loss = masked_word_loss(encoder, head, (ids_BL, mask_BL), MaskedTexts(ids_BL, guessed_BL))

    assert loss.item() == pytest.approx(log(len(word_table(encoder))), rel=1e-5)


def test_nothing_to_guess_costs_nothing(tiny_encoder: Path) -> None:
    encoder = encoder_of(tiny_encoder, full=True)
    ids_BL, mask_BL = texts(2, 5)
    masked = MaskedTexts(ids_BL, np.zeros_like(mask_BL))

    assert masked_word_loss(encoder, WordHead(encoder), (ids_BL, mask_BL), masked).item() == 0


@pytest.mark.parametrize("head_alone", [False, True])
def test_what_learns_from_hidden_words(tiny_encoder: Path, head_alone: bool) -> None:
    encoder = encoder_of(tiny_encoder, full=True)
    head = WordHead(encoder)
    ids_BL, mask_BL = texts(8, 9)
    masked = hide_words(ids_BL, mask_BL, WORDS, np.random.default_rng(0))

    masked_word_loss(encoder, head, (ids_BL, mask_BL), masked, head_alone=head_alone).backward()

    assert all(p.grad is not None for p in head.parameters())
    learned = [name for name, p in encoder.named_parameters() if p.grad is not None]
    assert bool(learned) is not head_alone
    # Tied: the table of words learns as what is read and as what is guessed.
    assert any("word_embeddings" in name for name in learned) is not head_alone


def test_frozen_layers_stay_so(tiny_encoder: Path) -> None:
    encoder = encoder_of(tiny_encoder, full=False)
    ids_BL, mask_BL = texts(8, 9)
    masked = hide_words(ids_BL, mask_BL, WORDS, np.random.default_rng(0))

    masked_word_loss(encoder, WordHead(encoder), (ids_BL, mask_BL), masked).backward()

    learned = [name for name, p in encoder.named_parameters() if p.grad is not None]
    assert learned
    assert all(".layer.1." in name for name in learned)
