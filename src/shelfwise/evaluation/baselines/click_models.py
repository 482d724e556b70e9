"""Click and conversion by hand-made features: logistic regression and boosted trees.

Learned from training; strength, size and number of rounds are those with the least log loss on
validation, and the chosen model is learned anew from both. Rows are evenly thinned above
`MOST_ROWS`, rows of suspected fraud are not learned from, and the rest count alike.

Shape suffixes in this file: N = impressions, F = features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from shelfwise.data.batches import Examples
from shelfwise.data.part_rows import LEARNED, TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.evaluation.baselines.hand_features import HandFeatures, Lookup
from shelfwise.evaluation.impressions import Forecast
from shelfwise.metrics.log_loss import log_loss
from shelfwise.schema.progress import Progress, Silent

MOST_ROWS = 200_000
TASKS = ("click", "conversion")
_VALIDATION: tuple[Part, ...] = ("validation",)
_TEST: tuple[Part, ...] = ("test",)
_SHORT = 1e-6
_ROUNDS = 300
_PATIENCE = 15  # rounds without a lower loss before boosting stops


class Labelled(NamedTuple):
    """Rows to learn from, or to choose by."""

    value_NF: NDArray[np.float32]
    label_N: NDArray[np.bool_]

    @property
    def says_something(self) -> bool:
        """Whether both outcomes happened."""
        return bool(self.label_N.any() and not self.label_N.all())


class Learner(Protocol):
    """A model with its settings, not learned yet."""

    def learn(self, rows: Labelled) -> Predict: ...

    def judged(self, rows: Labelled, judged: Labelled) -> tuple[Learner, float]:
        """Its log loss on ``judged`` and, where it stops early, itself with that many rounds."""

    def setting(self) -> Mapping[str, float]: ...


class Predict(Protocol):
    """``[N, F]`` features to ``[N]`` probabilities."""

    def __call__(self, value_NF: NDArray[np.float32]) -> NDArray[np.float64]: ...


@dataclass(frozen=True, slots=True)
class Logistic:
    """Ridge logistic regression on standardised features; what is missing is the mean, and told."""

    strength: float  # of the penalty

    def learn(self, rows: Labelled) -> Predict:
        scale = _Scale.of(rows.value_NF)
        model = LogisticRegression(C=1 / self.strength, solver="newton-cholesky")
        model.fit(scale(rows.value_NF), rows.label_N)
        return lambda value_NF: _positive(model, scale(value_NF))

    def judged(self, rows: Labelled, judged: Labelled) -> tuple[Logistic, float]:
        p_N = self.learn(rows)(judged.value_NF).clip(_SHORT, 1 - _SHORT)
        return self, log_loss(p_N, judged.label_N).value

    def setting(self) -> Mapping[str, float]:
        return {"penalty": self.strength}


class _Scale(NamedTuple):
    """Mean and spread of each feature in training."""

    mean_F: NDArray[np.float64]
    spread_F: NDArray[np.float64]
    missing_F: NDArray[np.bool_]  # somewhere

    @classmethod
    def of(cls, value_NF: NDArray[np.float32]) -> _Scale:
        known_NF: NDArray[np.bool_] = ~np.isnan(value_NF)
        count_F = np.maximum(known_NF.sum(axis=0), 1)
        filled_NF = np.where(known_NF, value_NF, 0).astype(np.float64)
        mean_F = filled_NF.sum(axis=0) / count_F
        square_F = np.where(known_NF, (filled_NF - mean_F) ** 2, 0).sum(axis=0) / count_F
        spread_F = np.sqrt(square_F)
        return cls(mean_F, np.where(spread_F > 0, spread_F, 1), np.asarray(~known_NF.all(axis=0)))

    def __call__(self, value_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        missing_NF = np.isnan(value_NF)
        scaled_NF = np.where(missing_NF, 0, (value_NF - self.mean_F) / self.spread_F)
        found: NDArray[np.float64] = np.hstack([scaled_NF, missing_NF[:, self.missing_F]])
        return found


@dataclass(frozen=True, slots=True)
class Boosting:
    """Histogram gradient boosting (scikit-learn's HistGradientBoosting, after LightGBM)."""

    leaves: int
    rate: float
    rounds: int = _ROUNDS

    def learn(self, rows: Labelled) -> Predict:
        told_F = _told(rows.value_NF)
        model = self._model(early_stopping=False).fit(rows.value_NF[:, told_F], rows.label_N)
        return lambda value_NF: _positive(model, value_NF[:, told_F])

    def judged(self, rows: Labelled, judged: Labelled) -> tuple[Boosting, float]:
        model = self._model(
            early_stopping=True, scoring="loss", n_iter_no_change=_PATIENCE, tol=0.0
        )
        told_F = _told(rows.value_NF)
        model.fit(
            rows.value_NF[:, told_F],
            rows.label_N,
            X_val=judged.value_NF[:, told_F],
            y_val=judged.label_N,
        )
        best = max(int(np.argmax(model.validation_score_)), 1)  # 0: before the first round
        return Boosting(self.leaves, self.rate, best), float(-model.validation_score_[best])

    def _model(self, **stopping: Any) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(
            max_iter=self.rounds,
            max_leaf_nodes=self.leaves,
            learning_rate=self.rate,
            min_samples_leaf=50,
            random_state=0,
            **stopping,
        )

    def setting(self) -> Mapping[str, float]:
        return {"leaves": self.leaves, "rate": self.rate, "rounds": self.rounds}


def _told(value_NF: NDArray[np.float32]) -> NDArray[np.intp]:
    """Features with any value: scikit-learn cannot put one of nan alone into bins."""
    return np.flatnonzero(~np.isnan(value_NF).all(axis=0))


LOGISTIC = (Logistic(1.0), Logistic(100.0), Logistic(1_000.0))
BOOSTING = (Boosting(8, 0.1), Boosting(31, 0.1))


def _positive(model: Any, value_NF: NDArray[Any]) -> NDArray[np.float64]:
    if len(value_NF) == 0:
        return np.zeros(0)
    found: NDArray[np.float64] = model.predict_proba(value_NF)[:, 1]
    return found


@dataclass(frozen=True, slots=True)
class ClickModels:
    """Both models' forecasts of the test's impressions, and how they came to be."""

    forecasts: list[Forecast] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)  # chosen settings
    notes: list[str] = field(default_factory=list)  # what was not learned, or not from all rows


def click_models(prepared: PreparedShop, progress: Progress | None = None) -> ClickModels:
    """Forecasts in the order of the test's `Examples`; nan where a task cannot be learned."""
    progress = progress or Silent()
    families: dict[str, Sequence[Learner]] = {
        "logistic regression": LOGISTIC,
        "gradient boosting": BOOSTING,
    }
    with progress.step("Hand-made features", total=3) as step:
        lookup = Lookup.of(prepared)
        tables: list[Mapping[str, Labelled]] = []
        for parts in (TRAINED, _VALIDATION, LEARNED):
            table = HandFeatures.of(prepared, parts, lookup)
            tables.append(_labelled(table))
            step.advance()
    found = ClickModels(notes=_notes(table.examples, tables))
    predictors: dict[tuple[str, str], Predict] = {}
    with progress.step("Learning click baselines", total=len(families) * len(TASKS)) as step:
        for name, learners in families.items():
            for task in TASKS:
                trained, judged, learned = (table[task] for table in tables)
                if trained.says_something and learned.says_something:
                    learner = chosen(learners, trained, judged)
                    predictors[name, task] = learner.learn(learned)
                    for key, value in learner.setting().items():
                        found.figures[f"baseline {name}, {task}: {key}"] = float(value)
                step.advance()
    answers = _answers(HandFeatures.of(prepared, _TEST, lookup), predictors, list(families))
    for name in families:
        found.forecasts.append(Forecast(name, answers[name, "click"], answers[name, "conversion"]))
    return found


def _notes(learned: Examples, tables: Sequence[Mapping[str, Labelled]]) -> list[str]:
    """What a reader of the forecasts must know; the last table was made of ``learned``."""
    notes = []
    for task, kept_N in _fit_to_learn(learned).items():
        rows = int(kept_N.sum())
        if not (tables[0][task].says_something and tables[-1][task].says_something):
            notes.append(
                f"Hand-made features say nothing of {task}: its rows before the test hold one "
                "outcome alone, or none."
            )
        elif rows > MOST_ROWS:
            notes.append(
                f"Hand-made features learned {task} from {MOST_ROWS:,} of {rows:,} rows, evenly "
                "thinned."
            )
    return notes


def _fit_to_learn(examples: Examples) -> dict[str, NDArray[np.bool_]]:
    """Rows of each task: every impression, or clicks whose purchase is known; no suspects."""
    honest_N = examples.weight_N > 0
    return {"click": honest_N, "conversion": honest_N & examples.clicked_N & examples.known_N}


def _labelled(table: HandFeatures) -> dict[str, Labelled]:
    """Features and labels of each task's rows, thinned where there are very many."""
    examples = table.examples
    rows = {task: _thinned(kept_N) for task, kept_N in _fit_to_learn(examples).items()}
    label = {"click": examples.clicked_N, "conversion": examples.purchased_N}
    parts: dict[str, list[NDArray[np.float32]]] = {task: [] for task in TASKS}
    width = 0
    for block in table.blocks():
        width = block.value_NF.shape[1]
        for task, rows_K in rows.items():
            inside = slice(*np.searchsorted(rows_K, [block.first, block.stop]))
            parts[task].append(block.value_NF[rows_K[inside] - block.first])
    none = np.empty((0, width), np.float32)
    return {
        task: Labelled(np.concatenate([none, *parts[task]]), label[task][rows[task]])
        for task in TASKS
    }


def _thinned(kept_N: NDArray[np.bool_]) -> NDArray[np.int64]:
    rows = np.flatnonzero(kept_N)
    if len(rows) > MOST_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(np.int64)]
    return rows


def _answers(
    table: HandFeatures, predictors: Mapping[tuple[str, str], Predict], names: Sequence[str]
) -> dict[tuple[str, str], NDArray[np.float64]]:
    """What each model says of each row, by name and task."""
    rows = len(table.examples.shown_item_N)
    found = {(name, task): np.full(rows, np.nan) for name in names for task in TASKS}
    for block in table.blocks():
        for key, predict in predictors.items():
            found[key][block.first : block.stop] = predict(block.value_NF)
    return found


def chosen(learners: Sequence[Learner], trained: Labelled, judged: Labelled) -> Learner:
    """The learner with the least log loss on ``judged``; the first where it holds one class."""
    if not judged.says_something:
        return learners[0]
    tried = [learner.judged(trained, judged) for learner in learners]
    return min(tried, key=lambda one: one[1])[0]
