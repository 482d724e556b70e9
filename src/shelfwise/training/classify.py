"""The plain case in training: a pre-trained encoder and one linear layer, text to class.

Shape suffixes in this file: B = texts of a batch, N = rows, C = classes.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.data.prepared import PreparedPairs
from shelfwise.data.token_cache import TOKEN_CACHE
from shelfwise.data.tokens import TokenTable, tokenise
from shelfwise.losses.classification import classification_loss
from shelfwise.models.config import ModelOptions
from shelfwise.models.pretrained import encoder_folder
from shelfwise.models.text_classifier import TextClassifier
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.models.weights import save_encoder, save_tensors
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress
from shelfwise.schema.run_files import CURVE, MODEL
from shelfwise.training.adversaries.attempt import Attempt
from shelfwise.training.adversaries.choice import Opponent
from shelfwise.training.adversaries.reach import PASSED_IN_TEXTS, refuse_unreached, unmoved
from shelfwise.training.clipping import clip_gradient
from shelfwise.training.config import TrainOptions
from shelfwise.training.course import Told, tell_nobody
from shelfwise.training.device import choose_device
from shelfwise.training.optimizer import optimizer_of
from shelfwise.training.schedule import place_in_schedule, rate_share, set_rates
from shelfwise.training.step import TrainingError
from shelfwise.training.text_bank import TextBank

_ROWS = 32  # texts in one step


def train_classifier(
    prepared: PreparedPairs,
    folder: Path,
    model_options: ModelOptions,
    options: TrainOptions,
    progress: Progress,
    told: Told = tell_nobody,
) -> dict[str, Any]:
    """Fit a classifier, keep its best state on validation, and save it to ``folder``."""
    began = time.monotonic()
    if options.typos:
        raise ConfigError("train.typos: a classifier of texts reads none; leave it at 0")
    refuse_unreached(options.adversary, PASSED_IN_TEXTS)
    torch.manual_seed(options.seed)
    source = encoder_folder(model_options.encoder.name)
    texts = [model_options.encoder.item_prefix + text for text in prepared.rows["text"]]
    limit = prepared.options.text.max_tokens
    cache = prepared.folder / TOKEN_CACHE
    tokens = tokenise(texts, source / "tokenizer.json", limit, cache)
    encoder = load_text_encoder(source, model_options.encoder)
    bank = TextBank(encoder, tokens, choose_device(options.device), progress)
    model = TextClassifier(encoder, len(prepared.classes), model_options.heads.dropout)
    model.to(bank.device)
    curve = _fit(model, bank, prepared, options, progress, told)
    save_encoder(encoder, source, folder, model_options.encoder.prompts())
    save_tensors(dict(model.classify.state_dict()), folder / MODEL)
    (folder / CURVE).write_text(json.dumps(plain({"losses": [], "checks": curve}), indent=1))
    best = max(curve, key=lambda point: point["score"])
    return {
        "shape": "pairs",
        "tasks": ["classification"],
        "classes": list(prepared.classes),
        "best_step": best["step"],
        "seconds": round(time.monotonic() - began, 1),
        "validation": {"log_loss": -best["score"]},
        "warnings": unmoved(options.adversary, PASSED_IN_TEXTS),
    }


def _fit(
    model: TextClassifier,
    bank: TextBank,
    prepared: PreparedPairs,
    options: TrainOptions,
    progress: Progress,
    told: Told,
) -> list[dict[str, Any]]:
    label_N = torch.tensor(prepared.rows["label"].to_list(), device=bank.device)
    rows = {part: _rows_of(prepared, part) for part in ("train", "validation")}
    optimizer = optimizer_of(model.classify.parameters(), model.encoder, options)
    peaks = [group["lr"] for group in optimizer.param_groups]
    per_epoch = math.ceil(len(rows["train"]) / _ROWS)
    steps = per_epoch * options.epochs
    opponent = Opponent.of(options.adversary, per_epoch)
    rng = np.random.default_rng(options.seed)
    curve: list[dict[str, Any]] = []
    best_state, step, late = None, 0, False
    began = time.monotonic()
    with progress.step("Training", total=steps) as bar:
        for _ in range(options.epochs):
            for batch in _batches(rows["train"], bank.tokens, rng):
                step += 1
                spent = (time.monotonic() - began) / (options.minutes * 60)
                place = place_in_schedule(step, steps, spent, options.warmup_share)
                set_rates(optimizer, peaks, rate_share(place, steps, options.warmup_share))
                loss_of = _LossOf(model, bank, batch, label_N, (options.seed, step))
                opponent.learn(step, loss_of.attempt())
                penalty = bank.encoder.penalty()
                if penalty is not None:
                    penalty.backward()  # type: ignore[no-untyped-call]  # torch
                clip_gradient(list(model.parameters()), options.clip)
                optimizer.step()
                bank.encoder.after_step(step, steps)
                optimizer.zero_grad(set_to_none=True)
                bar.advance()
                late = time.monotonic() - began > options.minutes * 60
                if late:
                    break
            score = -_validation_loss(model, bank, rows["validation"], label_N)
            curve.append({"step": step, "score": score, "figures": {"log_loss": -score}})
            bar.note(f"validation log loss {-score:.3f}")
            told(len(curve), score)
            best = max(range(len(curve)), key=lambda at: curve[at]["score"])
            if best == len(curve) - 1:
                best_state = copy.deepcopy(model.state_dict())
            if late or len(curve) - 1 - best > options.patience:
                break
    assert best_state is not None
    model.load_state_dict(best_state)
    return curve


def _rows_of(prepared: PreparedPairs, part: str) -> NDArray[np.int64]:
    numbered = prepared.rows.with_row_index("row").filter(pl.col("part") == part)
    return np.array(numbered["row"].to_list(), dtype=np.int64)


def _batches(
    rows: NDArray[np.int64], tokens: TokenTable, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """All rows in a random order, texts of like length together."""
    order = rng.permutation(rows)
    length = tokens.lengths()
    groups = []
    for start in range(0, len(order), _ROWS * 16):
        bucket = order[start : start + _ROWS * 16]
        bucket = bucket[np.argsort(length[bucket], kind="stable")]
        groups += [bucket[at : at + _ROWS] for at in range(0, len(bucket), _ROWS)]
    for place in rng.permutation(len(groups)):
        yield groups[place]


@dataclass(frozen=True, slots=True)
class _LossOf:
    """A batch's loss, with the same draws each time it is asked for."""

    model: TextClassifier
    bank: TextBank
    batch: NDArray[np.int64]
    label_N: Tensor
    drawn_by: tuple[int, int]  # seed and step

    def attempt(self) -> Attempt:
        learning = [p for p in self.model.parameters() if p.requires_grad]
        drawn = int(np.random.default_rng([*self.drawn_by, 3]).integers(2**63))
        return Attempt(self, (self.model,), learning, drawn)

    def __call__(self, dropout: int) -> Tensor:
        seed = np.random.default_rng([*self.drawn_by, 2, dropout]).integers(2**63)
        torch.manual_seed(int(seed))
        self.model.train()
        logit_BC = self.model.from_vectors(self.bank.encode(self.batch).float())
        label_B = self.label_N[torch.from_numpy(self.batch).to(self.bank.device)]
        loss = classification_loss(logit_BC, label_B)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"train: the loss of step {self.drawn_by[1]} is {loss.item()}; lower "
                "train.learning_rate or train.clip"
            )
        return loss


@torch.no_grad()
def _validation_loss(
    model: TextClassifier, bank: TextBank, rows: NDArray[np.int64], label_N: Tensor
) -> float:
    model.eval()
    total = 0.0
    for start in range(0, len(rows), 256):
        some = rows[start : start + 256]
        logit_BC = model.from_vectors(bank.encode(some).float())
        label_B = label_N[torch.from_numpy(some).to(bank.device)]
        total += float(classification_loss(logit_BC, label_B)) * len(some)
    return total / len(rows)
