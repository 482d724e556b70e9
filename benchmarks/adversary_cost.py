"""What learning against an adversary costs: seconds over those of a plain step."""

from __future__ import annotations

import statistics
import time

from benchmarks.speed_examples import SpeedExamples
from benchmarks.speed_learners import Ours
from shelfwise.models.config import Full
from shelfwise.schema.progress import Progress
from shelfwise.training.adversaries.options import (
    AdversaryOptions,
    Awp,
    Fgm,
    FreeLb,
    NoAdversary,
    Pgd,
    RDrop,
)

ATTACKED = 192  # rows of a round that adversaries are timed on
_PLAIN = "plain"
_ADVERSARIES: dict[str, AdversaryOptions] = {
    "fgm": Fgm(),
    "pgd3": Pgd(steps=3),
    "freelb3": FreeLb(steps=3),
    "awp": Awp(),
    "r_drop": RDrop(),
}


def adversary_costs(
    examples: SpeedExamples, encoder: str, seed: int, progress: Progress
) -> dict[str, float]:
    """``NAME_cost`` of each adversary on words, all layers learning, all on the same rows in turn.

    The median over the rounds of `examples`.
    """
    kinds: dict[str, AdversaryOptions] = {_PLAIN: NoAdversary(), **_ADVERSARIES}
    learners = {name: Ours(examples, encoder, Full(), seed, kind) for name, kind in kinds.items()}
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    with progress.step("Adversaries", total=len(examples.rounds) * len(kinds)) as bar:
        for rows in examples.rounds:
            for name, learner in learners.items():
                bar.note(name)
                began = time.perf_counter()
                for _ in learner.learn(rows[:ATTACKED], lambda: 0.5):
                    pass
                seconds[name].append(time.perf_counter() - began)
                bar.advance()
    return {
        f"{name}_cost": statistics.median(
            a / b for a, b in zip(seconds[name], seconds[_PLAIN], strict=True)
        )
        for name in _ADVERSARIES
    }
