"""What the speed contest compares: the usual script, and ours with more or less of the encoder.

Shape suffixes: N = rows, B = rows of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.speed_examples import SpeedExamples
from shelfwise.models.config import EncoderOptions, ModelOptions, TuningOptions
from shelfwise.models.pretrained import encoder_folder
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.schema.progress import Silent
from shelfwise.training.adversaries.choice import Opponent
from shelfwise.training.adversaries.options import AdversaryOptions, NoAdversary
from shelfwise.training.clipping import clip_gradient
from shelfwise.training.config import TrainOptions
from shelfwise.training.judged_lesson import JudgedLesson
from shelfwise.training.judged_pairs import query_batches
from shelfwise.training.optimizer import optimizer_of
from shelfwise.training.pair_readers import ReadApart, Source
from shelfwise.training.remembered import Remembered
from shelfwise.training.schedule import rate_share, set_rates

_CPU = torch.device("cpu")
_NOBODY = NoAdversary()
_SHARES = 10_000  # how finely the way through training is told to the schedule

Share = Callable[[], float]  # of the training that is over


class Learner(Protocol):
    """Learns from rows as they come, and says how likely each row is a yes."""

    def learn(self, rows: NDArray[np.int64], share: Share) -> Iterator[int]:
        """Rows learned from, step by step; stops where it is not asked on."""

    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """``[N]`` higher for what is more likely a yes."""


class UsualScript:
    """One pair a row, padded to 128 tokens, read together by a classifier; fp32, plain AdamW.

    As the examples of transformers have it: batches of 32, rate 5e-5 that falls in a straight line.
    """

    batch, tokens, rate = 32, 128, 5e-5

    def __init__(self, examples: SpeedExamples, encoder: str, seed: int) -> None:
        from transformers import AutoTokenizer, BertForSequenceClassification
        from transformers.utils import logging

        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        torch.manual_seed(seed)
        folder = encoder_folder(encoder)
        self.examples = examples
        self.random = np.random.default_rng(seed)
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.most = min(self.tokens, self.tokenizer.model_max_length)
        self.model: Any = BertForSequenceClassification.from_pretrained(
            folder, num_labels=2, dtype=torch.float32
        )
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=self.rate)

    def learn(self, rows: NDArray[np.int64], share: Share) -> Iterator[int]:
        """As `Learner`."""
        self.model.train()
        order = self.random.permutation(rows)
        for start in range(0, len(order), self.batch):
            some = order[start : start + self.batch]
            set_rates(self.optimizer, [self.rate], 1 - min(share(), 1.0))
            label_B = torch.from_numpy(self.examples.pairs.grade_N[some].astype(np.int64))
            loss = self.model(**self._words(some, "max_length"), labels=label_B).loss
            loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            yield len(some)

    @torch.no_grad()
    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """As `Learner`; texts of like length together, which changes nothing but the seconds."""
        self.model.eval()
        queries, titles = self.examples.texts(rows)
        length_N = np.array([len(q) + len(t) for q, t in zip(queries, titles, strict=True)])
        order = np.argsort(length_N, kind="stable")
        found = np.empty(len(rows))
        for start in range(0, len(order), 128):
            some = order[start : start + 128]
            logit_B2 = self.model(**self._words(rows[some], "longest")).logits
            found[some] = (logit_B2[:, 1] - logit_B2[:, 0]).double().numpy()
        return found

    def _words(self, rows: NDArray[np.int64], padding: str) -> Any:
        queries, titles = self.examples.texts(rows)
        return self.tokenizer(
            queries,
            titles,
            padding=padding,
            truncation=True,
            max_length=self.most,
            return_tensors="pt",
        )


class Ours:
    """Query and title read apart, each distinct text once; texts of like length, bf16, fused AdamW.

    The trainer of judged pairs with its own defaults, in its own batches of whole queries.
    """

    def __init__(
        self,
        examples: SpeedExamples,
        encoder: str,
        tuning: TuningOptions,
        seed: int,
        adversary: AdversaryOptions = _NOBODY,
    ) -> None:
        torch.manual_seed(seed)
        self.examples = examples
        self.random = np.random.default_rng(seed)
        self.options = TrainOptions(seed=seed, adversary=adversary)
        self.opponent, self.steps = Opponent.of(adversary, steps_per_epoch=1), 0
        plain = ModelOptions().relevance.model_copy(update={"words": False})
        model = ModelOptions(encoder=EncoderOptions(name=encoder, tuning=tuning), relevance=plain)
        folder = encoder_folder(encoder)
        self.reader = ReadApart(
            Source(
                prepared=examples.prepared,  # type: ignore[arg-type]  # has what is looked at
                pairs=examples.pairs,
                options=model,
                encoder=load_text_encoder(folder, model.encoder),
                tokenizer_file=folder / "tokenizer.json",
                device=_CPU,
                progress=Silent(),
                remembered=Remembered(),
            )
        )
        above = [
            parameter
            for name, parameter in self.reader.model.named_parameters()
            if not name.startswith("encoder.")
        ]
        self.optimizer = optimizer_of(above, self.reader.bank.encoder, self.options)
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]

    def learn(self, rows: NDArray[np.int64], share: Share) -> Iterator[int]:
        """As `Learner`."""
        self.reader.model.train()
        self.reader.bank.encoder.eval()
        pairs, options = self.examples.pairs, self.options
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        most = options.relevance.batch_pairs
        for some in query_batches(pairs.query_N, rows, most, self.random):
            at = max(1, round(_SHARES * min(share(), 1.0)))
            set_rates(self.optimizer, self.peaks, rate_share(at, _SHARES, options.warmup_share))
            self.steps += 1
            lesson = JudgedLesson(self.reader, pairs, options, self.steps, some)
            self.opponent.learn(self.steps, lesson.attempt(parameters))
            clip_gradient(parameters, options.clip)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            yield len(some)

    @torch.no_grad()
    def scores(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """As `Learner`."""
        self.reader.model.eval()
        pieces = [
            self.reader.logits(rows[start : start + 512]).double().numpy()
            for start in range(0, len(rows), 512)
        ]
        return np.concatenate(pieces)
