"""Guessing words that were hidden (Devlin et al., 2019, arXiv:1810.04805).

Encoders made for sentences come without the layer that guesses, so a small one is learned here; it
shares the encoder's own table of words and is thrown away afterwards.

Shape suffixes in this file: B = texts, L = tokens of the longest, M = tokens to be guessed,
H = width of the hidden states, E = width of the table of words, W = words.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from shelfwise.models.text_encoder import TextEncoder
from shelfwise.schema.errors import ConfigError

_GUESSED = 0.15
_HIDDEN, _KEPT = 0.8, 0.1  # of those guessed; the rest are replaced by any word


class Words(NamedTuple):
    """A tokenizer's words, as far as masking needs to know them."""

    mask_id: int
    special: NDArray[np.int64]  # never guessed
    ordinary: NDArray[np.int64]  # sorted


class MaskedTexts(NamedTuple):
    """Texts with words hidden, and which are to be guessed."""

    input_ids_BL: NDArray[np.int64]
    guessed_BL: NDArray[np.bool_]


def words_of(tokenizer: Tokenizer) -> Words:
    """The words of a tokenizer.

    Raises:
        ConfigError: it has none that stands for a hidden word.
    """
    found = [tokenizer.token_to_id(name) for name in ("[MASK]", "<mask>")]
    masks = [number for number in found if number is not None]
    if not masks:
        raise ConfigError(
            "adaptation.masked_weight: the encoder's tokenizer has neither [MASK] nor <mask>, so "
            "no word can be hidden; set adaptation.masked_weight=0"
        )
    added = tokenizer.get_added_tokens_decoder()
    special = np.array(sorted({masks[0], *(n for n, t in added.items() if t.special)}), np.int64)
    return Words(masks[0], special, np.setdiff1d(np.arange(tokenizer.get_vocab_size()), special))


def hide_words(
    ids_BL: NDArray[np.int64], mask_BL: NDArray[np.bool_], words: Words, rng: np.random.Generator
) -> MaskedTexts:
    """Choose 15 % of the words: 80 % of these are hidden, 10 % replaced by any word, 10 % left.

    Padding and special tokens are never chosen.
    """
    open_BL = mask_BL & ~np.isin(ids_BL, words.special)
    guessed_BL = open_BL & (rng.random(ids_BL.shape) < _GUESSED)
    way_BL = rng.random(ids_BL.shape)
    hidden_BL = guessed_BL & (way_BL < _HIDDEN)
    replaced_BL = guessed_BL & (way_BL >= _HIDDEN + _KEPT)
    any_BL = words.ordinary[rng.integers(len(words.ordinary), size=ids_BL.shape)]
    shown_BL = np.where(hidden_BL, words.mask_id, np.where(replaced_BL, any_BL, ids_BL))
    return MaskedTexts(shown_BL, guessed_BL)


class WordHead(nn.Module):
    """From a hidden state to a logit for every word, through the encoder's own table of words."""

    def __init__(self, encoder: TextEncoder) -> None:
        super().__init__()
        table_WE = word_table(encoder)
        hidden = int(encoder.model.config.hidden_size)  # type: ignore[arg-type, union-attr]  # HF config
        self.dense = nn.Linear(hidden, table_WE.shape[1])
        self.norm = nn.LayerNorm(table_WE.shape[1])
        self.bias = nn.Parameter(torch.zeros(len(table_WE)))

    def forward(self, hidden_MH: Tensor, table_WE: Tensor) -> Tensor:
        """``[M, W]`` logits."""
        state_ME = self.norm(F.gelu(self.dense(hidden_MH)))
        return F.linear(state_ME, table_WE, self.bias)


def word_table(encoder: TextEncoder) -> Tensor:
    """``[W, E]`` the encoder's embedding of each word."""
    table: Tensor = encoder.model.get_input_embeddings().weight  # type: ignore[operator]  # HF model
    return table


def masked_word_loss(
    encoder: TextEncoder,
    head: WordHead,
    texts: tuple[NDArray[np.int64], NDArray[np.bool_]],
    masked: MaskedTexts,
    *,
    head_alone: bool = False,
) -> Tensor:
    """Mean cross-entropy of the words that are to be guessed; 0 where there are none.

    Args:
        encoder: reads the texts with their hidden words.
        head: guesses.
        texts: ids ``[B, L]`` as they were, and which are no padding.
        masked: the same with words hidden.
        head_alone: the encoder does not learn from it.
    """
    ids_BL, mask_BL = texts
    table_WE = word_table(encoder)
    device = table_WE.device
    if not masked.guessed_BL.any():
        return table_WE.new_zeros(())
    with torch.set_grad_enabled(torch.is_grad_enabled() and not head_alone):
        hidden_BLH: Tensor = encoder.model(
            input_ids=torch.from_numpy(masked.input_ids_BL).to(device),
            attention_mask=torch.from_numpy(mask_BL.astype(np.int64)).to(device),
        ).last_hidden_state
    guessed_BL = torch.from_numpy(masked.guessed_BL).to(device)
    right_M = torch.from_numpy(ids_BL).to(device)[guessed_BL]
    table_WE = table_WE.detach() if head_alone else table_WE
    logit_MW = head(hidden_BLH[guessed_BL], table_WE)
    return F.cross_entropy(logit_MW.float(), right_M)
