"""Is there a column that knows the answer?

Two screens, column by column. An impression's columns are asked to tell clicks and purchases of
later rows all by themselves: one that leaves the whole network and the simplest rates far behind
was written with the outcome known; one that did much better on training rows than it does later was
made from training's own labels. A number of the catalogue is laid beside what items sold later
(`data of tomorrow`): see `future`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.evaluation.diagnosis.case import Case, Heard
from shelfwise.evaluation.diagnosis.finding import Evidence, Finding
from shelfwise.evaluation.diagnosis.future import Foresight, foresights
from shelfwise.evaluation.slices.columns import impression_columns, item_columns
from shelfwise.evaluation.slices.influence import Gap, auc_estimate, gap_of, interval_of
from shelfwise.metrics.bootstrap import Interval

_FEWEST = 20  # rows of either label
_FAR = 0.05  # AUC by which a column alone must leave everything honest behind
_GOOD = 0.7  # AUC below which a column is no suspect, whatever else is worse
_FADES = 0.08  # AUC lost from training to later rows
_BINS = 64
_PRIOR = 20.0  # rows that the mean rate counts as


class Faded(NamedTuple):
    """AUC of a number by its size, on training rows and on later ones."""

    before: float
    after: float
    lost: Gap


class Alone(NamedTuple):
    """What one column tells of one label."""

    column: str
    label: str
    later: Interval  # AUC on held-out rows, learned from training rows
    best: Interval  # AUC of the network or the simple rates there, whichever is higher
    ahead: Gap  # later less best
    faded: Faded | None  # None: words, not a number


def leak_findings(case: Case) -> list[Finding]:
    """The worst suspect, with its figures and those of the next."""
    screened = list(screen(case)) if case.has_impressions else []
    numbers = {
        name: column
        for name, column in zip(
            item_columns(case.prepared).columns, item_columns(case.prepared), strict=True
        )
        if column.dtype.is_numeric()
    }
    seen_ahead = foresights(case.prepared, numbers, case.judged)
    found = [*_knows_label(screened), *_knows_future(seen_ahead), *_fades(screened)]
    if found:
        return found[:1]
    columns = len({one.column for one in screened} | set(numbers))
    strongest = max(screened, key=lambda one: one.later.value, default=None)
    told = f", the strongest alone being {strongest.column}" if strongest else ""
    evidence = [_later(strongest), _best(strongest)] if strongest else []
    return [
        Finding(
            "leaks",
            "fine",
            f"None of {columns} columns tells an outcome that it could not have known{told}.",
            evidence,
        )
    ]


def _knows_label(screened: list[Alone]) -> list[Finding]:
    bad = [one for one in screened if one.ahead.low > _FAR and one.later.low > _GOOD]
    bad.sort(key=lambda one: -one.ahead.low)
    return [
        Finding(
            "leaked feature",
            "illness",
            f"Column {one.column!r} alone tells {one.label} on held-out rows with AUC "
            f"{one.later.value:.3f}; the best of the network and the item and place rates reach "
            f"{one.best.value:.3f}. It was most likely written once the outcome was known.",
            [_later(one), _best(one), _ahead(one)],
            f"Leave {one.column!r} out of [features] or use its value as of the request; then "
            "prepare and train again.",
        )
        for one in bad
    ]


def _fades(screened: list[Alone]) -> list[Finding]:
    bad = [
        one
        for one in screened
        if one.faded is not None and one.faded.lost.low > _FADES and one.faded.before > _GOOD
    ]
    return [
        Finding(
            "leaked feature",
            "illness",
            f"Column {one.column!r} tells {one.label} with AUC "
            f"{one.faded.before:.3f} on training rows and {one.faded.after:.3f} on later ones: it "
            "was most likely made from the labels of training.",
            [_later(one), Evidence.of_interval(f"{one.column}: AUC lost", one.faded.lost.interval)],
            f"Compute {one.column!r} from what came strictly before each request, or leave it out "
            "of [features]; then prepare and train again.",
        )
        for one in bad
        if one.faded is not None
    ]


def _knows_future(seen_ahead: list[Foresight]) -> list[Finding]:
    bad = sorted((one for one in seen_ahead if one.leaks), key=lambda one: -one.excess.low)
    return [
        Finding(
            "leaked feature",
            "illness",
            f"Catalogue column {one.column!r} follows what items had {one.behaviour} in "
            f"{one.part} (correlation {one.found:.2f}{one.given}) more closely than anything "
            f"known before could ({one.ceiling:.2f}): it was most likely counted afterwards.",
            [
                Evidence(f"{one.column}: correlation with {one.behaviour} of {one.part}", one.found,
                         support=one.excess.support, of="items"),
                Evidence("the most that can be known before", one.ceiling),
                Evidence.of_interval("correlation above that", one.excess, "items"),
            ],
            f"Take {one.column!r} as it stood before the request (or leave it out of [features]); "
            "then prepare and train again.",
        )
        for one in bad
    ]  # fmt: skip


def _later(one: Alone) -> Evidence:
    return Evidence.of_interval(f"{one.column} alone: AUC of {one.label}", one.later)


def _best(one: Alone) -> Evidence:
    return Evidence.of_interval(f"best of network and rates: AUC of {one.label}", one.best)


def _ahead(one: Alone) -> Evidence:
    return Evidence.of_interval("difference", one.ahead.interval)


class _Rows(NamedTuple):
    """A label on some impressions of a part."""

    place_N: NDArray[np.int64]  # rows that have the label
    label_N: NDArray[np.bool_]
    owner_N: NDArray[np.int64]


def screen(case: Case) -> Iterator[Alone]:
    """Every column of the impressions against clicks, and purchases of clicked and shown rows."""
    learned, later = case.heard["train"], case.held_out
    columns = [_columns_of(case, heard) for heard in (learned, later)]
    for label in ("clicked", "bought once clicked", "bought"):
        train, test = _labelled(learned, label), _labelled(later, label)
        few = [min(int(r.label_N.sum()), int((~r.label_N).sum())) for r in (train, test)]
        if min(few) < _FEWEST:
            continue
        best = _best_honest(later, test, label)
        for name in columns[0].columns:
            sides = (columns[0][name][train.place_N], columns[1][name][test.place_N])
            yield _alone(name, label, sides, (train, test), best)


def _columns_of(case: Case, heard: Heard) -> pl.DataFrame:
    shown = pl.DataFrame(
        {
            "request": heard.examples.request_R[heard.answers.request_N],
            "item": heard.answers.item_N,
        }
    )
    return impression_columns(case.prepared, shown)


def _labelled(heard: Heard, label: str) -> _Rows:
    answers = heard.answers
    match label:
        case "clicked":
            kept_N, label_N = np.ones(len(answers.clicked_N), bool), answers.clicked_N
        case "bought once clicked":
            kept_N, label_N = heard.judged_N, answers.purchased_N
        case _:
            kept_N, label_N = answers.known_N, answers.purchased_N
    return _Rows(np.flatnonzero(kept_N), label_N[kept_N], heard.owner_N[kept_N])


def _best_honest(heard: Heard, rows: _Rows, label: str) -> NDArray[np.float64]:
    answers = heard.answers
    ours = {
        "clicked": answers.click_N,
        "bought once clicked": answers.convert_N,
        "bought": answers.click_N * answers.convert_N,
    }[label]
    rivals = [ours[rows.place_N].astype(np.float64)]
    if label != "bought once clicked":
        rivals.append(heard.simple_click_N[rows.place_N])
    return max(rivals, key=lambda score_N: auc_estimate(score_N, rows.label_N).value)


def _alone(
    name: str,
    label: str,
    sides: tuple[pl.Series, pl.Series],
    rows: tuple[_Rows, _Rows],
    best_N: NDArray[np.float64],
) -> Alone:
    train, test = rows
    rate = auc_estimate(_rate_scores(sides, train.label_N), test.label_N)
    faded = None
    if sides[0].dtype.is_numeric():
        values = [_filled(side) for side in sides]
        before = auc_estimate(values[0], train.label_N)
        sign = 1.0 if before.value >= 0.5 else -1.0
        before = auc_estimate(sign * values[0], train.label_N)
        after = auc_estimate(sign * values[1], test.label_N)
        lost = gap_of(before, train.owner_N, after, test.owner_N)
        faded = Faded(before.value, after.value, lost)
        rate = max(rate, after, key=lambda one: one.value)
    best = auc_estimate(best_N, test.label_N)
    return Alone(
        name,
        label,
        interval_of(rate, test.owner_N),
        interval_of(best, test.owner_N),
        gap_of(rate, test.owner_N, best, test.owner_N),
        faded,
    )


def _filled(column: pl.Series) -> NDArray[np.float64]:
    """Numbers, missing ones in their middle."""
    numbers = column.cast(pl.Float64).fill_nan(None)
    middle = numbers.median()
    return numbers.fill_null(middle if isinstance(middle, float) else 0.0).to_numpy()


def _rate_scores(
    sides: tuple[pl.Series, pl.Series], label_N: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The label's rate in training at each later row's value, or bin, or lack of one."""
    before_N, after_N = _codes(*sides)
    size = int(max(before_N.max(initial=0), after_N.max(initial=0))) + 1
    seen = np.bincount(before_N, minlength=size)
    hit = np.bincount(before_N, label_N.astype(np.float64), minlength=size)
    rate = (hit + _PRIOR * label_N.mean()) / (seen + _PRIOR)
    scores_N: NDArray[np.float64] = rate[after_N]
    return scores_N


def _codes(before: pl.Series, after: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for each value or bin of training; 0 stands for a missing one."""
    if before.dtype.is_numeric() and before.drop_nulls().n_unique() > _BINS:
        known = before.cast(pl.Float64).drop_nulls().drop_nans().to_numpy()
        edges = np.unique(np.quantile(known, np.linspace(0, 1, _BINS)[1:-1]))
        found = [
            np.where(
                side.is_null().to_numpy(),
                0,
                np.searchsorted(edges, side.cast(pl.Float64).fill_null(0).to_numpy(), "right") + 1,
            )
            for side in (before, after)
        ]
        return found[0].astype(np.int64), found[1].astype(np.int64)
    words = pl.concat([side.cast(pl.String).rename("value") for side in (before, after)])
    codes = words.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    return codes[: len(before)], codes[len(before) :]
