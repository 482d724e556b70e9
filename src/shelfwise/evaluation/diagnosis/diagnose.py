"""A run examined: one question a file, and what was found, most severe first."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.evaluation.diagnosis.calibration import calibration_findings
from shelfwise.evaluation.diagnosis.case import Case, open_case
from shelfwise.evaluation.diagnosis.conflict import conflict_findings
from shelfwise.evaluation.diagnosis.data_size import data_size_findings
from shelfwise.evaluation.diagnosis.dead_parts import dead_part_findings
from shelfwise.evaluation.diagnosis.drift import drift_findings
from shelfwise.evaluation.diagnosis.errors import ErrorExample, worst_errors
from shelfwise.evaluation.diagnosis.finding import (
    Finding,
    Severity,
    is_ill,
    most_severe_first,
)
from shelfwise.evaluation.diagnosis.fitting import fitting_findings
from shelfwise.evaluation.diagnosis.gradients import gradients_of
from shelfwise.evaluation.diagnosis.leaks import leak_findings
from shelfwise.evaluation.diagnosis.signal import signal_findings
from shelfwise.evaluation.diagnosis.single_task import single_task_findings
from shelfwise.evaluation.diagnosis.titles import titles_findings
from shelfwise.evaluation.diagnosis.weak_slices import SlicedRun, slice_findings, sliced_run
from shelfwise.evaluation.evaluate import data_of
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.errors import ArtifactError, ConfigError
from shelfwise.schema.manifest import open_sealed
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress, Silent

# Causes before their effects: of equal severity, what comes first here is said first.
_QUESTIONS: tuple[Callable[[Case], list[Finding]], ...] = (
    leak_findings,
    signal_findings,
    titles_findings,
    fitting_findings,
    calibration_findings,
    drift_findings,
    data_size_findings,
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything an examination says; `as_json` is the stable form."""

    name: str  # of the shop
    synthetic: bool
    run: str
    judged: str  # the part that verdicts were read from
    protocol: str
    findings: list[Finding]  # most severe first
    sliced: SlicedRun = field(default_factory=SlicedRun)
    errors: list[ErrorExample] = field(default_factory=list)
    curve: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """In one sentence."""
        looked = len({one.name for one in self.findings})
        ill = self._named("illness")
        if ill:
            return f"Found: {', '.join(ill)}."
        if warned := self._named("warning"):
            return f"No illness found in {looked} questions; to look at: {', '.join(warned)}."
        return f"Nothing wrong found in {looked} questions."

    def _named(self, severity: Severity) -> list[str]:
        return list(dict.fromkeys(one.name for one in self.findings if one.severity == severity))

    def as_json(self) -> dict[str, Any]:
        """Plain values; what cannot be computed is null."""
        told = {"healthy": not is_ill(self.findings), "verdict": self.verdict}
        return plain({**told, **asdict(self)})  # type: ignore[no-any-return]


def diagnose(
    run: Path,
    data: Path | None = None,
    part: Part | None = None,
    singles: Sequence[Path] = (),
    progress: Progress | None = None,
) -> Diagnosis:
    """Examine a run of a shop.

    Args:
        run: its folder.
        data: the prepared folder, if it is no longer where it was.
        part: where verdicts are read; None: validation, or the test where the run was refitted
            on validation.
        singles: runs on the same data with fewer tasks, to tell what each task gains.
        progress: told of what takes long.

    Raises:
        ArtifactError: the run was altered, is a classifier, or was trained from other data.
        ConfigError: ``part`` is one that the run has learned from, or a run of ``singles`` cannot
            be compared.
    """
    began = time.monotonic()
    progress = progress or Silent()
    manifest = open_sealed(run, "run")
    prepared = data_of(manifest, data)
    if not isinstance(prepared, PreparedShop):
        raise ArtifactError(f"{run}: a classifier of texts; diagnose examines runs of a shop")
    loaded = open_run(run)
    if part in loaded.learned:
        raise ConfigError(f"--part {part}: the run has learned it; verdicts need what it has not")
    case = open_case(run, loaded, prepared, part, progress)
    findings = [finding for question in _QUESTIONS for finding in question(case)]
    with progress.step("Gradients of every task"):
        asked = gradients_of(case)
    findings += single_task_findings(case, singles, progress)
    findings += [*conflict_findings(asked), *dead_part_findings(case, asked)]
    with progress.step("Searching slices"):
        sliced = sliced_run(case)
    findings += slice_findings(sliced)
    return Diagnosis(
        name=prepared.options.shop.name,
        synthetic=prepared.options.shop.synthetic,
        run=str(run),
        judged=case.judged,
        protocol=_protocol(case),
        findings=most_severe_first(findings),
        sliced=sliced,
        errors=worst_errors(case),
        curve=case.curve,
        seconds=round(time.monotonic() - began, 1),
    )


def _protocol(case: Case) -> str:
    asked = ", ".join(f"{len(heard.rows):,} of {part}" for part, heard in case.heard.items())
    why = {
        "validation": "the test is reported only, so that acting on a finding costs it nothing",
        "test": "act on these findings, and the test is no longer unseen",
    }[case.judged]
    return (
        f"Requests asked, evenly spread over time: {asked}. Verdicts are read from "
        f"{case.judged}: {why}. Intervals are 95 %, rows of one user moving together."
    )
