"""The baseline to beat at each task, in a sentence beside the model's own figure."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from shelfwise.evaluation.report import OURS, Row

ORACLE = "oracle"
_FIGURE_OF = {"click": "auc", "conversion": "cvr_auc"}


def strongest(rows: Sequence[Row], task: str, metric: str, view: str = "main") -> Row | None:
    """The baseline with the highest figure; None where no baseline has one."""
    found = [
        row
        for row in rows
        if (row.task, row.metric, row.view) == (task, metric, view)
        and row.system.partition("/")[0] not in (OURS, ORACLE)
        and not isnan(row.value)
    ]
    return max(found, key=lambda row: row.value, default=None)


def best_baseline_notes(rows: Sequence[Row], headline: str, ranking: str) -> list[str]:
    """A sentence a task.

    Args:
        rows: all figures of the report.
        headline: the view that match is read from.
        ranking: the metric that match is read by.
    """
    notes = []
    read_by = {"match": (ranking, headline)} | {
        task: (metric, "main") for task, metric in _FIGURE_OF.items()
    }
    for task, (metric, view) in read_by.items():
        best = strongest(rows, task, metric, view)
        if best is None:
            continue
        where = f"in view {view}" if task == "match" else f"of {task}"
        ours = next(
            (
                f"; {OURS} {row.value:.3f}"
                for row in rows
                if (row.system, row.task, row.metric, row.view) == (OURS, task, metric, view)
            ),
            "",
        )
        notes.append(
            f"The strongest baseline {where} is {best.system}, {metric} {best.value:.3f}{ours}."
        )
    return notes
