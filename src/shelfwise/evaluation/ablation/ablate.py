"""What each part of the model is worth: the full model against itself without that part.

The test reports, and nothing is chosen by it; validation stops each training, as everywhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shelfwise import __version__
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import split_warning
from shelfwise.evaluation.ablation.measures import head_of, measures_of
from shelfwise.evaluation.ablation.report import AblationReport, VariantFacts
from shelfwise.evaluation.ablation.trainings import Answered, Training, answered
from shelfwise.evaluation.ablation.variants import (
    FULL,
    Chosen,
    Configured,
    Variant,
    chosen_variants,
)
from shelfwise.evaluation.compared_figures import (
    Contender,
    comparison_of,
    corrected,
    row_of,
    shared,
    spread_of,
)
from shelfwise.evaluation.paired import Draws
from shelfwise.evaluation.paired_metrics import Metric
from shelfwise.evaluation.pieces import Setting, claim
from shelfwise.evaluation.summary import data_summary, protocol_of
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress, Silent


@dataclass(frozen=True, slots=True)
class Asked:
    """How an ablation was asked for."""

    only: tuple[str, ...] = ()  # parts to look at; empty: all
    seeds: int = 3
    command: str = ""


@dataclass(frozen=True, slots=True)
class _Measured:
    """A variant with its trainings, and its figures with the seeds put together."""

    variant: Variant
    seeds: tuple[int, ...]
    trainings: list[Answered]
    metrics: list[Metric]


def ablate(
    prepared: PreparedShop,
    out: Path,
    configured: Configured,
    asked: Asked | None = None,
    progress: Progress | None = None,
) -> AblationReport:
    """Train the full model and each variant with several seeds, and compare them on the test.

    Finished trainings in ``out`` are taken as they are; more parts or seeds may be asked for later.

    Args:
        prepared: the shop.
        out: folder of this ablation alone.
        configured: makes options of settings, as the command line does.
        asked: parts and seeds.
        progress: told where training is.

    Raises:
        ConfigError: ``out`` is not ours or of another full model, or a part is not known.
    """
    began = time.monotonic()
    asked, progress = asked or Asked(), progress or Silent()
    chosen = chosen_variants(prepared, configured, asked.only)
    full = chosen.variants[0][1]
    claim(out, _plan(prepared, full))
    seeds = range(full.train.seed, full.train.seed + asked.seeds)
    trainings = [
        Training(variant, setting, seed) for seed in seeds for variant, setting in chosen.variants
    ]
    found = answered(out, trainings, prepared, progress)
    head_V, ids = head_of(prepared), prepared.items["item_id"]
    measured = []
    for at, (variant, _) in enumerate(chosen.variants):
        mine = found[at :: len(chosen.variants)]
        metrics = measures_of([one.answers for one in mine], head_V, ids, full.evaluate.k)
        measured.append(_Measured(variant, tuple(seeds), mine, metrics))
    return _reported(prepared, chosen, measured, asked, progress, began)


def _plan(prepared: PreparedShop, full: Setting) -> dict[str, object]:
    told: dict[str, object] = plain(
        {
            "kind": "ablation",
            "shelfwise": __version__,
            "data_fingerprint": prepared.manifest.data_fingerprint,
            **full.options(),
            "most_targets": full.evaluate.most_targets,
        }
    )
    return told


def _reported(
    prepared: PreparedShop,
    chosen: Chosen,
    measured: list[_Measured],
    asked: Asked,
    progress: Progress,
    began: float,
) -> AblationReport:
    options = chosen.variants[0][1].evaluate
    first, *others = measured
    in_both = {one.variant.name: shared(one.metrics, first.metrics) for one in others}
    tested = sum(map(len, in_both.values()))
    draws = Draws(options.draws, max(1, tested), options.seed)
    rows, spreads, comparisons = [], [], []
    with progress.step("Comparing", total=len(measured)) as bar:
        for one in measured:
            bar.note(one.variant.name)
            contender = Contender(one.variant.name, one.seeds)
            rows += [row_of(contender, metric, draws) for metric in one.metrics]
            spreads += [spread for m in one.metrics for spread in spread_of(contender, m)]
            full = Contender(FULL, first.seeds)
            for both in in_both.get(one.variant.name, ()):
                comparisons.append(comparison_of(contender, full, both, draws))
            bar.advance()
    return AblationReport(
        protocol=protocol_of(prepared),
        data=data_summary(prepared),
        headline=first.trainings[0].answers.views[0],
        variants=[_facts(one) for one in measured],
        skipped=chosen.skipped,
        rows=rows,
        spreads=spreads,
        comparisons=corrected(comparisons),
        notes=list(_notes(prepared, measured, asked)),
        reproduce=_reproduce(prepared, asked),
        seconds=round(time.monotonic() - began, 1),
    )


def _facts(one: _Measured) -> VariantFacts:
    return VariantFacts(
        name=one.variant.name,
        part=one.variant.part,
        settings=list(one.variant.settings),
        tasks=list(one.trainings[0].tasks),
        seeds=list(one.seeds),
        best_steps=[training.best_step for training in one.trainings],
        seconds=round(sum(training.seconds for training in one.trainings) / len(one.seeds), 1),
    )


def _notes(prepared: PreparedShop, measured: Sequence[_Measured], asked: Asked) -> Iterator[str]:
    if warning := split_warning(prepared.options.split):
        yield warning
    yield (
        "Measured on the test, to report: nothing is chosen by it. Validation stopped every "
        "training; calibration is each variant's own."
    )
    yield (
        "Intervals and p are about other users, with the seeds at hand taken as they are; the "
        "deviation between seeds stands beside each figure."
    )
    if asked.seeds < 3:
        yield "With fewer than 3 seeds, what one training happens to give is taken for the rule."
    yield (
        "Head items are the most taken ones that make up half of what was taken before the test; "
        "tail items are all others."
    )
    for one in measured[1:]:
        missing = {m.place.task for m in measured[0].metrics} - {m.place.task for m in one.metrics}
        if missing:
            yield f"{one.variant.name}: says nothing of {', '.join(sorted(missing))}."


def _reproduce(prepared: PreparedShop, asked: Asked) -> dict[str, str]:
    versions = prepared.manifest.versions
    return {
        **({"Command": asked.command} if asked.command else {}),
        "Data": f"fingerprint {prepared.manifest.data_fingerprint}",
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
