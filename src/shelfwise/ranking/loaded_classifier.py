"""A trained classifier of texts, checked and ready to answer.

Shape suffixes in this file: N = texts, C = classes, B = texts of a batch, L = tokens.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from shelfwise.data.tokens import tokenise
from shelfwise.models.config import ModelOptions
from shelfwise.models.text_classifier import TextClassifier
from shelfwise.models.weights import ENCODER, load_encoder, load_tensors
from shelfwise.schema.manifest import Manifest
from shelfwise.schema.run_files import MODEL

_AT_A_TIME = 128


class LoadedClassifier:
    """Probabilities of each class for any text."""

    def __init__(self, run: Path, manifest: Manifest) -> None:
        options = ModelOptions.model_validate(manifest.facts["model"])
        encoder = load_encoder(run, options)
        self.classes: list[str] = manifest.facts["classes"]
        self.model = TextClassifier(encoder, len(self.classes), 0.0)
        self.model.classify.load_state_dict(load_tensors(run / MODEL))
        self.model.eval()
        self.tokenizer_file = run / ENCODER / "tokenizer.json"
        self.prefix = options.encoder.item_prefix
        self.max_tokens = int(manifest.facts["data"]["text"]["max_tokens"])

    @torch.no_grad()
    def probabilities(self, texts: list[str]) -> NDArray[np.float64]:
        """``[N, C]`` probability of each class for each text."""
        tokens = tokenise([self.prefix + t for t in texts], self.tokenizer_file, self.max_tokens)
        p_NC = np.zeros((len(texts), len(self.classes)))
        order = np.argsort(tokens.lengths(), kind="stable")
        for start in range(0, len(order), _AT_A_TIME):
            rows = order[start : start + _AT_A_TIME]
            ids_BL, mask_BL = tokens.padded(rows)
            logit_BC = self.model(torch.from_numpy(ids_BL), torch.from_numpy(mask_BL))
            p_NC[rows] = logit_BC.softmax(-1).double().numpy()
        return p_NC
