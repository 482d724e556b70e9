"""Domain adaptation of a text encoder, before it learns any task (Gururangan et al., 2020,
arXiv:2004.10964, with pairs of a shop's texts beside its hidden words).

Pairs and words come from the training part alone; validation chooses which state is kept, or that
the encoder stays as it was.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.tokens import TokenTable, open_tokenizer
from shelfwise.metrics.value import MetricValue
from shelfwise.models.config import EncoderOptions
from shelfwise.models.text_encoder import TextEncoder, load_text_encoder
from shelfwise.models.weights import ENCODER, save_encoder
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress, Silent
from shelfwise.training.adaptation.hard_negatives import HardNegatives
from shelfwise.training.adaptation.judge import PLACES, Questions, recall
from shelfwise.training.adaptation.lesson import AdaptationTerms, Material, Teacher
from shelfwise.training.adaptation.masked_words import words_of
from shelfwise.training.adaptation.options import Adaptation
from shelfwise.training.adaptation.pairs import (
    Rights,
    has_text,
    judged_pairs,
    learnable_texts,
    takes_of,
    training_pairs,
)
from shelfwise.training.adaptation.variation import Variations
from shelfwise.training.clipping import clip_gradient
from shelfwise.training.config import TrainOptions
from shelfwise.training.device import choose_device
from shelfwise.training.optimizer import optimizer_of
from shelfwise.training.schedule import place_in_schedule, rate_share, set_rates
from shelfwise.training.step import TrainingError
from shelfwise.training.text_bank import TextBank


class Start(NamedTuple):
    """The encoder before adaptation, and the shop's texts as it reads them."""

    source: Path
    tokens: TokenTable  # of items, then queries, prefixes included
    encoder: EncoderOptions


class Adapted(NamedTuple):
    """The encoder that the tasks begin with, and what there is to tell of the stage."""

    source: Path
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """What validation says of a state of the encoder, and how training went since the last look."""

    step: int
    figures: Mapping[str, MetricValue]
    losses: Mapping[str, float]

    @property
    def score(self) -> float:
        """Mean of the figures that exist; nan if none does."""
        known = [f.value for f in self.figures.values() if not math.isnan(f.value)]
        return float(np.mean(known)) if known else float("nan")

    def values(self) -> dict[str, float]:
        return {name: figure.value for name, figure in self.figures.items()}


def adapt(
    prepared: PreparedShop,
    start: Start,
    options: Adaptation,
    train: TrainOptions,
    folder: Path,
    progress: Progress,
) -> Adapted:
    """Let an encoder learn a shop's language, and write it to ``folder`` if validation says so.

    Args:
        prepared: the shop.
        start: the encoder and the tokens of the shop's texts.
        options: what is learned, and for how long.
        train: rates, seed and device.
        folder: where the encoder is written, in a folder of its own.
        progress: told of every step.

    Raises:
        ConfigError: the shop has no texts, or not what ``options`` would learn from.
        TrainingError: a loss was not a number.
    """
    began = time.monotonic()
    torch.manual_seed(train.seed)
    material = material_of(prepared, start, options, train.seed)
    encoder = load_text_encoder(start.source, _encoder_options(start.encoder, options))
    bank = TextBank(encoder, start.tokens, choose_device(train.device), progress)
    words = words_of(material.variations.tokenizer) if options.masked_weight else None
    teacher = Teacher(bank, material, options, words)
    asked = {
        f"{kind} recall@{PLACES}": Questions.of(pairs)
        for kind, pairs in judged_pairs(prepared, options.together_hours, train.seed).items()
    }

    def look(step: int, losses: Mapping[str, float]) -> Look:
        bank.refresh(Silent())
        items = len(prepared.items)
        figures = {name: recall(q, bank.vectors_TH, items) for name, q in asked.items()}
        return Look(step, figures, losses)

    looks = _learn(teacher, train, look, progress)
    before, best = looks[0], _best(looks[1:])
    # Where validation cannot say anything, what was asked for is done.
    kept = math.isnan(best.score) or best.score > before.score
    if kept:
        save_encoder(encoder, start.source, folder)
    return Adapted(
        folder / ENCODER if kept else start.source,
        {
            "kept": kept,
            "before": plain(before.values()),
            "after": plain(best.values()),
            "support": {name: figure.support for name, figure in best.figures.items()},
            "best_step": best.step,
            "steps": looks[-1].step,
            "pairs": {kind: len(pairs.left_P) for kind, pairs in material.pairs.items()},
            "losses": plain([{"step": each.step, **each.losses} for each in looks[1:]]),
            "seconds": round(time.monotonic() - began, 1),
        },
    )


def material_of(prepared: PreparedShop, start: Start, options: Adaptation, seed: int) -> Material:
    """What ``prepared`` gives an encoder to learn from.

    Raises:
        ConfigError: nothing, or nothing of what ``options`` asks for.
    """
    if not has_text(prepared).any():
        raise ConfigError(
            "adaptation.kind: on, but the shop says nothing of its items but their ids, so there "
            "is no text to learn from; set adaptation.kind=off, or name a title column"
        )
    learnable_T = learnable_texts(prepared, ("train",))
    pairs = training_pairs(prepared, options.pairs, options.together_hours, seed)
    if not learnable_T.any() or not (
        options.masked_weight or any(len(some.left_P) for some in pairs.values())
    ):
        raise ConfigError(
            f"adaptation.pairs: {', '.join(options.pairs)} asked for, and the training part has "
            "none of these; name another kind, raise adaptation.masked_weight, or set "
            "adaptation.kind=off"
        )
    rights = Rights(pairs, takes_of(prepared, ("train",)), start.tokens.firsts())
    tokenizer = open_tokenizer(start.source / "tokenizer.json", prepared.options.text.max_tokens)
    return Material(
        pairs=pairs,
        texts=np.flatnonzero(learnable_T),
        rights=rights,
        # Of an item that training has not met nobody can say that it was passed over.
        hard=HardNegatives(
            rights,
            np.flatnonzero(learnable_T[: len(prepared.items)]),
            options.nearest_passed,
        ),
        variations=Variations(prepared, tokenizer, start.encoder.item_prefix),
        matryoshka=start.encoder.matryoshka,
    )


def _encoder_options(encoder: EncoderOptions, options: Adaptation) -> EncoderOptions:
    # Shortened vectors are made when the tasks load the encoder; here the whole ones learn.
    return encoder.model_copy(update={"tuning": options.tuning, "dimensions": None})


def _learn(
    teacher: Teacher,
    train: TrainOptions,
    look: Callable[[int, Mapping[str, float]], Look],
    progress: Progress,
) -> list[Look]:
    """Train until the steps or the minutes are over; leave the best state in the encoder."""
    options, encoder = teacher.options, teacher.bank.encoder
    above = [] if teacher.head is None else teacher.head.parameters()
    optimizer = optimizer_of(above, encoder, train)
    peaks = [group["lr"] for group in optimizer.param_groups]
    looks, best_state = [look(0, {})], None
    window: list[AdaptationTerms] = []
    began = time.monotonic()
    encoder.eval()  # no dropout: a vector must agree with the table's others
    with progress.step("Adapting the encoder", total=options.steps) as bar:
        for step in range(1, options.steps + 1):
            spent = (time.monotonic() - began) / (options.minutes * 60)
            place = place_in_schedule(step, options.steps, spent, train.warmup_share)
            set_rates(optimizer, peaks, rate_share(place, options.steps, train.warmup_share))
            # While rates climb, the new head alone learns from hidden words: what a random one
            # asks of the encoder is noise.
            head_alone = step <= options.steps * train.warmup_share
            window.append(_take_step(teacher, optimizer, train, step, head_alone))
            bar.advance()
            late = time.monotonic() - began > options.minutes * 60
            last = late or step == options.steps
            if last or step % options.check_steps == 0:
                looks.append(look(step, _means(window)))
                bar.note(f"recall@{PLACES} {looks[-1].score:.3f}")
                window = []
                if _best(looks[1:]) is looks[-1]:
                    best_state = _copied(encoder)
            if last:
                break
    assert best_state is not None
    encoder.load_state_dict(best_state, strict=False)
    return looks


def _take_step(
    teacher: Teacher,
    optimizer: torch.optim.Optimizer,
    train: TrainOptions,
    step: int,
    head_alone: bool,
) -> AdaptationTerms:
    # The third number keeps the draws apart from those of the tasks' steps.
    rng = np.random.default_rng([train.seed, step, 2])
    terms = teacher.losses(rng, head_alone=head_alone)
    if not torch.isfinite(terms.total):
        raise TrainingError(
            f"adaptation: the loss of step {step} is {terms.total.item()} "
            f"({', '.join(f'{k} {v.item():.3g}' for k, v in terms._asdict().items())}); "
            "lower train.encoder_learning_rate or train.clip"
        )
    if not terms.total.requires_grad:  # no pairs, and by chance no word was hidden
        return terms
    terms.total.backward()  # type: ignore[no-untyped-call]  # torch
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    clip_gradient(parameters, train.clip)
    optimizer.step()
    teacher.bank.encoder.after_step(step, teacher.options.steps)
    optimizer.zero_grad(set_to_none=True)
    return AdaptationTerms(*(term.detach() for term in terms))


def _best(looks: list[Look]) -> Look:
    """The look of the best score; where validation says nothing, the last one."""
    known = [one for one in looks if not math.isnan(one.score)]
    return max(known, key=lambda one: one.score) if known else looks[-1]


def _copied(encoder: TextEncoder) -> dict[str, Tensor]:
    return {n: p.detach().clone() for n, p in encoder.named_parameters() if p.requires_grad}


def _means(window: list[AdaptationTerms]) -> dict[str, float]:
    return {
        name: float(torch.stack([getattr(terms, name) for terms in window]).mean())
        for name in AdaptationTerms._fields
    }
