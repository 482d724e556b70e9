"""What training saw of itself on its way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from shelfwise.training.objective import Terms
from shelfwise.training.validation import Check


@dataclass(slots=True)
class LearningCurve:
    """Mean losses between checks, and the checks."""

    losses: list[dict[str, float]] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    @property
    def best(self) -> Check:
        known = [check for check in self.checks if not math.isnan(check.score)]
        # Where validation cannot say anything, the longest training is as good as any.
        return max(known, key=lambda check: check.score) if known else self.checks[-1]


def mean_terms(window: Sequence[Terms], step: int) -> dict[str, float]:
    """Mean losses of the steps since the last entry, as an entry of the curve at ``step``."""
    means = {
        name: float(torch.stack([getattr(terms, name) for terms in window]).mean())
        for name in Terms._fields
    }
    return {"step": step, **means}
