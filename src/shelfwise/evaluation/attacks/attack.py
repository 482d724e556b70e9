"""A run under attack: how much of its figures is left, where it suffers most, and at what cost.

What a hardened network gives up is told beside it: the clean figure, and how broad its lists are
(learning against adversaries can favour what is popular anyway; Anelli et al., 2021).
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from shelfwise.data.near_sounds import unknown_sounds
from shelfwise.data.prepared import PreparedJudgements, PreparedShop
from shelfwise.evaluation.attacks.config import AttackOptions
from shelfwise.evaluation.attacks.curve import Curve
from shelfwise.evaluation.attacks.damage import (
    DamagedSlice,
    HarmedRequest,
    damaged_slices,
    harmed_requests,
)
from shelfwise.evaluation.attacks.judged import JudgedVictim, attack_judged
from shelfwise.evaluation.attacks.shop import attack_shop
from shelfwise.evaluation.attacks.stuffing import Push, stuffing
from shelfwise.evaluation.attacks.victim import Victim
from shelfwise.evaluation.beyond_accuracy import Shelf, list_rows
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.evaluate import data_of
from shelfwise.evaluation.report import OURS, Row
from shelfwise.evaluation.verdicts import verdicts
from shelfwise.ranking.loaded_relevance import LoadedRelevance
from shelfwise.ranking.loaded_run import open_run
from shelfwise.retrieval.taken import taken_in
from shelfwise.schema.errors import ArtifactError, ConfigError
from shelfwise.schema.manifest import open_sealed
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress, Silent

_BREADTH = ("coverage", "gini", "novelty", "popularity_lift")


@dataclass(frozen=True, slots=True)
class AttackReport:
    """Everything that is told of a run under attack; `as_json` is the stable form."""

    name: str  # of the shop
    synthetic: bool
    run: str
    adversary: str  # that it learned against
    protocol: str
    curves: list[Curve]
    pushes: list[Push] = field(default_factory=list)
    lists: list[Row] = field(default_factory=list)  # how broad the clean lists are
    slices: list[DamagedSlice] = field(default_factory=list)
    harmed: list[HarmedRequest] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def robustness(self) -> float:
        """The mean over attacks of what is left, each on its first metric; nan without attacks."""
        first = {curve.attack: curve.robustness for curve in reversed(self.curves)}
        known = [value for value in first.values() if value == value]
        return float(np.mean(known)) if known else float("nan")

    def as_json(self) -> dict[str, Any]:
        """Plain values; what cannot be computed is null."""
        told = asdict(replace(self, curves=[]))
        told["curves"] = [curve.plain() for curve in self.curves]
        told["pushes"] = [{**asdict(push), "factor": push.factor} for push in self.pushes]
        return plain({"robustness": self.robustness, **told})  # type: ignore[no-any-return]


def attack(
    run: Path,
    options: AttackOptions,
    data: Path | None = None,
    progress: Progress | None = None,
    strangers: Collection[str] = (),
) -> AttackReport:
    """Attack a run on the test part of what it was trained from, or on validation.

    Of a shop's log no suspected fraud is asked: how a machine is served harms nobody.

    Args:
        run: its folder.
        options: how hard.
        data: the prepared folder, if it is no longer where it was.
        progress: told of what takes long.
        strangers: ids of a log's owners, as prepared, who are not asked either.

    Raises:
        ArtifactError: the run was altered, was trained from other data, or is a classifier.
        DataError: nobody is left to ask.
        ConfigError: the run has learned the part that is to be asked.
    """
    began = time.monotonic()
    progress = progress or Silent()
    manifest = open_sealed(run, "run")
    if options.part == "validation" and manifest.facts["train"].get("refit"):
        raise ConfigError(
            f"attack.part = validation: {run} has learned it (train.refit); attack the test, or "
            "train without a refit"
        )
    prepared = data_of(manifest, data)
    match prepared:
        case PreparedShop():
            victim = Victim.of(open_run(run), prepared, options, strangers)
            report = _of_shop(victim, progress)
        case PreparedJudgements():
            model = LoadedRelevance(run, manifest)
            judged = JudgedVictim.of(model, prepared, options)
            asked = f"{len(judged.queries):,} queries of the {options.part}"
            report = _report(prepared, (asked, "queries"), attack_judged(judged, progress))
            report.notes.append(
                "Judgements know no shoppers: no noise in histories, no stuffed titles, slices or "
                "examples here."
            )
            report.notes.extend(unknown_sounds([*judged.queries, *judged.titles]))
        case _:
            raise ArtifactError(f"{run}: a classifier of texts; it ranks nothing to be attacked")
    told = manifest.facts["train"].get("adversary", {}).get("kind", "none")
    return _finished(report, run, told, time.monotonic() - began)


def _of_shop(victim: Victim, progress: Progress) -> AttackReport:
    prepared, options = victim.prepared, victim.options
    harms, notes = attack_shop(victim, progress)
    with progress.step("Keyword stuffing"):
        pushes = stuffing(victim)
    if not pushes:
        notes.append("Keyword stuffing: too little is searched, or no text is read; left out.")
    asked = f"{len(victim.targets):,} requests of the {options.part}, no suspected fraud's"
    drawn = "users, whose requests move together"
    report = _report(prepared, (asked, drawn), [harm.curve for harm in harms])
    report.pushes.extend(pushes)
    report.notes.extend(notes)
    report.notes.extend(unknown_sounds(victim.run.item_texts))
    report.lists.extend(_lists(victim))
    report.slices.extend(damaged_slices(victim, harms))
    report.harmed.extend(harmed_requests(victim, harms))
    return report


def _report(
    prepared: PreparedShop | PreparedJudgements, whom: tuple[str, str], curves: Sequence[Curve]
) -> AttackReport:
    (asked, drawn), shop = whom, prepared.options.shop
    return AttackReport(
        name=shop.name,
        synthetic=shop.synthetic,
        run="",
        adversary="",
        protocol=(
            f"{asked}, evenly spread, asked again under each attack. Robustness is the "
            "area under a figure's curve, from no attack to the strongest, over that of a figure "
            f"that nothing harms. Intervals are 95 %, by bootstrap over {drawn}."
        ),
        curves=list(curves),
    )


def _finished(report: AttackReport, run: Path, adversary: str, seconds: float) -> AttackReport:
    return replace(report, run=str(run), adversary=adversary, seconds=round(seconds, 1))


def _lists(victim: Victim) -> list[Row]:
    options = victim.options
    measured = EvaluateOptions(k=options.k, draws=options.draws, seed=options.seed)
    taken = taken_in(victim.prepared, options.before, doubted=False)
    top_TK = victim.ranked(victim.scorer.match, victim.targets, victim.headline).top_TK
    vector_VH = victim.run.known.item_text_VH.cpu().numpy()
    shelf = Shelf.of(taken, victim.targets, vector_VH, verdicts(victim.prepared, victim.targets))
    rows = list_rows(OURS, top_TK, shelf, victim.targets, measured)
    return [row for row in rows if row.metric.partition("@")[0] in _BREADTH]
