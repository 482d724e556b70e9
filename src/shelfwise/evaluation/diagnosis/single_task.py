"""Does each task gain from being learned beside the others?

Told from runs on the same data that were trained without some of the tasks, on the same requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.evaluation.diagnosis.case import Case, Heard, heard_by
from shelfwise.evaluation.diagnosis.finding import Evidence, Finding
from shelfwise.evaluation.slices.influence import (
    Estimate,
    Gap,
    auc_estimate,
    gap_of,
    mean_estimate,
)
from shelfwise.ranking.loaded_run import LoadedRun, open_run
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.progress import Progress


class Gain(NamedTuple):
    """How much better a task is answered by the run than by one with fewer tasks."""

    task: str
    run: str
    gap: Gap


def single_task_findings(case: Case, singles: Sequence[Path], progress: Progress) -> list[Finding]:
    """Gain of every task that each of ``singles`` has learned, on the held-out part.

    Raises:
        ConfigError: one of them learned from other data, or every task; all are named.
    """
    if not singles:
        return []
    runs = {folder: open_run(folder) for folder in singles}
    wrong = [why for folder, run in runs.items() if (why := _unlike(case, folder, run))]
    if wrong:
        raise ConfigError("\n".join(["--single:", *wrong]))
    gains = [
        gain
        for folder, run in runs.items()
        for gain in _gains(case, str(folder), run, heard_by(folder, run, case, progress))
    ]
    evidence = [
        Evidence.of_interval(f"{gain.task}: gain over {gain.run}", gain.gap.interval)
        for gain in gains
    ]
    losing = [gain for gain in gains if gain.gap.high < 0]
    if losing:
        worst = min(losing, key=lambda gain: gain.gap.value)
        return [
            Finding(
                "task conflict",
                "warning",
                f"{worst.task.capitalize()} loses {-worst.gap.value:.3f} beside the other tasks: "
                f"{worst.run}, trained without them, is better on the same requests.",
                evidence,
                f"Raise the weight of {worst.task} (train.match_weight, train.purchase_weight), "
                "widen model.heads.hidden, or keep two runs.",
            )
        ]
    won = [gain.task for gain in gains if gain.gap.low > 0]
    told = f"{', '.join(won)} gain{'s' if len(won) == 1 else ''}" if won else "no gain can be told"
    return [
        Finding(
            "tasks together",
            "fine",
            f"No task loses by being learned beside the others; {told}.",
            evidence,
        )
    ]


def _unlike(case: Case, folder: Path, run: LoadedRun) -> str:
    if run.manifest.data_fingerprint != case.run.manifest.data_fingerprint:
        return f"  {folder}: was trained from other data; train it from the same prepared folder"
    if case.judged in run.learned:
        return (
            f"  {folder}: has learned {case.judged}, where the run is judged; train it with the "
            "same train.refit as the run"
        )
    if len(_tasks(run)) == len(_tasks(case.run)):
        return (
            f"  {folder}: has learned as many tasks as the run itself; train it with "
            "tasks.match=false or tasks.conversion=false"
        )
    return ""


def _tasks(run: LoadedRun) -> list[str]:
    options = run.manifest.facts["train"]
    has_match = any(task.startswith("match") for task in run.manifest.facts["tasks"])
    found = ["match"] if has_match and options["match_weight"] > 0 else []
    if run.has_heads:
        asked = run.has_conversion and options["purchase_weight"] > 0
        found += ["click", *(["conversion"] if asked else [])]
    return found


def _gains(case: Case, name: str, run: LoadedRun, other: Heard) -> list[Gain]:
    found = []
    for task in (task for task in _tasks(run) if task in _tasks(case.run)):
        ours, theirs = (_estimate(task, heard) for heard in (case.held_out, other))
        if ours is not None and theirs is not None:
            found.append(Gain(task, name, gap_of(*ours, *theirs)))
    return found


def _estimate(task: str, heard: Heard) -> tuple[Estimate, NDArray[np.int64]] | None:
    """The task's figure with the user behind each of its rows."""
    answers = heard.answers
    if task == "match":
        kept_R = ~np.isnan(heard.answers.ndcg_R)
        return mean_estimate(answers.ndcg_R[kept_R]), heard.owner_R[kept_R]
    if task == "click":
        return auc_estimate(answers.click_N, answers.clicked_N), heard.owner_N
    rows_N = heard.judged_N
    estimate = auc_estimate(answers.convert_N[rows_N], answers.purchased_N[rows_N])
    return None if np.isnan(estimate.value) else (estimate, heard.owner_N[rows_N])
