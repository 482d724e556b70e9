"""Clicks called or not called: precision and recall above a threshold that validation chose.

Shape suffixes in this file: N = impressions, S = sums over impressions, D = draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.impressions import Forecast, Outcomes, row
from shelfwise.evaluation.report import Row
from shelfwise.metrics.bootstrap import bootstrap_sums
from shelfwise.metrics.f1_threshold import Threshold, f1_threshold
from shelfwise.metrics.value import ratio

TASK = "click or not"


@dataclass(frozen=True, slots=True)
class Called:
    """The rows of a system's calls, with what they mean in words."""

    rows: list[Row]
    note: str
    threshold: Threshold


def called_clicks(
    validation: tuple[Outcomes, Forecast],
    test: tuple[Outcomes, Forecast],
    options: EvaluateOptions,
) -> Called | None:
    """Precision, recall, F1 and accuracy on the test at the threshold of best F1 on validation.

    None where validation has no click to choose by, or the system forecasts none. Accuracy of
    rare clicks is best by calling none at all, so it stands last.
    """
    (chosen_on, forecast), (outcomes, tested) = validation, test
    if np.isnan(forecast.click_N).any() or np.isnan(tested.click_N).any():
        return None
    threshold = f1_threshold(forecast.click_N, chosen_on.clicked_N)
    if threshold.support == 0 or len(outcomes.clicked_N) == 0:
        return None
    called_N, clicked_N = tested.click_N >= threshold.threshold, outcomes.clicked_N
    right_N = called_N == clicked_N
    columns = (called_N & clicked_N, called_N, clicked_N, right_N, np.ones(len(right_N)))
    sum_NS = np.stack(columns, axis=1).astype(np.float64)
    rows = [
        row(
            tested.system,
            TASK,
            name,
            bootstrap_sums(
                _Share(*parts), sum_NS, outcomes.owner_N, draws=options.draws, seed=options.seed
            ),
        )
        for name, parts in _SHARES.items()
    ]
    note = (
        f"{tested.system} calls an impression clicked from {threshold.threshold:.3g} on, the "
        f"threshold of best F1 on {threshold.support:,} validation impressions: "
        f"{int(called_N.sum()):,} of {len(called_N):,} test impressions, of which "
        f"{int(clicked_N.sum()):,} were clicked."
    )
    return Called(rows, note, threshold)


@dataclass(frozen=True, slots=True)
class _Share:
    """One weighted sum over another: of called and clicked, called, clicked, right, all."""

    above: tuple[float, ...]
    below: tuple[float, ...]

    def __call__(self, sum_DS: NDArray[np.float64]) -> NDArray[np.float64]:
        return ratio(sum_DS @ self.above, sum_DS @ self.below)


_SHARES = {
    "precision": ((1, 0, 0, 0, 0), (0, 1, 0, 0, 0)),
    "recall": ((1, 0, 0, 0, 0), (0, 0, 1, 0, 0)),
    "f1": ((2, 0, 0, 0, 0), (0, 1, 1, 0, 0)),
    "accuracy": ((0, 0, 0, 1, 0), (0, 0, 0, 0, 1)),
}
