"""Runs compared on the same test: which is better, at what, and how sure that is.

Every difference comes with the interval that other users would give, a permutation p, and that p
corrected for all comparisons of the call (Holm). One is claimed where both agree: the interval
excludes 0, and the corrected p lies below .05.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import polars as pl

from shelfwise.data.prepared import PreparedPairs, PreparedShop, logged_or_labelled
from shelfwise.data.split import split_warning
from shelfwise.evaluation.compare_report import CompareReport, Comparison, SeedSpread, SystemFacts
from shelfwise.evaluation.compared_figures import (
    Contender,
    comparison_of,
    corrected,
    row_of,
    shared,
    spread_of,
)
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.evaluate import data_of
from shelfwise.evaluation.impressions import open_windows_note
from shelfwise.evaluation.paired import Draws
from shelfwise.evaluation.paired_metrics import Metric, metrics_of
from shelfwise.evaluation.report import Row
from shelfwise.evaluation.stored_answers import Answers, ShopAnswers, TextAnswers, answers_of
from shelfwise.evaluation.summary import data_summary, protocol_of
from shelfwise.evaluation.systems import System, TrainedRun, different_options, systems_of
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import open_sealed
from shelfwise.schema.progress import Progress, Silent
from shelfwise.schema.run_files import MODEL


@dataclass(frozen=True, slots=True)
class Answered:
    """Where the test's rows come from, and whether kept answers may be used."""

    prepared: Path | None = None  # None: the folder the runs were trained from
    fresh: bool = False  # score again, whatever is kept beside the runs
    command: str = ""  # how the comparison was asked for


def compare(
    runs: Sequence[Path],
    options: EvaluateOptions,
    answered: Answered | None = None,
    progress: Progress | None = None,
) -> CompareReport:
    """Put runs side by side on the test that they share.

    Raises:
        ConfigError: fewer than two runs, one named twice, or runs of different prepared data.
        ArtifactError: a run was altered, or the prepared data is not what they were trained from.
    """
    began = time.monotonic()
    progress, answered = progress or Silent(), answered or Answered()
    trained = _opened(runs)
    prepared = logged_or_labelled(data_of(trained[0].manifest, answered.prepared))
    systems, grouping = systems_of(trained)
    answers = _answers(trained, prepared, options, answered, progress)
    metrics = [
        metrics_of([answers[run.folder] for run in system.runs], options.k) for system in systems
    ]
    rows, spreads, comparisons = _figures(systems, metrics, options, progress)
    return CompareReport(
        protocol=protocol_of(prepared),
        data=data_summary(prepared),
        systems=[_facts(system) for system in systems],
        grouping=grouping,
        options=different_options(systems),
        rows=rows,
        spreads=spreads,
        comparisons=comparisons,
        notes=[
            *_notes(prepared, systems, answers[trained[0].folder], options),
            *_not_compared(systems, metrics),
        ],
        reproduce=_reproduce(trained, options, answered.command),
        seconds=round(time.monotonic() - began, 1),
    )


def _opened(runs: Sequence[Path]) -> list[TrainedRun]:
    if len(runs) < 2:
        raise ConfigError(f"compare needs two runs or more, {len(runs)} given")
    places = [run.resolve() for run in runs]
    twice = sorted(
        {str(run) for run, place in zip(runs, places, strict=True) if places.count(place) > 1}
    )
    if twice:
        raise ConfigError(f"{', '.join(twice)}: named twice; a run cannot differ from itself")
    trained = [TrainedRun(run, open_sealed(run, "run")) for run in runs]
    if len({run.manifest.data_fingerprint for run in trained}) > 1:
        lines = [f"  {run.folder}: {run.manifest.data_fingerprint[:12]}" for run in trained]
        raise ConfigError(
            "\n".join(
                [
                    "these runs were trained from different prepared data (fingerprints below), so "
                    "their test rows are not the same; train them from one prepared folder:",
                    *lines,
                ]
            )
        )
    return trained


def _answers(
    trained: Sequence[TrainedRun],
    prepared: PreparedShop | PreparedPairs,
    options: EvaluateOptions,
    answered: Answered,
    progress: Progress,
) -> dict[Path, Answers]:
    """What each run answered, by its folder."""
    found = {}
    with progress.step("Reading answers", total=len(trained)) as step:
        for run in trained:
            step.note(run.folder.name)
            found[run.folder] = answers_of(
                run.folder, prepared, options.most_targets, progress, fresh=answered.fresh
            )
            step.advance()
    _require_same_rows(trained, found)
    return found


def _require_same_rows(trained: Sequence[TrainedRun], answers: dict[Path, Answers]) -> None:
    """Raise ConfigError where kept answers speak of other rows; `--fresh` scores them again."""
    first = answers[trained[0].folder]
    strangers = [str(folder) for folder, found in answers.items() if not _same_rows(first, found)]
    if strangers:
        raise ConfigError(
            f"{', '.join(strangers)}: answers to other rows than those of {trained[0].folder} are "
            "kept there; score all of them again with --fresh"
        )


def _same_rows(one: Answers, other: Answers) -> bool:
    return all(map(pl.DataFrame.equals, _asked(one), _asked(other)))


def _asked(answers: Answers) -> list[pl.DataFrame]:
    if isinstance(answers, TextAnswers):
        return [answers.rows.select("label")]
    return [
        answers.targets,
        answers.ranks.select("view", "target", "item"),
        answers.impressions.drop("p_click", "p_convert"),
    ]


def _figures(
    systems: Sequence[System],
    metrics: Sequence[Sequence[Metric]],
    options: EvaluateOptions,
    progress: Progress,
) -> tuple[list[Row], list[SeedSpread], list[Comparison]]:
    """Values of every system, how far seeds move them, and all pairs of systems compared."""
    pairs = list(combinations(range(len(systems)), 2))
    in_both = [shared(metrics[first], metrics[second]) for first, second in pairs]
    tested = sum(map(len, in_both))
    draws = Draws(options.draws, max(1, tested), options.seed)
    contenders = [Contender(system.name, system.seeds) for system in systems]
    rows: list[Row] = []
    spreads: list[SeedSpread] = []
    comparisons: list[Comparison] = []
    with progress.step("Comparing", total=sum(map(len, metrics)) + tested) as step:
        for contender, found in zip(contenders, metrics, strict=True):
            for metric in found:
                rows.append(row_of(contender, metric, draws))
                spreads += spread_of(contender, metric)
                step.advance()
        for (first, second), found_by_both in zip(pairs, in_both, strict=True):
            for both in found_by_both:
                contest = (contenders[first], contenders[second])
                comparisons.append(comparison_of(*contest, both, draws))
                step.advance()
    return rows, spreads, corrected(comparisons)


def _not_compared(systems: Sequence[System], metrics: Sequence[Sequence[Metric]]) -> Iterator[str]:
    """Which tasks a system says nothing of, where another does."""
    tasks = {metric.place.task for found in metrics for metric in found}
    for system, found in zip(systems, metrics, strict=True):
        for task in sorted(tasks - {metric.place.task for metric in found}):
            yield f"{system.name} says nothing of {task}, so it is not compared there."


def _facts(system: System) -> SystemFacts:
    facts = system.runs[0].manifest.facts
    return SystemFacts(
        name=system.name,
        runs=[str(run.folder) for run in system.runs],
        seeds=list(system.seeds),
        tasks=list(facts["tasks"]),
        shelfwise=system.runs[0].manifest.shelfwise_version,
    )


def _reproduce(
    trained: Sequence[TrainedRun], options: EvaluateOptions, command: str
) -> dict[str, str]:
    """What somebody needs to get the same figures."""
    found = {"Command": command} if command else {}
    for run in trained:
        told = run.manifest
        model = told.sha256.get(MODEL, "")[:16]
        found[run.folder.name if run.folder.name not in found else str(run.folder)] = (
            f"trained {told.created_at:%Y-%m-%d %H:%M} UTC, seed {told.seed}, model sha256 {model}"
        )
    versions = trained[0].manifest.versions
    return found | {
        "Data": f"fingerprint {trained[0].manifest.data_fingerprint}",
        "Draws": f"seed {options.seed}, {options.draws:,} for intervals of means",
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }


def _notes(
    prepared: PreparedShop | PreparedPairs,
    systems: Sequence[System],
    found: Answers,
    options: EvaluateOptions,
) -> Iterator[str]:
    if isinstance(prepared, PreparedShop) and (warning := split_warning(prepared.options.split)):
        yield warning
    if any(len(system.runs) == 1 for system in systems):
        yield (
            "A system with one seed is that one run: intervals and p say what other users would "
            "bring, not what another seed would. Train each with several seeds to know that."
        )
    if isinstance(found, ShopAnswers) and len(found.targets) == options.most_targets:
        yield (
            f"{len(found.targets):,} test requests were ranked, evenly spread over time "
            "(evaluate.most_targets)."
        )
    if isinstance(found, ShopAnswers) and not found.impressions.is_empty():
        yield (
            "pcoc is compared by its distance from 1, |ln pcoc|: half as many as were promised is "
            "as far off as twice as many."
        )
        clicked_N, known_N = (found.impressions[name].to_numpy() for name in ("clicked", "known"))
        yield open_windows_note(clicked_N, known_N)
        yield "ECE intervals lie high: resampling adds noise that the error can only grow by."
