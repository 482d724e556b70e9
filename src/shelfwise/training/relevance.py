"""The text-only shop in training: how well items answer queries, from judgements and nothing else.

Shape suffixes in this file: B = rows of a batch, N = judged rows, Q = queries of a batch, P = most
rows of a query.
"""

from __future__ import annotations

import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

from shelfwise.data.prepared import PreparedJudgements
from shelfwise.metrics.graded_ndcg import graded_ndcg_at_k
from shelfwise.metrics.root_mean_square import root_mean_square
from shelfwise.metrics.spearman import spearman
from shelfwise.models.config import ModelOptions
from shelfwise.models.pretrained import encoder_folder
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.models.weights import save_encoder, save_tensors
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress
from shelfwise.schema.run_files import CURVE, ITEMS, MODEL, TABLES
from shelfwise.training.adversaries.choice import Opponent
from shelfwise.training.adversaries.reach import PASSED_IN_JUDGEMENTS, refuse_unreached, unmoved
from shelfwise.training.clipping import clip_gradient
from shelfwise.training.config import TrainOptions
from shelfwise.training.course import Course, Told
from shelfwise.training.device import choose_device
from shelfwise.training.grade_line import GradeLine, grade_line
from shelfwise.training.judged_lesson import JudgedLesson
from shelfwise.training.judged_pairs import JudgedPairs, query_batches
from shelfwise.training.optimizer import optimizer_of
from shelfwise.training.pair_readers import PairReader, ReadApart, Source, reader_of
from shelfwise.training.schedule import place_in_schedule, rate_share, set_rates

_K = 10
_JUDGED_AT_A_TIME = 512


def train_relevance(
    prepared: PreparedJudgements,
    folder: Path,
    model_options: ModelOptions,
    options: TrainOptions,
    progress: Progress,
    course: Course,
) -> dict[str, Any]:
    """Learn grades, keep the state with the best Spearman on validation, and save it."""
    began = time.monotonic()
    refuse_unreached(options.adversary, PASSED_IN_JUDGEMENTS)
    torch.manual_seed(options.seed)
    pairs = JudgedPairs.of(prepared)
    origin = encoder_folder(model_options.encoder.name)
    device = choose_device(options.device)
    encoder = load_text_encoder(origin, model_options.encoder)
    tokenizer = origin / "tokenizer.json"
    source = Source(
        prepared, pairs, model_options, encoder, tokenizer, device, progress, course.remembered
    )
    reader = reader_of(source._replace(typos=options.typos))
    # As in a shop's training, the clock runs for steps and checks, not for what comes before them.
    ends = time.monotonic() + options.minutes * 60
    curve = _Fit(reader, pairs, options, ends, course.told).run(progress)
    line = _level(reader, pairs)
    _save(reader, prepared, folder)
    if course.answers and isinstance(reader, ReadApart):
        save_tensors({"item_text_VH": _index(reader, len(prepared.items))}, folder / TABLES)
    save_encoder(encoder, origin, folder, model_options.encoder.prompts())
    (folder / CURVE).write_text(json.dumps(plain(curve.as_json()), indent=1))
    best = curve.best
    return {
        "shape": "relevance",
        "tasks": ["relevance"],
        "grades": [pairs.lowest, pairs.highest],
        "grade_line": line._asdict(),
        "best_step": best["step"],
        "steps": curve.checks[-1]["step"],
        "seconds": round(time.monotonic() - began, 1),
        "validation": plain(best["figures"]),
        "warnings": unmoved(options.adversary, PASSED_IN_JUDGEMENTS),
    }


@dataclass(slots=True)
class _Curve:
    """Mean losses between checks, and the checks."""

    losses: list[dict[str, float]]
    checks: list[dict[str, Any]]

    @property
    def best(self) -> dict[str, Any]:
        known = [check for check in self.checks if not math.isnan(check["score"])]
        return max(known, key=lambda check: check["score"]) if known else self.checks[-1]

    def as_json(self) -> dict[str, Any]:
        return {"losses": self.losses, "checks": self.checks}


class _Fit:
    """One fit: steps until the plan, patience or the clock ends it."""

    def __init__(
        self,
        reader: PairReader,
        pairs: JudgedPairs,
        options: TrainOptions,
        ends: float,
        told: Told,
    ) -> None:
        self.reader = reader
        self.told = told
        self.pairs = pairs
        self.options = options
        self.began, self.ends = time.monotonic(), ends
        self.rows = pairs.rows_of("train")
        above = [
            parameter
            for name, parameter in reader.model.named_parameters()
            if not name.startswith("encoder.")
        ]
        self.optimizer = optimizer_of(above, reader.bank.encoder, options)
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]
        self.per_epoch = len(self._batches(0))
        self.total = self.per_epoch * options.epochs
        self.opponent = Opponent.of(options.adversary, self.per_epoch)
        self.curve = _Curve([], [])
        self.best_state: dict[str, Tensor] | None = None

    def run(self, progress: Progress) -> _Curve:
        per_check = max(1, self.per_epoch // self.options.checks_per_epoch)
        window: list[float] = []
        step = 0
        with progress.step("Training", total=self.total) as bar:
            for epoch in range(self.options.epochs):
                for batch in self._batches(epoch):
                    step += 1
                    window.append(self._take_step(step, batch))
                    bar.advance()
                    late = time.monotonic() > self.ends
                    if step % per_check == 0 or step == self.total or late:
                        self.curve.losses.append({"step": step, "total": float(np.mean(window))})
                        window = []
                        self._check(step)
                        bar.note(f"validation Spearman {self.curve.checks[-1]['score']:.3f}")
                    if late or self._is_patience_over():
                        self._restore()
                        return self.curve
        self._restore()
        return self.curve

    def _batches(self, epoch: int) -> list[NDArray[np.int64]]:
        # A draw of each epoch's own, whatever came before it.
        rng = np.random.default_rng([self.options.seed, epoch])
        most = self.options.relevance.batch_pairs
        return list(query_batches(self.pairs.query_N, self.rows, most, rng))

    def _take_step(self, step: int, batch: NDArray[np.int64]) -> float:
        set_rates(self.optimizer, self.peaks, self._rate(step))
        self.reader.model.train()
        self.reader.bank.encoder.eval()  # no dropout: lower layers are kept without it too
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        lesson = JudgedLesson(self.reader, self.pairs, self.options, step, batch)
        self.opponent.learn(step, lesson.attempt(parameters))
        penalty = self.reader.bank.encoder.penalty()
        if penalty is not None:
            penalty.backward()  # type: ignore[no-untyped-call]  # torch
        clip_gradient(parameters, self.options.clip)
        self.optimizer.step()
        self.reader.bank.encoder.after_step(step, self.total)
        self.optimizer.zero_grad(set_to_none=True)
        return lesson.losses[0]

    def _rate(self, step: int) -> float:
        """By steps, or by the clock where it will end training first: the rate is to come down."""
        spent = (time.monotonic() - self.began) / max(self.ends - self.began, 1e-9)
        warmup = self.options.warmup_share
        place = place_in_schedule(step, self.total, spent, warmup)
        return rate_share(place, self.total, warmup)

    def _check(self, step: int) -> None:
        figures = judged_figures(self.reader, self.pairs, self.pairs.rows_of("validation"))
        self.curve.checks.append({"step": step, "score": figures["spearman"], "figures": figures})
        if self.curve.best["step"] == step:
            model = self.reader.model
            learning = {n for n, p in model.named_parameters() if p.requires_grad}
            state = {n: t for n, t in model.state_dict().items() if n in learning}
            self.best_state = copy.deepcopy(state)
        self.told(len(self.curve.checks), figures["spearman"])

    def _is_patience_over(self) -> bool:
        steps = [check["step"] for check in self.curve.checks]
        if not steps:
            return False
        return len(steps) - 1 - steps.index(self.curve.best["step"]) > self.options.patience

    def _restore(self) -> None:
        assert self.best_state is not None
        self.reader.model.load_state_dict(self.best_state, strict=False)


@torch.no_grad()
def judged_figures(
    reader: PairReader, pairs: JudgedPairs, rows: NDArray[np.int64]
) -> dict[str, float]:
    """Figures of some rows; Spearman chooses between states, since it is the least noisy."""
    share_N = expit(_logits(reader, rows))
    grade_N = pairs.grade_N[rows]
    told_N = pairs.lowest + share_N * (pairs.highest - pairs.lowest)
    gain_N = grade_N - pairs.grade_N.min()  # the lowest grade there is gains nothing
    ndcg_Q = graded_ndcg_at_k(share_N, gain_N, pairs.query_N[rows], _K).ndcg_Q
    known_Q = ndcg_Q[~np.isnan(ndcg_Q)]
    return {
        "spearman": spearman(share_N, grade_N).value,
        f"ndcg@{_K}": float(known_Q.mean()) if len(known_Q) else math.nan,
        "rmse": root_mean_square(told_N, grade_N).value,
    }


def _logits(reader: PairReader, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    reader.model.eval()
    # Neighbours in the order of queries and items share texts.
    pieces = [
        reader.logits(rows[start : start + _JUDGED_AT_A_TIME]).double().cpu().numpy()
        for start in range(0, len(rows), _JUDGED_AT_A_TIME)
    ]
    return np.concatenate([np.empty(0), *pieces])


@torch.no_grad()
def _level(reader: PairReader, pairs: JudgedPairs) -> GradeLine:
    """Bring grades in line with validation's; the order of pairs stays."""
    rows = pairs.rows_of("validation")
    line = grade_line(_logits(reader, rows), pairs.share_of(rows).astype(np.float64))
    reader.model.head.move(*line)
    return line


def _save(reader: PairReader, prepared: PreparedJudgements, folder: Path) -> None:
    head = {
        name: tensor
        for name, tensor in reader.model.state_dict().items()
        if not name.startswith("encoder.")
    }
    save_tensors(head, folder / MODEL)
    prepared.items.write_parquet(folder / ITEMS)


@torch.no_grad()
def _index(reader: ReadApart, items: int) -> Tensor:
    """``[V, D]`` vectors of all items, for searches to find candidates in."""
    reader.model.eval()
    texts = len(reader.bank.tokens.lengths())
    return reader.bank.encode_many(np.arange(texts - items, texts))
