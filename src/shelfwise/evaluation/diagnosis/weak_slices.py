"""Where is the run weakest: slices of the held-out part, cut by every column there is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from shelfwise.evaluation.diagnosis.case import Case, Heard
from shelfwise.evaluation.diagnosis.finding import Evidence, Finding
from shelfwise.evaluation.slices.facts import slice_table
from shelfwise.evaluation.slices.measure import Measure, Values, forecast_measures
from shelfwise.evaluation.slices.slices import Slice, Slices, slices_of
from shelfwise.evaluation.slices.worst import Worst, WorstSlice, worst_slices

_FEWEST = 20  # positives of the whole, below which no slice can tell


@dataclass(frozen=True, slots=True)
class SlicedRun:
    """A run's figures by slice, and the worst slices found."""

    tables: list[Slices] = field(default_factory=list)
    worst: list[Worst] = field(default_factory=list)


def sliced_run(case: Case) -> SlicedRun:
    """Clicks, conversions and matches of the held-out part, slice by slice."""
    tables, worst = [], []
    for table, measures, searched in _tables(case, case.held_out):
        tables += [slices_of(table, measure) for measure in measures]
        worst += [
            worst_slices(table, measure) for measure in measures if measure.metric in searched
        ]
    return SlicedRun(tables, worst)


def slice_findings(sliced: SlicedRun) -> list[Finding]:
    """The slices that are certainly worse than the whole, all in one finding."""
    named = [one for worst in sliced.worst for one in worst.found]
    if not sliced.worst:
        return []
    looked_at = sum(worst.looked_at for worst in sliced.worst)
    if looked_at == 0:
        return []  # too few rows to cut; said by the question of how much data there is
    if not named:
        return [
            Finding(
                "slices",
                "fine",
                f"No slice is certainly worse than the whole: {looked_at:,} slices and pairs of "
                "slices were looked at (Holm-corrected).",
            )
        ]
    first = next(worst for worst in sliced.worst if worst.found)
    return [
        Finding(
            "weak slices",
            "note",
            first.sentence,
            [_evidence(one) for one in named],
            f"Look at the rows of {named[0].slice.name}: are their texts, prices and labels as "
            "elsewhere? If so, they need more rows or a column that tells them apart.",
        )
    ]


def _evidence(one: WorstSlice) -> Evidence:
    found: Slice = one.slice
    name = f"{found.task} {found.metric} in {found.name}"
    return Evidence(name, found.value, found.low, found.high, found.users, "users")


def _tables(case: Case, heard: Heard) -> list[tuple[pl.DataFrame, list[Measure], tuple[str, ...]]]:
    """Rows in words, what they are judged by, and by which of these the worst are searched."""
    found: list[tuple[pl.DataFrame, list[Measure], tuple[str, ...]]] = []
    request_R = heard.examples.request_R
    answers = heard.answers
    if case.has_impressions and int(answers.clicked_N.sum()) >= _FEWEST:
        shown = pl.DataFrame(
            {
                "request": request_R[answers.request_N],
                "item": answers.item_N,
                "position": answers.position_N,
            }
        )
        table = slice_table(case.prepared, shown, case.run.learned)
        keys = (heard.owner_N, answers.request_N)
        clicks = forecast_measures("click", answers.click_N, answers.clicked_N, keys)
        found.append((table, list(clicks), ("auc", "pcoc")))
        rows = np.flatnonzero(heard.judged_N)
        if int(answers.purchased_N[rows].sum()) >= _FEWEST:
            bought = forecast_measures(
                "conversion",
                answers.convert_N[rows],
                answers.purchased_N[rows],
                (keys[0][rows], keys[1][rows]),
                ("auc", "pcoc"),
            )
            found.append((table[rows], list(bought), ()))
    return found + _matches(case, heard)


def _matches(case: Case, heard: Heard) -> list[tuple[pl.DataFrame, list[Measure], tuple[str, ...]]]:
    """Requests at which one item was taken: their NDCG is that item's."""
    examples = heard.examples
    taken_R = np.diff(examples.match_offset_R1)[heard.rows]
    once = np.flatnonzero((taken_R == 1) & ~np.isnan(heard.answers.ndcg_R))
    if len(once) < _FEWEST:
        return []
    rows = heard.rows[once]
    taken = pl.DataFrame(
        {
            "request": examples.request_R[rows],
            "item": examples.match_item_M[examples.match_offset_R1[rows]],
        }
    )
    table = slice_table(case.prepared, taken, case.run.learned)
    measure = Values("match", "ndcg@10", heard.answers.ndcg_R[once], examples.owner_R[rows])
    return [(table, [measure], ("ndcg@10",))]
