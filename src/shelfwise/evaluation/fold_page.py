"""What a report page shows of cross-validation and of learning curves over the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shelfwise.evaluation.fold_plots import data_plot, folds_plot
from shelfwise.evaluation.plots import Plot
from shelfwise.evaluation.report import OURS
from shelfwise.evaluation.report_words import MAIN_VIEW

if TYPE_CHECKING:  # these modules train, and training imports torch
    from shelfwise.evaluation.cross_validation import CrossValidation, Spread
    from shelfwise.evaluation.learning_curve import LearningCurves

# Up to an "@"; the others stand in the command's own answer.
_SHOWN = ("ndcg", "recall", "auc", "gauc", "cvr_auc", "ctcvr_auc", "log_loss", "pcoc", "accuracy")


class RepeatedSection(NamedTuple):
    """A section about many trainings."""

    about: str
    plots: list[Plot]
    sentences: list[str]


def folds_section(found: CrossValidation | None) -> RepeatedSection | None:
    """A picture for each figure of the headline view that the folds know."""
    if found is None:
        return None
    groups: dict[tuple[str, str], list[Spread]] = {}
    for spread in found.spreads:
        if _is_shown(spread.metric, spread.view, found.headline):
            groups.setdefault((spread.task, spread.metric), []).append(spread)
    plots = [
        Plot(task.capitalize(), folds_plot(spreads), metric)
        for (task, metric), spreads in groups.items()
        if any(s.system == OURS for s in spreads) and any(s.mean == s.mean for s in spreads)
    ]
    about = (
        f"{found.protocol} Small dots are folds, the large one is their mean with its 95 % "
        "interval by Student's t; folds share training data, so it is somewhat too narrow."
    )
    return RepeatedSection(about, plots, [])


def data_section(found: LearningCurves | None) -> RepeatedSection | None:
    """A picture for each figure of the headline view, and what twice the data would bring."""
    if found is None:
        return None
    shown = [
        curve
        for curve in found.curves
        if _is_shown(curve.metric, curve.view, found.headline)
        and any(point.value == point.value for point in curve.points)
    ]
    plots = [Plot(curve.task.capitalize(), data_plot(curve), curve.metric) for curve in shown]
    sentences = [f"{curve.task.capitalize()}, {curve.sentence}" for curve in shown]
    about = (
        f"{found.protocol} The dashed line is a power law through the points; the hollow dot is "
        "what it expects of twice the data."
    )
    return RepeatedSection(about, plots, sentences)


def _is_shown(metric: str, view: str, headline: str) -> bool:
    return metric.partition("@")[0] in _SHOWN and view in (headline, MAIN_VIEW)
