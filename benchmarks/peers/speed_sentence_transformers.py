"""sentence-transformers' own trainer on pairs of query and title with yes or no, timed.

Run by the interpreter of `.venv-peers/sentence_transformers`. The folder it is given holds
pairs.json: train (query, title, 0 or 1) and test (query, title). The last line it prints is JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from datasets import Dataset, disable_progress_bars
from rank_sentence_transformers import minilm
from sentence_transformers import (
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss
from transformers import TrainerCallback
from transformers.utils import logging

_ROWS, _TOKENS = 32, 128


class Timed(TrainerCallback):  # type: ignore[misc]  # untyped where Shelfwise is checked
    """Seconds of training, and an end to it where its time is over."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.began = self.ended = 0.0

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """As the trainer calls it."""
        self.began = time.perf_counter()

    def on_step_end(self, _: Any, __: Any, control: Any, **___: Any) -> None:
        """As the trainer calls it."""
        self.ended = time.perf_counter()
        control.should_training_stop |= self.ended - self.began > self.seconds


def train(rows: list[list[Any]], epochs: int, seconds: float, seed: int) -> tuple[Any, Timed, int]:
    """One training on all cores that torch was given; the model, its time, and its steps."""
    model, timed = minilm(_TOKENS), Timed(seconds)
    queries, titles, labels = map(list, zip(*rows, strict=True))
    columns = {"query": queries, "title": titles, "label": [float(label) for label in labels]}
    with TemporaryDirectory() as scratch:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=scratch,
            num_train_epochs=epochs,
            per_device_train_batch_size=_ROWS,
            seed=seed,
            use_cpu=True,
            disable_tqdm=True,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
        )
        trainer = SentenceTransformerTrainer(
            model,
            arguments,
            Dataset.from_dict(columns),
            loss=CosineSimilarityLoss(model),
            callbacks=[timed],
        )
        trainer.train()
    return model, timed, trainer.state.global_step


def cosines(model: Any, rows: list[list[str]]) -> list[float]:
    """How alike query and title of each row are."""
    if not rows:
        return []
    sides = [
        model.encode(list(side), normalize_embeddings=True, show_progress_bar=False)
        for side in zip(*rows, strict=True)
    ]
    return [float(one) for one in np.einsum("nd,nd->n", *sides)]


def main() -> None:
    """`--task FOLDER --threads N --epochs N --seconds S --seed N`"""
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    logging.set_verbosity_error()
    disable_progress_bars()
    pairs = json.loads((asked.task / "pairs.json").read_text(encoding="utf-8"))
    model, timed, steps = train(pairs["train"], asked.epochs, asked.seconds, asked.seed)
    learned = min(steps * _ROWS, asked.epochs * len(pairs["train"]))
    told = {
        "seconds": timed.ended - timed.began,
        "examples": learned,
        "scores": cosines(model, pairs["test"]),
    }
    print(json.dumps(told))  # noqa: T201  # the answer of this process


if __name__ == "__main__":
    main()
