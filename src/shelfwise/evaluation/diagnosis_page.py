"""A diagnosis as one page for a browser: whole in a single file, without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Any

from shelfwise.data.whole_file import write_whole
from shelfwise.evaluation.diagnosis.diagnose import Diagnosis
from shelfwise.evaluation.diagnosis.finding import Evidence, Severity
from shelfwise.evaluation.diagnosis_plots import course_plot
from shelfwise.evaluation.page import page_environment, refuse_no_place
from shelfwise.evaluation.plots import Plot, Series, learning_plot
from shelfwise.evaluation.report_words import DASH, amount, figure, interval
from shelfwise.evaluation.slice_page import slice_groups

_TEMPLATE = "diagnosis.html.j2"
_MARKS: dict[Severity, tuple[str, str, str]] = {  # class, sign, word
    "illness": ("act", "!", "Ill:"),
    "warning": ("look", "?", "Warning:"),
    "note": ("note", "i", "Note:"),
    "fine": ("fine", "✓", "Fine:"),
}
_FIGURES = {
    "click_auc": "Click AUC",
    "click_log_loss": "Click log loss",
    "convert_auc": "Conversion AUC",
    "request_ndcg@10": "Match NDCG@10",
}


def diagnosis_page(found: Diagnosis) -> str:
    """The page as HTML; a section without data is left out."""
    environment = page_environment()
    environment.filters |= {"evidence": _evidence}
    worst = {(one.task, one.metric): one.sentence for one in found.sliced.worst}
    groups = list(slice_groups(found.sliced.tables, worst))
    courses = list(_courses(found))
    losses = list(_losses(found))
    sections = {"findings": "Findings"}
    if courses or losses:
        sections["curves"] = "Training"
    if groups:
        sections["slices"] = "Slices"
    if found.errors:
        sections["errors"] = "Worst errors"
    return environment.get_template(_TEMPLATE).render(
        found=found,
        marks=_MARKS,
        sections=sections,
        courses=courses,
        losses=losses,
        groups=groups,
    )


def write_diagnosis_page(found: Diagnosis, file: Path) -> None:
    """Write the page to ``file``, whole or not at all.

    Raises:
        ConfigError: as `refuse_no_place`.
    """
    refuse_no_place(file)
    write_whole(file, diagnosis_page(found))


def _evidence(one: Evidence) -> dict[str, str]:
    whole = isfinite(one.value) and (one.value == int(one.value) or abs(one.value) >= 100)
    return {
        "name": one.name,
        "value": (amount(one.value) if whole else figure(one.value)) or DASH,
        "interval": interval(one.low, one.high),
        "support": f"{one.support:,} {one.of}".strip() if one.support else "",
    }


def _courses(found: Diagnosis) -> Iterator[Plot]:
    checks = found.curve.get("checks", [])
    best = _best_step(checks)
    for key, name in _FIGURES.items():
        learned, held_out = (_series(checks, side, key) for side in ("learned", "held_out"))
        if learned.values and held_out.values:
            yield Plot(name, course_plot(learned, held_out, best))


def _losses(found: Diagnosis) -> Iterator[Plot]:
    losses = found.curve.get("losses", [])
    for name in ("match", "click", "purchase"):
        known = [(p["step"], p[name]) for p in losses if p.get(name)]
        if known:
            series = Series(name, [step for step, _ in known], [value for _, value in known])
            yield Plot(f"{name.capitalize()} loss", learning_plot(series))


def _series(checks: list[dict[str, Any]], side: str, key: str) -> Series:
    known = [
        (check["step"], value)
        for check in checks
        if (value := (check.get(side) or {}).get(key)) is not None
    ]
    name = {"learned": "learned requests", "held_out": "held-out requests"}[side]
    return Series(name, [step for step, _ in known], [value for _, value in known])


def _best_step(checks: list[dict[str, Any]]) -> int | None:
    scored = [check for check in checks if check.get("score") is not None]
    return max(scored, key=lambda check: check["score"])["step"] if scored else None
