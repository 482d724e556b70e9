from __future__ import annotations

from pathlib import Path

import torch

from shelfwise.models.config import Frozen
from shelfwise.models.text_classifier import TextClassifier

from .test_text_encoder import encoder_of, tokens_of


@torch.no_grad()
def test_logits_are_linear_in_the_scaled_vector(tiny_encoder: Path) -> None:
    encoder = encoder_of(tiny_encoder, Frozen())
    model = TextClassifier(encoder, classes=3, dropout=0.5).eval()
    ids, mask = tokens_of(tiny_encoder)

    found = model(ids, mask)

    # Entries of the unit vector times sqrt(32).
    vectors = encoder(ids, mask) * 32**0.5
    expected = vectors @ model.classify.weight.T + model.classify.bias
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(model.from_vectors(encoder(ids, mask)), found)
