"""A shop's run measured: rankings of the catalogue, clicks and conversions, examples.

Shape suffixes in this file: T = targets, V = items, N = impressions.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from shelfwise.data.batches import examples_of
from shelfwise.data.part_rows import LEARNED, TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import split_warning
from shelfwise.data.targets import MatchTargets, match_targets
from shelfwise.evaluation.baselines.choose import baselines
from shelfwise.evaluation.baselines.click_models import click_models
from shelfwise.evaluation.best_baseline import best_baseline_notes
from shelfwise.evaluation.beyond_accuracy import Shelf, list_rows
from shelfwise.evaluation.by_field import calibration_rows, surface_field
from shelfwise.evaluation.click_threshold import called_clicks
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.examples import example_rankings
from shelfwise.evaluation.impressions import (
    Forecast,
    Outcomes,
    grouped_auc_note,
    impression_rows,
    item_rates,
    open_windows_note,
    oracle,
    reliability,
    row,
)
from shelfwise.evaluation.judged_search import judged_search
from shelfwise.evaluation.match import Ranked, SampledView, View, rank_all, views
from shelfwise.evaluation.per_owner import per_owner
from shelfwise.evaluation.report import OURS, Difference, Example, Reliability, Row
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.evaluation.sampled import NAME as SAMPLED
from shelfwise.evaluation.sampled import sampled_candidates
from shelfwise.evaluation.slices.of_clicks import click_slices
from shelfwise.evaluation.slices.slices import Slices
from shelfwise.evaluation.stored_answers import (
    ShopAnswers,
    evenly_spread,
    impression_table,
    shop_answers,
)
from shelfwise.evaluation.verdicts import verdicts
from shelfwise.metrics.bootstrap import bootstrap_interval, bootstrap_rows, paired_interval
from shelfwise.models.config import ModelOptions
from shelfwise.ranking.loaded_run import LoadedRun
from shelfwise.retrieval.taken import taken_in
from shelfwise.schema.progress import Progress

_COLD_PLACES = 100
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
    slices: list[Slices] = field(default_factory=list)
    answers: list[ShopAnswers] = field(default_factory=list)  # one, of shops


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
    if prepared.has_impressions:
        _measure_impressions(scorer, findings, options, truth, progress)
    search = judged_search(prepared, {OURS: scorer.search}, options)
    findings.rows.extend(search.rows)
    findings.notes.extend(search.notes)
    findings.notes.extend(_task_notes(run))
    ranking = f"ndcg@{options.k}"
    findings.notes.extend(best_baseline_notes(findings.rows, findings.headline, ranking))
    return findings


def _measure_impressions(
    scorer: RunScorer,
    findings: ShopFindings,
    options: EvaluateOptions,
    truth: Path | None,
    progress: Progress,
) -> None:
    """Add what was predicted of each row shown, beside what happened."""
    prepared = scorer.prepared
    examples = examples_of(prepared, ["test"])
    outcomes = Outcomes.of(examples)
    if len(outcomes.item_N) == 0:
        findings.notes.append("No test impression: clicks and conversions cannot be measured.")
        return
    training = examples_of(prepared, LEARNED)
    heard = scorer.hear(examples, progress)
    ours = heard.forecast(OURS)
    by_hand = click_models(prepared, progress)
    findings.figures.update(by_hand.figures)
    findings.notes.extend(by_hand.notes)
    forecasts = [
        ours,
        heard.forecast(f"{OURS}/no-position", with_position=False),
        heard.forecast(UNCALIBRATED, calibrated=False),
        item_rates(prepared, training, outcomes),
        *by_hand.forecasts,
    ]
    if truth is not None:
        forecasts.append(oracle(prepared, truth, outcomes))
    surface = surface_field(examples)
    for forecast in forecasts:
        findings.rows.extend(impression_rows(outcomes, forecast, options))
        findings.rows.extend(calibration_rows(surface, outcomes, forecast, options))
    _call_clicks(scorer, outcomes, forecasts, findings, options, progress)
    findings.reliability.extend(reliability(outcomes, ours))
    findings.slices.extend(click_slices(prepared, outcomes, ours, scorer.run.learned))
    table = impression_table(prepared, outcomes, ours)
    findings.answers[:] = [replace(kept, impressions=table) for kept in findings.answers]
    findings.notes.append(grouped_auc_note(outcomes))
    findings.notes.append(open_windows_note(outcomes.clicked_N, outcomes.known_N))
    findings.notes.append(
        "ECE intervals lie high: resampling adds noise that the error can only grow by."
    )


def _call_clicks(
    scorer: RunScorer,
    outcomes: Outcomes,
    forecasts: list[Forecast],
    findings: ShopFindings,
    options: EvaluateOptions,
    progress: Progress,
) -> None:
    """Add precision and recall of our clicks and of the item rates', thresholds from validation."""
    examples = examples_of(scorer.prepared, ["validation"])
    chosen_on = Outcomes.of(examples)
    rates = item_rates(scorer.prepared, examples_of(scorer.prepared, TRAINED), chosen_on)
    ours = scorer.forecast(examples, OURS, with_position=True, progress=progress)
    tested = {forecast.system: forecast for forecast in forecasts}
    if not chosen_on.clicked_N.any():
        findings.notes.append("Validation has no click to choose a threshold by: none are called.")
    elif "validation" in scorer.run.learned:
        findings.notes.append(
            f"{OURS} was refitted on validation too, so the threshold of its clicks was chosen on "
            "rows that it has learned from; the figures at it are the test's."
        )
    for validation in (ours, rates):
        test = (outcomes, tested[validation.system])
        if called := called_clicks((chosen_on, validation), test, options):
            findings.rows.extend(called.rows)
            findings.notes.append(called.note)


def _measure_match(scorer: RunScorer, options: EvaluateOptions, progress: Progress) -> ShopFindings:
    prepared = scorer.prepared
    targets, notes = _sampled(match_targets(prepared, "test"), options)
    taken = taken_in(prepared, LEARNED)
    warm_V = np.bincount(taken.item_E, minlength=taken.items) > 0
    looked_at = views(prepared, targets, warm_V)
    if len(targets) == 0:
        return ShopFindings(
            headline=looked_at[0].name,
            notes=["No test request over the whole catalogue: nothing to rank."],
            answers=[shop_answers(prepared, targets, {})],
        )
    encoder = ModelOptions.model_validate(scorer.run.manifest.facts["model"]).encoder
    rivals = baselines(prepared, progress, encoder)
    systems = {OURS: scorer.match} | {rival.name: rival.scores for rival in rivals.found}
    shown: list[View | SampledView] = list(looked_at)
    if options.sampled_negatives:
        candidates = sampled_candidates(prepared, targets, looked_at[0], options)
        shown.append(candidates.view)
        notes.append(candidates.note)
    ranked = rank_all(systems, targets, shown, taken.items, progress, options.k)
    findings = ShopFindings(
        headline=looked_at[0].name,
        figures=rivals.figures(),
        notes=[*notes, *rivals.notes, rivals.told(), _learned_from_note(scorer.run)],
    )
    for (system, name), found in ranked.items():
        findings.rows.extend(_match_rows((system, name), found, targets, options, taken.items))
    vector_VH = scorer.run.known.item_text_VH.cpu().numpy()
    shelf = Shelf.of(taken, targets, vector_VH, verdicts(prepared, targets))
    findings.notes.append(shelf.verdicts.note)
    for system in systems:
        top_TK = ranked[system, looked_at[0].name].top_TK
        findings.rows.extend(list_rows(system, top_TK, shelf, targets, options))
    for view in looked_at:
        if view.name != "cold":
            findings.differences.extend(_differences(ranked, view, targets, options))
    findings.answers.append(
        shop_answers(prepared, targets, {view.name: ranked[OURS, view.name] for view in looked_at})
    )
    head = looked_at[0]
    findings.examples.extend(
        example_rankings(prepared, targets, head, scorer.match, options.examples)
    )
    return findings


def _sampled(targets: MatchTargets, options: EvaluateOptions) -> tuple[MatchTargets, list[str]]:
    chosen = evenly_spread(targets, options.most_targets)
    if len(chosen) == len(targets):
        return targets, []
    return chosen, [
        f"{len(chosen)} of {len(targets)} test requests were ranked, evenly spread over time "
        "(evaluate.most_targets)."
    ]


def _learned_from_note(run: LoadedRun) -> str:
    """Validation is the latest behaviour there is: who has learned from it is ahead."""
    ours = "so did" if "validation" in run.learned else "training alone (train.refit) has taught"
    return f"Baselines learned from training and validation; {ours} {OURS}."


def _task_notes(run: LoadedRun) -> list[str]:
    """Tasks beside the main ones, as validation saw them, and those that were not learned."""
    facts = run.manifest.facts
    figures = facts.get("auxiliary_figures", {})
    told = [
        f"{name} {found['value']:.3f} (without looking {found['baseline']:.3f}, "
        f"{found['support']:,} rows)"
        for name, found in figures.items()
        if found["value"] is not None
    ]
    notes = [f"Learned beside, on validation: {'; '.join(told)}."] if told else []
    left_out = facts.get("tasks_left_out", {})
    why = "; ".join(f"{task}: {reason}" for task, reason in left_out.items())
    return [*notes, f"Not learned: {why}."] if why else notes


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
        f"hr@{options.k}": found.hit_rate(options.k),
        f"map@{options.k}": found.average_precision(options.k),
        "mrr": found.reciprocal_rank(items),
    }
    if view == SAMPLED:  # with one right item recall is the hit rate, and MAP a cut MRR
        figures = {name: figures[name] for name in (f"ndcg@{options.k}", f"hr@{options.k}", "mrr")}
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
