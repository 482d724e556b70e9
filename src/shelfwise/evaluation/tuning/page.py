"""A search as one page for a browser: whole in a single file, without scripts."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from shelfwise.data.whole_file import write_whole
from shelfwise.evaluation.data_plots import Bar, bars_plot
from shelfwise.evaluation.page import page_environment, refuse_no_place
from shelfwise.evaluation.plots import Plot
from shelfwise.evaluation.report_words import DASH, figure
from shelfwise.evaluation.tuning.plots import front_plot, history_plot, option_plot
from shelfwise.evaluation.tuning.report import TuneReport
from shelfwise.evaluation.tuning.words import short_names, short_value, where_words
from shelfwise.tuning.records import Trial

_TEMPLATE = "tune.html.j2"
_NONE = -1  # no trial has this number


def tune_page(report: TuneReport) -> str:
    """The page as HTML; a section without anything to show is left out."""
    done = [trial for trial in report.trials if trial.state == "done"]
    plots = _options(report) if done else []
    sections = {
        "found": "What was found",
        **({"course": "The course of the search"} if done else {}),
        **({"importance": "What matters"} if report.importance else {}),
        **({"options": "Each option"} if plots else {}),
        **({"fidelity": "Cheap looks"} if report.fidelities else {}),
        **({"test": "On the test"} if report.test else {}),
        "trials": "Trials",
        "protocol": "Protocol",
        "reproduce": "How to get these figures again",
    }
    page = page_environment().get_template(_TEMPLATE)
    return page.render(
        report=report,
        sections=sections,
        course=_course(report) if done else [],
        importance=bars_plot("Share of what differs", _bars(report)) if report.importance else "",
        options=plots,
        lines=[_line(trial, report) for trial in report.trials if trial.counts],
        where={axis["name"]: where_words(axis) for axis in report.space},
    )


def write_tune_page(report: TuneReport, file: Path) -> None:
    """Write the page to ``file``, whole or not at all.

    Raises:
        ConfigError: as `refuse_no_place`.
    """
    refuse_no_place(file)
    write_whole(file, tune_page(report))


class _Line(NamedTuple):
    """A trial, ready to be read."""

    number: int
    state: str
    values: str
    seconds: str
    params: list[str]
    why: str
    chosen: bool


def _course(report: TuneReport) -> list[Plot]:
    chosen = _NONE if report.chosen is None else report.chosen
    first, rising = report.objectives[0], report.rising[0]
    found = [Plot("Best so far", history_plot(report.trials, first, rising, chosen), first)]
    if len(report.objectives) == 2:
        front = {trial.number for trial in report.front}
        about = "marked: none is better in both"
        found.append(Plot("Front", front_plot(report.trials, report.objectives, front), about))
    return found


def _bars(report: TuneReport) -> list[Bar]:
    names = short_names(list(report.importance))
    return [Bar(names[name], share, f"{share:.1%}") for name, share in report.importance.items()]


def _options(report: TuneReport) -> list[Plot]:
    """One picture an option, those that matter most first."""
    axes = sorted(report.space, key=lambda axis: -report.importance.get(axis["name"], 0.0))
    names = short_names([axis["name"] for axis in axes])
    chosen = _NONE if report.chosen is None else report.chosen
    return [
        Plot(names[axis["name"]], option_plot(axis, report.trials, report.objectives[0], chosen))
        for axis in axes
        if any(trial.state == "done" and axis["name"] in trial.params for trial in report.trials)
    ]


def _line(trial: Trial, report: TuneReport) -> _Line:
    names = short_names([axis["name"] for axis in report.space])
    return _Line(
        number=trial.number,
        state=trial.state if trial.kept else f"{trial.state}, breaks a limit",
        values=", ".join(figure(value, 4) for value in trial.values) or DASH,
        seconds=figure(trial.seconds, 0),
        params=[f"{names[name]} = {short_value(value)}" for name, value in trial.params.items()],
        why=trial.why,
        chosen=trial.number == report.chosen,
    )
