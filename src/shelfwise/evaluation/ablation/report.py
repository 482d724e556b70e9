"""What an ablation found: figures of every variant, and how far they are from the full model's."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import isnan
from typing import Any

from shelfwise.evaluation.ablation.variants import FULL, Skipped
from shelfwise.evaluation.compare_report import Comparison, SeedSpread
from shelfwise.evaluation.report import DataSummary, Row
from shelfwise.evaluation.report_words import MAIN_VIEW
from shelfwise.schema.plain import plain


@dataclass(frozen=True, slots=True)
class VariantFacts:
    """One variant as it was trained."""

    name: str
    part: str
    settings: list[str]
    tasks: list[str]
    seeds: list[int]
    best_steps: list[int]  # by seed
    seconds: float  # of training, mean over the seeds


@dataclass(frozen=True, slots=True)
class AblationReport:
    """Everything an ablation says; `as_json` is the stable form."""

    protocol: str
    data: DataSummary
    headline: str  # view of the headline figure
    variants: list[VariantFacts]  # the full model first
    skipped: list[Skipped]
    rows: list[Row]
    spreads: list[SeedSpread]
    comparisons: list[Comparison]  # variant less full model
    notes: list[str] = field(default_factory=list)
    reproduce: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def places(self) -> list[tuple[str, str, str]]:
        """Task, view and metric of every figure, the headline's first."""
        return list(dict.fromkeys((one.task, one.view, one.metric) for one in self.comparisons))

    def at(self, place: tuple[str, str, str]) -> list[Comparison]:
        """All variants at one figure, in their order."""
        return [one for one in self.comparisons if (one.task, one.view, one.metric) == place]

    @property
    def tested(self) -> int:
        """Comparisons that Holm's correction counts."""
        return sum(not isnan(one.p) for one in self.comparisons)

    @property
    def verdicts(self) -> list[str]:
        """A sentence on each variant, from the figures that differ surely."""
        return [self._verdict(one) for one in self.variants if one.name != FULL]

    def _verdict(self, variant: VariantFacts) -> str:
        found = [one for one in self.comparisons if one.a == variant.name]
        told = [
            f"{word} at {', '.join(_shown(one) for one in found if one.outcome == word)}"
            for word in ("worse", "better")
            if any(one.outcome == word for one in found)
        ]
        if not told:
            return f"{variant.name}: no difference to the {FULL} can be told."
        return f"{variant.name}: {' and '.join(told)} than the {FULL}."

    def as_json(self) -> dict[str, Any]:
        """Plain values; what cannot be computed is null, since JSON has no nan."""
        comparisons = [
            {**asdict(one), "outcome": one.outcome, "verdict": one.sentence}
            for one in self.comparisons
        ]
        told = asdict(self) | {"comparisons": comparisons, "tested": self.tested}
        found: dict[str, Any] = plain({"benchmark": "ablation", "verdicts": self.verdicts, **told})
        return found


def _shown(one: Comparison) -> str:
    name = one.metric if one.view == MAIN_VIEW else f"{one.metric} of {one.view}"
    return f"{name} ({one.value:+.4f} [{one.low:+.4f}, {one.high:+.4f}])"
