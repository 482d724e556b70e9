"""What an evaluation found: every number with its protocol, support and interval."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import isnan
from typing import TYPE_CHECKING, Any

from shelfwise.schema.plain import plain

if TYPE_CHECKING:
    from shelfwise.evaluation.cross_validation import CrossValidation
    from shelfwise.evaluation.learning_curve import LearningCurves
    from shelfwise.evaluation.slices.slices import Slices

OURS = "shelfwise"  # what a report calls the run that was measured


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one system."""

    system: str  # "shelfwise", or a baseline by name
    view: str  # which rows or targets: main, all, new, cold, ...
    task: str  # match, click, conversion, classification
    metric: str  # lower case: ndcg@10, auc, ece, ...
    value: float  # nan where it cannot be computed; support is then 0
    low: float  # 95 % bootstrap interval
    high: float
    support: int  # users, requests or rows the value rests on
    seeds: int = 1


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better system ``a`` is than ``b`` on the same users or requests."""

    a: str
    b: str
    view: str
    metric: str
    value: float
    low: float  # 95 % interval of the paired difference
    high: float
    seeds: int = 1

    @property
    def verdict(self) -> str:
        """In words whether the interval excludes 0."""
        if isnan(self.low):
            return "cannot be told"
        if self.low > 0:
            return f"{self.a} is better"
        return f"{self.b} is better" if self.high < 0 else "no difference can be told"


@dataclass(frozen=True, slots=True)
class Reliability:
    """Predicted against observed rates in bins of equal mass."""

    task: str
    predicted: list[float]
    observed: list[float]
    count: list[int]


@dataclass(frozen=True, slots=True)
class Shown:
    """One place of an example ranking."""

    item_id: str
    title: str
    score: float
    right: bool  # the shopper did take it


@dataclass(frozen=True, slots=True)
class Example:
    """A ranking of the catalogue for one shopper of the test part."""

    history: list[str]  # titles and queries, newest first
    query: str
    top: list[Shown]
    right_total: int  # items the shopper took in the test part


@dataclass(frozen=True, slots=True)
class DataSummary:
    """What the figures were measured on."""

    name: str
    synthetic: bool
    fingerprint: str
    counts: dict[str, Any]  # items, owners, events by kind, requests by part, ...
    rows: list[dict[str, Any]]  # per file: rows_in, kept, rejected, duplicates
    periods: dict[str, str]  # train, validation, test -> "from .. to .."


@dataclass(frozen=True, slots=True)
class Report:
    """Everything an evaluation says; `as_json` is the stable form."""

    protocol: str  # in one sentence
    data: DataSummary
    tasks: list[str]
    rows: list[Row]
    differences: list[Difference]
    headline: str = "main"  # the view that the headline figure is read from
    figures: dict[str, float] = field(default_factory=dict)
    reliability: list[Reliability] = field(default_factory=list)
    curve: dict[str, Any] = field(default_factory=dict)  # {"losses": [...], "checks": [...]}
    examples: list[Example] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what the reader must know to read them right
    slices: list[Slices] = field(default_factory=list)
    folds: CrossValidation | None = None
    data_curve: LearningCurves | None = None
    reproduce: dict[str, str] = field(default_factory=dict)  # command, run, seeds, digests
    seconds: float = 0.0
    peak_mib: float = 0.0
    cores: int = 0
    versions: dict[str, str] = field(default_factory=dict)

    def row(self, metric: str, system: str = OURS, view: str | None = None) -> Row | None:
        """The row of a metric in a view (the headline's unless named), or None."""
        wanted = {view} if view else {self.headline, "main"}
        for row in self.rows:
            if (row.metric, row.system) == (metric, system) and row.view in wanted:
                return row
        return None

    def classification_text(self) -> str:
        """The classification report as a table of text; empty where no classifier was measured."""
        kept = [row for row in self.rows if row.task == "classification"]
        names = list(dict.fromkeys(row.view for row in kept if row.view != "main"))
        if not names:
            return ""
        width = max(map(len, names)) + 2
        lines = [f"{'':{width}}{'precision':>10}{'recall':>10}{'f1':>10}{'support':>10}"]
        for name in names:
            found = {row.metric: row for row in kept if row.view == name}
            shown = "".join(f"{found[m].value:>10.3f}" for m in ("precision", "recall", "f1"))
            lines.append(f"{name:{width}}{shown}{found['f1'].support:>10,}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Plain values; what cannot be computed is null, since JSON has no nan."""
        return {"benchmark": "evaluate", **plain(asdict(self))}
