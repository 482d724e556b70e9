"""Does the run know its training by heart, too little of it, or is it still learning?

Told from the saved state, asked about requests it has learned and about others, and from the curve
of its training: what it said of both at every check. The network is asked, before calibration: what
calibrators do to its order is an illness of theirs.
"""

from __future__ import annotations

from math import isnan
from typing import Any, NamedTuple

import numpy as np

from shelfwise.data.part_rows import TRAINED
from shelfwise.evaluation.diagnosis.case import Case
from shelfwise.evaluation.diagnosis.finding import Evidence, Finding, Severity
from shelfwise.evaluation.slices.influence import (
    Estimate,
    Gap,
    auc_estimate,
    gap_of,
    interval_of,
    mean_estimate,
)

# Of the AUC of clicks and of NDCG@10. A network that is told who somebody is always does somewhat
# better on what it has learned: by .03 to .09 and .08 to .10 in healthy runs of small sample shops
# (.12 and .14 at their last check), by .38 and .82 in one that was planted ill.
_HEART_AUC = 0.12
_HEART_NDCG = 0.28
_FALL = 0.01  # of the validation score since its best
_PATIENT = 5  # checks after the best that patience may ask for
_FEW_STEPS = 10  # the learning rate has hardly warmed up
_FEW_PASSES = 0.5  # over the training requests
_RISE = 0.01  # of the validation score over the last quarter of the steps


class _Figure(NamedTuple):
    """One metric of learned and of held-out requests."""

    name: str
    key: str  # of the curve's checks
    limit: float  # gap from which the training is known by heart
    learned: Evidence
    held_out: Evidence
    gap: Gap


def fitting_findings(case: Case) -> list[Finding]:
    """One verdict: overfit, underfit, still learning, or neither."""
    figures = _figures(case)
    course = _Course.of(case)
    evidence = [one for figure in figures for one in (figure.learned, figure.held_out)]
    evidence += [
        Evidence.of_interval(f"{figure.name}, learned less held out", figure.gap.interval)
        for figure in figures
    ] + course.evidence()
    if (found := _overfit(figures, course)) is not None:
        return [Finding(*found, evidence=evidence, action=_less(case))]
    below = _below_simple(case)
    if below is not None:
        evidence.append(
            Evidence.of_interval("click AUC, less item and place rates", below.interval)
        )
    if (found := _underfit(case, figures, course, below)) is not None:
        action = (
            "Train longer (train.epochs, train.minutes, train.patience) or with a higher "
            "train.learning_rate."
        )
        return [Finding(*found, evidence=evidence, action=action)]
    if below is not None and below.high < 0:
        return [
            Finding(
                "behind simple rates",
                "warning",
                f"The rates of items and places alone tell clicks better than the network: click "
                f"AUC {-below.value:.3f} higher on {case.judged}.",
                evidence,
                "Bring more data, or train longer with more learning layers "
                "(model.encoder.tuning.layers); until then the simple rates would do.",
            )
        ]
    return [
        Finding(
            "fit",
            "fine",
            "Neither over- nor underfit: what was learned carries over to requests that were not, "
            f"and the validation score {course.ending}.",
            evidence,
        )
    ]


def _figures(case: Case) -> list[_Figure]:
    learned, held_out = case.heard["train"], case.held_out
    found = []
    if case.has_impressions and len(learned.answers.click_N):
        one, other = (
            auc_estimate(h.network_click_N, h.answers.clicked_N) for h in (learned, held_out)
        )
        owners = (learned.owner_N, held_out.owner_N)
        found.append(_figure(("click AUC", "click_auc", _HEART_AUC), one, other, owners))
    kept = [~np.isnan(h.answers.ndcg_R) for h in (learned, held_out)]
    if all(k.any() for k in kept):
        one, other = (
            mean_estimate(h.answers.ndcg_R[k])
            for h, k in zip((learned, held_out), kept, strict=True)
        )
        owners = (learned.owner_R[kept[0]], held_out.owner_R[kept[1]])
        found.append(_figure(("match NDCG@10", "request_ndcg@10", _HEART_NDCG), one, other, owners))
    return found


def _figure(
    what: tuple[str, str, float], learned: Estimate, held_out: Estimate, owners: tuple[Any, Any]
) -> _Figure:
    name, key, limit = what
    return _Figure(
        name,
        key,
        limit,
        Evidence.of_interval(f"{name}, learned requests", interval_of(learned, owners[0])),
        Evidence.of_interval(f"{name}, held-out requests", interval_of(held_out, owners[1])),
        gap_of(learned, owners[0], held_out, owners[1]),
    )


class _Course(NamedTuple):
    """What happened to the validation score in training."""

    best_step: int
    last_step: int
    passes: float  # over the training requests, up to the last step
    best_score: float
    last_score: float
    risen_lately: float  # of the score, over the last quarter of the steps; nan: too few checks
    checks_since: int  # checks after the best one
    by_heart_at_last: bool  # learned far above held out at the last check
    learned_since: dict[str, float]  # how much figures of learned requests rose since the best step

    @classmethod
    def of(cls, case: Case) -> _Course:
        facts = case.run.manifest.facts
        checks = [check for check in case.checks if check["score"] is not None]
        batch = float(facts["train"]["batch_requests"])
        requests = sum(len(case.heard[part].examples) for part in TRAINED)
        steps = int(facts["steps"])
        passes = steps * min(batch, requests) / max(requests, 1)
        if not checks:
            nan = float("nan")
            return cls(int(facts["best_step"]), steps, passes, nan, nan, nan, 0, False, {})
        best = max(checks, key=lambda check: check["score"])
        last = checks[-1]
        earlier = [check for check in checks if check["step"] <= 0.75 * last["step"]]
        risen = last["score"] - earlier[-1]["score"] if earlier else float("nan")
        return cls(
            best["step"],
            steps,
            passes,
            best["score"],
            last["score"],
            risen,
            sum(check["step"] > best["step"] for check in checks),
            _by_heart(last),
            _change(best.get("learned"), last.get("learned")),
        )

    @property
    def ending(self) -> str:
        """How the score stood when training ended, in words."""
        if isnan(self.best_score):
            return "cannot be told"
        if self.best_step < self.last_step:
            return f"was best at step {self.best_step:,} of {self.last_step:,}"
        return "hardly rose any more"

    def evidence(self) -> list[Evidence]:
        """The course in figures."""
        return [
            Evidence("steps taken", self.last_step),
            Evidence("passes over the training requests", self.passes),
            Evidence("best step", self.best_step),
            Evidence("validation score at its best", self.best_score),
            Evidence("validation score at the last check", self.last_score),
        ]


def _by_heart(check: dict[str, Any]) -> bool:
    learned, held_out = check.get("learned") or {}, check.get("held_out") or {}
    return any(
        learned[name] - held_out[name] > limit
        for name, limit in (("click_auc", _HEART_AUC), ("request_ndcg@10", _HEART_NDCG))
        if learned.get(name) is not None and held_out.get(name) is not None
    )


def _change(one: dict[str, Any] | None, other: dict[str, Any] | None) -> dict[str, float]:
    one, other = one or {}, other or {}
    return {
        name: other[name] - one[name]
        for name in one
        if one[name] is not None and other.get(name) is not None
    }


def _overfit(figures: list[_Figure], course: _Course) -> tuple[str, Severity, str] | None:
    by_heart = [figure for figure in figures if figure.gap.low > figure.limit]
    fall = course.best_score - course.last_score
    rose = [
        name
        for name, change in course.learned_since.items()
        if name in ("click_auc", "request_ndcg@10") and change > 2 * _FALL
    ]
    # Stopping a few checks after the best is what patience is for, unless by then the training
    # was known by heart.
    late = course.last_step > 2 * course.best_step and course.checks_since > _PATIENT
    went_on = fall > _FALL and bool(rose) and (late or course.by_heart_at_last)
    if not by_heart and not went_on:
        return None
    said = []
    if by_heart:
        said.append(
            "; ".join(
                f"{one.name} is {one.learned.value:.3f} on learned requests and "
                f"{one.held_out.value:.3f} on others"
                for one in by_heart
            )
        )
    if went_on:
        said.append(
            f"training went on to step {course.last_step:,} while validation was best at "
            f"{course.best_step:,} and fell by {fall:.3f} since; the kept state is that of the "
            "best step"
        )
    return "overfit", "illness", f"Overfit: {'; '.join(said)}."


def _less(case: Case) -> str:
    requests = len(case.heard["train"].examples)
    return (
        f"Train on more than these {requests:,} requests, or stop sooner (train.patience, "
        "train.epochs), with more model.heads.dropout, model.history.dropout and "
        "train.weight_decay."
    )


def _below_simple(case: Case) -> Gap | None:
    if not case.has_impressions:
        return None
    heard = case.held_out
    if np.isnan(heard.simple_click_N).any():
        return None
    ours = auc_estimate(heard.network_click_N, heard.answers.clicked_N)
    simple = auc_estimate(heard.simple_click_N, heard.answers.clicked_N)
    return gap_of(ours, heard.owner_N, simple, heard.owner_N)


def _underfit(
    case: Case, figures: list[_Figure], course: _Course, below: Gap | None
) -> tuple[str, Severity, str] | None:
    if any(figure.gap.low > figure.limit / 2 for figure in figures):
        return None
    if below is not None and below.high < 0 and _learned_is_low(case):
        return (
            "underfit",
            "illness",
            f"Underfit: click AUC is {-below.value:.3f} below what the rates of items and places "
            f"alone reach, on learned requests as well as on others, after "
            f"{course.last_step:,} steps ({course.passes:.2g} passes).",
        )
    at_its_end = course.best_step == course.last_step
    if at_its_end and (course.last_step < _FEW_STEPS or course.passes < _FEW_PASSES):
        return (
            "underfit",
            "illness",
            f"Underfit: training ended after {course.last_step:,} "
            f"{'step' if course.last_step == 1 else 'steps'} ({course.passes:.2g} passes over its "
            "requests), at its best so far, and knows learned requests no better than others.",
        )
    if at_its_end and course.risen_lately > _RISE:
        return (
            "still learning",
            "warning",
            "Training ended before the validation score stopped rising: the last check is the "
            f"best, and it rose by {course.risen_lately:.3f} over the last quarter.",
        )
    return None


def _learned_is_low(case: Case) -> bool:
    """Whether even learned requests are answered worse than simple rates answer others."""
    learned, held_out = case.heard["train"], case.held_out
    ours = auc_estimate(learned.network_click_N, learned.answers.clicked_N)
    simple = auc_estimate(held_out.simple_click_N, held_out.answers.clicked_N)
    return gap_of(ours, learned.owner_N, simple, held_out.owner_N).high < 0
