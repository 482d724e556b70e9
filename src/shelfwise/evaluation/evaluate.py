"""A run measured on the part of the log that nothing was chosen by."""

from __future__ import annotations

import json
import os
import platform
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shelfwise.data.prepared import (
    Prepared,
    PreparedJudgements,
    PreparedPairs,
    open_prepared,
)
from shelfwise.evaluation.classifier import classification_report_of
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.cross_validation import CrossValidation, open_cross_validation
from shelfwise.evaluation.learning_curve import LearningCurves, open_learning_curve
from shelfwise.evaluation.relevance import measure_judged
from shelfwise.evaluation.report import Report
from shelfwise.evaluation.shop import ShopFindings, measure_shop
from shelfwise.evaluation.stored_answers import keep_answers
from shelfwise.evaluation.summary import data_summary, protocol_of
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.errors import ArtifactError
from shelfwise.schema.manifest import Manifest, open_sealed
from shelfwise.schema.progress import Progress, Silent
from shelfwise.schema.run_files import CURVE, MODEL


@dataclass(frozen=True, slots=True)
class Measured:
    """Where the rows to measure on come from."""

    prepared: Path | None = None  # None: the folder the run was trained from
    truth: Path | None = None  # the sample shop's true probabilities, for the row "oracle"
    folds: Path | None = None  # what `cross_validate` wrote, to be shown beside it
    data_curve: Path | None = None  # what `learning_curve` wrote
    command: str = ""  # how the report was asked for


def evaluate(
    run: Path,
    options: EvaluateOptions,
    measured: Measured | None = None,
    progress: Progress | None = None,
) -> Report:
    """Measure a run on its test part; baselines on the same rows stand beside it.

    Raises:
        ArtifactError: the run was altered, or the prepared data is not what it was trained from.
    """
    began = time.monotonic()
    progress = progress or Silent()
    measured = measured or Measured()
    manifest = open_sealed(run, "run")
    prepared = data_of(manifest, measured.prepared)
    folds, data_curve = _repeated(measured, prepared.manifest.data_fingerprint)
    match prepared:
        case PreparedPairs():
            findings = ShopFindings(rows=classification_report_of(run, manifest, prepared, options))
        case PreparedJudgements():
            findings = measure_judged(run, manifest, prepared, options, progress)
        case _:
            findings = measure_shop(open_run(run), prepared, options, measured.truth, progress)
            for answers in findings.answers:
                keep_answers(answers, run, prepared, options.most_targets)
    return Report(
        protocol=protocol_of(prepared),
        data=data_summary(prepared),
        tasks=list(manifest.facts["tasks"]),
        rows=findings.rows,
        differences=findings.differences,
        headline=findings.headline,
        figures=findings.figures,
        reliability=findings.reliability,
        curve=_curve(run),
        examples=findings.examples,
        notes=findings.notes,
        slices=findings.slices,
        folds=folds,
        data_curve=data_curve,
        reproduce=_reproduce(run, manifest, options, measured.command),
        seconds=round(time.monotonic() - began, 1),
        peak_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        cores=os.cpu_count() or 1,
        versions=manifest.versions,
    )


def data_of(manifest: Manifest, given: Path | None) -> Prepared:
    """What a run was trained from: the folder it remembers, or the ``given`` copy of it.

    Raises:
        ArtifactError: the folder is no prepared one, or holds other data.
    """
    folder = given or Path(manifest.facts["prepared"])
    prepared = open_prepared(folder)
    if prepared.manifest.data_fingerprint != manifest.data_fingerprint:
        raise ArtifactError(
            f"{folder}: its data fingerprint {prepared.manifest.data_fingerprint[:12]} is not the "
            f"run's {manifest.data_fingerprint[:12]}; train again, or name the folder the run was "
            "trained from with --data"
        )
    return prepared


def _repeated(
    measured: Measured, fingerprint: str
) -> tuple[CrossValidation | None, LearningCurves | None]:
    """Folds and learning curves of the same data, where they were named."""
    folds = open_cross_validation(measured.folds) if measured.folds else None
    data_curve = open_learning_curve(measured.data_curve) if measured.data_curve else None
    for folder, found in ((measured.folds, folds), (measured.data_curve, data_curve)):
        if found is not None and found.fingerprint != fingerprint:
            raise ArtifactError(
                f"{folder}: was made from data with fingerprint {found.fingerprint[:12]}, the run "
                f"from {fingerprint[:12]}; make it again from the run's prepared folder"
            )
    return folds, data_curve


def _reproduce(
    run: Path, manifest: Manifest, options: EvaluateOptions, command: str
) -> dict[str, str]:
    """What somebody needs to get the same figures."""
    found = {"Command": command} if command else {}
    return found | {
        "Run": f"{run.name}, trained {manifest.created_at:%Y-%m-%d %H:%M} UTC",
        "Model": f"sha256 {manifest.sha256.get(MODEL, '')}",
        "Data": f"fingerprint {manifest.data_fingerprint}",
        "Seeds": f"training {manifest.seed}, intervals {options.seed} ({options.draws:,} draws)",
        "Versions": ", ".join(f"{name} {found}" for name, found in manifest.versions.items()),
        "Machine": f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}",
    }


def _curve(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / CURVE).read_text(encoding="utf-8"))
    return found
