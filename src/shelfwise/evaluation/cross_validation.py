"""How much a figure changes with the users or the time that it is measured on.

Cross-validation never reads the test: it is for choosing, and for saying how far one number can be
trusted. Folds by user judge users that training has not met, folds by time (forward chaining) say
whether a figure holds from month to month.

Shape suffix in this file: F = folds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy import stats

from shelfwise.data.folds import text_fold, time_fold, user_fold
from shelfwise.data.prepared import PreparedPairs, PreparedShop
from shelfwise.evaluation.pieces import MeasuredPiece, Piece, Setting, measure_pieces, read_pieces
from shelfwise.evaluation.report import OURS, Row
from shelfwise.schema.errors import ArtifactError
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress, Silent

By = Literal["user", "time", "text"]
FOLD_WORDS = {
    "user": "users are parted by hash; each fold learns from the others and is judged on the "
    "requests of its own users in the validation period, which begins where training ends",
    "time": "forward chaining: slices as long as validation, each judged by what was learned "
    "before it",
    "text": "texts are parted by hash, all copies of one together; each fold learns from the "
    "others and is judged on its own",
}


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure of one system over the folds."""

    system: str
    view: str
    task: str
    metric: str
    value_F: list[float]  # nan where a fold cannot say
    mean: float
    low: float  # 95 % interval of the mean by Student's t; folds share training data, so it is
    high: float  # somewhat too narrow (Bengio and Grandvalet, 2004, JMLR 5)


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """Every figure over the folds; `as_json` is the stable form."""

    by: By
    protocol: str
    fingerprint: str
    headline: str  # view of the headline figure
    folds: list[MeasuredPiece]
    spreads: list[Spread]

    def spread(self, metric: str, system: str = OURS) -> Spread | None:
        """A figure in the headline view, or in the only one it has."""
        views = (self.headline, "main")
        found = (s for s in self.spreads if (s.metric, s.system) == (metric, system))
        return next((s for s in found if s.view in views), None)

    def as_json(self) -> dict[str, Any]:
        """Plain values; what cannot be computed is null."""
        return {"benchmark": "cross_validation", **plain(asdict(self))}


def cross_validate(
    prepared: PreparedShop | PreparedPairs,
    out: Path,
    setting: Setting,
    by: By = "user",
    folds: int = 5,
    progress: Progress | None = None,
) -> CrossValidation:
    """Train and judge ``folds`` times; finished folds in ``out`` are taken as they are.

    A table of texts and labels has folds of texts, whatever ``by`` says.

    Raises:
        ConfigError: ``out`` is not ours, or the shop cannot be parted so.
    """
    views: list[Callable[[], PreparedShop | PreparedPairs]]
    if isinstance(prepared, PreparedPairs):
        by, views = "text", [partial(text_fold, prepared, folds, fold) for fold in range(folds)]
    else:
        one = user_fold if by == "user" else time_fold
        views = [partial(one, prepared, folds, fold) for fold in range(folds)]
    views[0]()  # what is wrong is told before the first training
    seed = setting.train.seed
    pieces = [Piece(f"fold-{at:02}", view, seed) for at, view in enumerate(views, start=1)]
    fingerprint = prepared.manifest.data_fingerprint
    plan = {"kind": "cross_validation", "by": by, "folds": folds, "data_fingerprint": fingerprint}
    return _found(plan, measure_pieces(out, plan, pieces, setting, progress or Silent()))


def open_cross_validation(out: Path) -> CrossValidation:
    """What `cross_validate` wrote to ``out``.

    Raises:
        ArtifactError: it wrote nothing there, or not every fold is done.
    """
    plan, measured = read_pieces(out, "cross_validation")
    if len(measured) < plan["folds"]:
        raise ArtifactError(
            f"{out}: {len(measured)} of {plan['folds']} folds are done; go on with: "
            "shelfwise cross-validate ... --out"
        )
    return _found(plan, measured)


def _found(plan: Mapping[str, Any], measured: list[MeasuredPiece]) -> CrossValidation:
    by, folds = plan["by"], plan["folds"]
    return CrossValidation(
        by=by,
        protocol=f"{folds} folds by {by}: {FOLD_WORDS[by]}. The test part is not read.",
        fingerprint=plan["data_fingerprint"],
        headline=measured[0].headline,
        folds=measured,
        spreads=spreads_of(measured),
    )


def spreads_of(folds: Sequence[MeasuredPiece]) -> list[Spread]:
    """Each figure that any fold has, in the order of its first appearance."""
    by_fold = [{_key(row): row.value for row in fold.rows} for fold in folds]
    keys = dict.fromkeys(key for rows in by_fold for key in rows)
    return [_spread(key, [rows.get(key, float("nan")) for rows in by_fold]) for key in keys]


def _key(row: Row) -> tuple[str, str, str, str]:
    return row.system, row.view, row.task, row.metric


def _spread(key: tuple[str, str, str, str], values: list[float]) -> Spread:
    known = np.array([value for value in values if not np.isnan(value)])
    if len(known) == 0:
        return Spread(*key, values, float("nan"), float("nan"), float("nan"))
    mean = float(known.mean())
    if len(known) == 1:
        return Spread(*key, values, mean, float("nan"), float("nan"))
    reach = float(stats.t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)))
    return Spread(*key, values, mean, mean - reach, mean + reach)
