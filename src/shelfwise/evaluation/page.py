"""A report as one page for a browser: whole in a single file, without scripts, fit to be mailed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from shelfwise.data.whole_file import write_whole
from shelfwise.evaluation.fold_page import data_section, folds_section
from shelfwise.evaluation.metric_tables import (
    class_tables,
    difference_support,
    headline_rows,
    metric_tables,
)
from shelfwise.evaluation.plots import (
    Plot,
    Series,
    calibration_plot,
    difference_strip,
    forest_plot,
    learning_plot,
)
from shelfwise.evaluation.report import OURS, Difference, Report
from shelfwise.evaluation.report_words import (
    MAIN_VIEW,
    Outcome,
    amount,
    duration,
    figure,
    metric_words,
    outcome,
    sentence,
)
from shelfwise.evaluation.slice_page import slice_groups
from shelfwise.schema.errors import ConfigError

_HERE = "shelfwise.evaluation"
_TEMPLATE = "report.html.j2"


def report_page(report: Report) -> str:
    """The page as HTML; a section without data is left out."""
    learning, examples = _learning(report), report.examples
    parts: dict[str, Any] = {
        "verdicts": _verdicts(report),
        "data": report.data,
        "metrics": metric_tables(report.rows),
        "calibration": [
            Plot(_named(curve.task), calibration_plot(curve))
            for curve in report.reliability
            if curve.count
        ],
        "slices": list(slice_groups(report.slices)),
        "learning": learning,
        "data_curve": data_section(report.data_curve),
        "folds": folds_section(report.folds),
        "examples": examples,
        "classes": class_tables(report.rows),
        "figures": report.figures,
        "notes": report.notes,
        "reproduce": report.reproduce,
    }
    page = page_environment().get_template(_TEMPLATE)
    return page.render(
        report=report,
        sections=[section for section in _SECTIONS if parts[section.id]],
        forests=[
            Plot(_named(rows[0].task, rows[0].view), forest_plot(rows), rows[0].metric)
            for rows in headline_rows(report)
        ],
        glossary=_glossary(report),
        seeds=sorted({row.seeds for row in report.rows}),
        **parts,
    )


def write_page(report: Report, file: Path) -> None:
    """Write the page to ``file``, whole or not at all.

    Raises:
        ConfigError: as `refuse_no_place`.
    """
    refuse_no_place(file)
    write_whole(file, report_page(report))


def refuse_no_place(file: Path) -> None:
    """Said before the work whose result would have no place.

    Raises:
        ConfigError: the folder of ``file`` does not exist, or ``file`` is a folder.
    """
    if not file.parent.is_dir():
        raise ConfigError(f"{file}: the folder {file.parent} does not exist; make it first")
    if file.is_dir():
        raise ConfigError(f"{file}: is a folder; name a file to write the report to")


class _Section(NamedTuple):
    id: str
    title: str


_SECTIONS = (
    _Section("verdicts", "Verdicts"),
    _Section("data", "Data"),
    _Section("metrics", "Metrics"),
    _Section("calibration", "Calibration"),
    _Section("slices", "Slices"),
    _Section("learning", "Learning curve"),
    _Section("data_curve", "More data?"),
    _Section("folds", "Cross-validation"),
    _Section("examples", "Examples"),
    _Section("classes", "Classes"),
    _Section("figures", "Further figures"),
    _Section("notes", "Notes"),
    _Section("reproduce", "Make it again"),
)


class _Verdict(NamedTuple):
    outcome: Outcome
    sentence: str
    strip: Markup


class _Learning(NamedTuple):
    losses: list[Plot]
    checks: list[Plot]
    best_step: int | None


def _verdicts(report: Report) -> list[tuple[str, list[_Verdict]]]:
    """By view, the headline's first; in each the strongest rival, against which least is gained."""
    # Differences of one metric share a scale, so that their strips compare.
    limits: dict[str, float] = {}
    for d in report.differences:
        reach = max((abs(end) for end in (d.low, d.high) if isfinite(end)), default=0.0)
        limits[d.metric] = max(limits.get(d.metric, 0.0), reach)

    def verdict(d: Difference) -> _Verdict:
        support = difference_support(report, d.metric, d.a, d.view)
        return _Verdict(outcome(d), sentence(d, support), difference_strip(d, limits[d.metric]))

    views = dict.fromkeys(d.view for d in report.differences)
    ordered = sorted(views, key=lambda view: view != report.headline)
    return [
        (
            view,
            [
                verdict(d)
                for d in sorted(
                    (d for d in report.differences if d.view == view),
                    key=lambda d: (d.metric, d.value),
                )
            ],
        )
        for view in ordered
    ]


def _named(task: str, view: str = MAIN_VIEW) -> str:
    return task.capitalize() if view == MAIN_VIEW else f"{task.capitalize()}, {view}"


def _learning(report: Report) -> _Learning | None:
    losses, checks = report.curve.get("losses", []), report.curve.get("checks", [])
    scored = [(check["score"], check["step"]) for check in checks if _known(check["score"])]
    best_step = max(scored, key=lambda score_and_step: score_and_step[0])[1] if scored else None
    figures = [{"step": check["step"], **check["figures"]} for check in checks]
    learning = _Learning(
        # A task that the log cannot teach has loss 0 throughout.
        [Plot(s.name, learning_plot(s)) for s in _series(losses) if any(s.values)],
        [Plot(s.name, learning_plot(s, best_step)) for s in _series(figures)],
        best_step,
    )
    return learning if learning.losses or learning.checks else None


def _series(points: list[dict[str, Any]]) -> Iterator[Series]:
    for name in dict.fromkeys(key for point in points for key in point if key != "step"):
        known = [(p["step"], p[name]) for p in points if _known(p.get(name))]
        if known:
            yield Series(name, [int(step) for step, _ in known], [value for _, value in known])


def _known(value: float | None) -> bool:
    return value is not None and isfinite(value)


def _glossary(report: Report) -> dict[str, str]:
    """What the metrics on the page mean, for those that we can explain."""
    said = {row.metric: metric_words(row.metric) for row in report.rows}
    return {
        metric: f"{words.meaning}; {words.better} is better"
        for metric, words in said.items()
        if words
    }


def _counted(count: Any) -> str:
    """A number of the data summary, which may also be a word."""
    is_number = isinstance(count, int | float) and not isinstance(count, bool)
    return amount(count) if is_number else str(count)


def page_environment() -> Environment:
    """Templates beside this file, that escape what they are given and know our ways of writing."""
    templates = files(_HERE) / "templates"
    environment = Environment(
        loader=FunctionLoader(lambda name: (templates / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "amount": amount,
        "counted": _counted,
        "duration": duration,
        "figure": figure,
    }
    environment.globals["ours"] = OURS
    return environment
