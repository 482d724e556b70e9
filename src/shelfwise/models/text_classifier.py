"""The plain case: a text encoder with one linear layer on its vector.

Shape suffixes in this file: B = texts, L = tokens, H = the encoder's width, C = classes.
"""

from __future__ import annotations

from torch import Tensor, nn

from shelfwise.models.places import Place
from shelfwise.models.text_encoder import TextEncoder


class TextClassifier(nn.Module):
    """Logits of each class for a text."""

    def __init__(self, encoder: TextEncoder, classes: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(encoder.width, classes)
        self.classes = Place("class")

    def forward(self, input_ids_BL: Tensor, mask_BL: Tensor) -> Tensor:
        """``[B, C]`` logits."""
        return self.from_vectors(self.encoder(input_ids_BL, mask_BL))

    def from_vectors(self, vector_BH: Tensor) -> Tensor:
        """``[B, C]`` logits of texts already encoded."""
        # Unit vectors have entries near 1/sqrt(H); scaled up, the layer learns at a normal pace.
        scaled_BH = self.dropout(vector_BH) * self.encoder.width**0.5
        logit_BC: Tensor = self.classes(self.classify(scaled_BH))
        return logit_BC
