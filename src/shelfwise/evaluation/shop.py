"""A shop's run measured: rankings of the catalogue, clicks and conversions, examples.

Shape suffixes in this file: T = targets, V = items, N = impressions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.batches import Examples, batches, examples_of
from shelfwise.data.part_rows import LEARNED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import split_warning
from shelfwise.data.targets import MatchTargets, match_targets, past_of
from shelfwise.evaluation.baselines.choose import baselines, taken_in
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.examples import example_rankings
from shelfwise.evaluation.impressions import (
    Forecast,
    Outcomes,
    impression_rows,
    item_rates,
    oracle,
    reliability,
    row,
)
from shelfwise.evaluation.match import Ranked, View, rank_all, views
from shelfwise.evaluation.report import OURS, Difference, Example, Reliability, Row
from shelfwise.metrics.bootstrap import bootstrap_interval, bootstrap_rows, paired_interval
from shelfwise.models.config import ModelOptions
from shelfwise.models.inference import match_scores
from shelfwise.models.inputs import as_requests
from shelfwise.models.shelf_model import SURFACES
from shelfwise.ranking.loaded_run import LoadedRun
from shelfwise.schema.event import Surface
from shelfwise.schema.progress import Progress

_COLD_PLACES = 100
_REQUESTS = 256
UNCALIBRATED = f"{OURS}/uncalibrated"


@dataclass(frozen=True, slots=True)
class ShopFindings:
    """Parts of a report that depend on what was measured."""

    rows: list[Row] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    headline: str = "main"
    figures: dict[str, float] = field(default_factory=dict)
    reliability: list[Reliability] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class RunScorer:
    """The run's answers for prepared requests, in blocks."""

    def __init__(self, run: LoadedRun, prepared: PreparedShop) -> None:
        self.run = run
        self.prepared = prepared
        self.query_text_QH = run.encode_queries(prepared.queries["text"].to_list())

    def match(self, targets: MatchTargets, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[len(rows), V]`` match score of every item, asked on a recommendation shelf."""
        history = past_of(self.prepared, targets, rows)
        surface_R = np.full(len(rows), SURFACES.index(Surface.RECOMMENDATION), np.int64)
        asked = as_requests(history, targets.query_T[rows], surface_R, self._device)
        catalogue = self.run.catalogue(self.query_text_QH[asked.query_texts])
        return match_scores(self.run.model, asked.requests, catalogue)

    def forecast(
        self,
        examples: Examples,
        system: str,
        with_position: bool,
        progress: Progress,
        *,
        calibrated: bool = True,
    ) -> Forecast:
        """Click and conversion probabilities of every impression, in order."""
        click, convert = [np.zeros(0)], [np.zeros(0)]
        with progress.step(f"Scoring impressions ({system})", total=len(examples)) as step:
            for batch in batches(self.prepared, examples, _REQUESTS, None):
                asked = as_requests(batch.history, batch.query_R, batch.surface_R, self._device)
                answer = self.run.probabilities(
                    asked.requests,
                    self.run.catalogue(self.query_text_QH[asked.query_texts]),
                    (batch.shown_request_N, batch.shown_item_N),
                    batch.position_N if with_position else None,
                    calibrated=calibrated,
                )
                click.append(answer.click_N)
                convert.append(answer.convert_N)
                step.advance(len(batch.query_R))
        return Forecast(system, np.concatenate(click), np.concatenate(convert))

    @property
    def _device(self) -> Any:
        return self.run.known.item_VD.device


def measure_shop(
    run: LoadedRun,
    prepared: PreparedShop,
    options: EvaluateOptions,
    truth: Path | None,
    progress: Progress,
) -> ShopFindings:
    """Everything that can be said of a run on its test part."""
    scorer = RunScorer(run, prepared)
    findings = _measure_match(scorer, options, progress)
    if warning := split_warning(prepared.options.split):
        findings.notes.insert(0, warning)
    if not prepared.has_impressions:
        return findings
    examples = examples_of(prepared, ["test"])
    outcomes = Outcomes.of(examples)
    training = examples_of(prepared, LEARNED)
    ours = scorer.forecast(examples, OURS, with_position=True, progress=progress)
    forecasts = [
        ours,
        scorer.forecast(examples, f"{OURS}/no-position", with_position=False, progress=progress),
        scorer.forecast(examples, UNCALIBRATED, True, progress, calibrated=False),
        item_rates(prepared, training, outcomes),
    ]
    if truth is not None:
        forecasts.append(oracle(prepared, truth, outcomes))
    for forecast in forecasts:
        findings.rows.extend(impression_rows(outcomes, forecast, options))
    findings.reliability.extend(reliability(outcomes, ours))
    open_windows = int((outcomes.clicked_N & ~outcomes.known_N).sum())
    findings.notes.append(
        f"{open_windows} of {int(outcomes.clicked_N.sum())} clicked test impressions have a "
        "purchase window that is still open: unknown, left out of conversion figures."
    )
    findings.notes.append(
        "ECE intervals lie high: resampling adds noise that the error can only grow by."
    )
    return findings


def _measure_match(scorer: RunScorer, options: EvaluateOptions, progress: Progress) -> ShopFindings:
    prepared = scorer.prepared
    targets, notes = _sampled(match_targets(prepared, "test"), options)
    if len(targets) == 0:
        return ShopFindings(notes=["No test request over the whole catalogue: nothing to rank."])
    taken = taken_in(prepared, LEARNED)
    warm_V = np.bincount(taken.item_E, minlength=taken.items) > 0
    looked_at = views(prepared, targets, warm_V)
    encoder = ModelOptions.model_validate(scorer.run.manifest.facts["model"]).encoder
    rivals = baselines(prepared, progress, encoder)
    systems = {OURS: scorer.match} | {rival.name: rival.scores for rival in rivals.found}
    ranked = rank_all(systems, targets, looked_at, taken.items, progress)
    findings = ShopFindings(
        headline=looked_at[0].name, figures=rivals.figures(), notes=[*notes, *rivals.notes]
    )
    for (system, name), found in ranked.items():
        findings.rows.extend(_match_rows((system, name), found, targets, options, taken.items))
    for view in looked_at:
        if view.name != "cold":
            findings.differences.extend(_differences(ranked, view, targets, options))
    head = looked_at[0]
    findings.examples.extend(
        example_rankings(prepared, targets, head, scorer.match, options.examples)
    )
    _note_best_baseline(findings)
    return findings


def _sampled(targets: MatchTargets, options: EvaluateOptions) -> tuple[MatchTargets, list[str]]:
    if len(targets) <= options.most_targets:
        return targets, []
    chosen = np.unique(np.linspace(0, len(targets) - 1, options.most_targets).astype(np.int64))
    return targets.chosen(chosen), [
        f"{len(chosen)} of {len(targets)} test requests were ranked, evenly spread over time "
        "(evaluate.most_targets)."
    ]


def _match_rows(
    place: tuple[str, str],
    found: Ranked,
    targets: MatchTargets,
    options: EvaluateOptions,
    items: int,
) -> list[Row]:
    system, view = place
    if view == "cold":
        hit_P = (np.minimum(found.ranks.last_P, _COLD_PLACES) - found.ranks.first_P + 1).clip(0)
        share_P = hit_P / (found.ranks.last_P - found.ranks.first_P + 1)
        interval = bootstrap_rows(
            lambda w: float(np.average(share_P, weights=w)) if w.sum() else float("nan"),
            found.item_P,
            draws=options.draws,
            seed=options.seed,
        )
        return [row(system, "match", f"recall@{_COLD_PLACES}", interval, view)]
    figures = {
        f"ndcg@{options.k}": found.ndcg(options.k),
        f"recall@{options.k}": found.recall(options.k),
        "mrr": found.reciprocal_rank(items),
    }
    return [
        row(
            system,
            "match",
            name,
            bootstrap_interval(per_owner(value_T, targets), draws=options.draws, seed=options.seed),
            view,
        )
        for name, value_T in figures.items()
    ]


def per_owner(value_T: NDArray[np.float64], targets: MatchTargets) -> NDArray[np.float64]:
    """Mean over each owner's targets: an owner, not a request, is what is drawn again."""
    known_T = ~np.isnan(value_T)
    _, owner_T = np.unique(targets.owner_T, return_inverse=True)
    total = np.bincount(owner_T[known_T], value_T[known_T], minlength=owner_T.max() + 1)
    count = np.bincount(owner_T[known_T], minlength=owner_T.max() + 1)
    none = np.full(len(count), np.nan)
    mean_U: NDArray[np.float64] = np.divide(total, count, out=none, where=count > 0)
    return mean_U


def _differences(
    ranked: dict[tuple[str, str], Ranked],
    view: View,
    targets: MatchTargets,
    options: EvaluateOptions,
) -> list[Difference]:
    metric = f"ndcg@{options.k}"
    ours = per_owner(ranked[OURS, view.name].ndcg(options.k), targets)
    found = []
    for (system, name), other in ranked.items():
        if name != view.name or system == OURS:
            continue
        theirs = per_owner(other.ndcg(options.k), targets)
        gap = paired_interval(ours, theirs, draws=options.draws, seed=options.seed)
        found.append(Difference(OURS, system, name, metric, gap.value, gap.low, gap.high))
    return found


def _note_best_baseline(findings: ShopFindings) -> None:
    rows = [
        found
        for found in findings.rows
        if found.view == findings.headline
        and found.metric.startswith("ndcg")
        and found.system != OURS
    ]
    if rows:
        best = max(rows, key=lambda found: found.value)
        findings.notes.append(
            f"The strongest baseline in view {findings.headline} is {best.system}, "
            f"{best.metric} {best.value:.3f}."
        )
