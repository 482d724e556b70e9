"""A run under attack as one page for a browser: whole in a single file, without scripts."""

from __future__ import annotations

from pathlib import Path

from shelfwise.data.whole_file import write_whole
from shelfwise.evaluation.attack_plot import attack_plot
from shelfwise.evaluation.attacks.attack import AttackReport
from shelfwise.evaluation.attacks.curve import Curve
from shelfwise.evaluation.page import page_environment, refuse_no_place
from shelfwise.evaluation.plots import Plot
from shelfwise.evaluation.report_words import figure, interval

_TEMPLATE = "attack.html.j2"


def attack_page(report: AttackReport) -> str:
    """The page as HTML; a section without data is left out."""
    environment = page_environment()
    environment.filters |= {"interval": lambda one: interval(*one)}
    sections = {"curves": "Attacks"}
    if report.slices:
        sections["slices"] = "Hurt most"
    if report.harmed:
        sections["harmed"] = "Examples"
    if report.pushes:
        sections["pushes"] = "Stuffed titles"
    if report.lists:
        sections["lists"] = "Clean lists"
    sections["protocol"] = "Protocol"
    return environment.get_template(_TEMPLATE).render(
        report=report,
        sections=sections,
        plots_of=[Plot(_title(curve), attack_plot(curve), _told(curve)) for curve in report.curves],
    )


def write_attack_page(report: AttackReport, file: Path) -> None:
    """Write the page to ``file``, whole or not at all.

    Raises:
        ConfigError: as `refuse_no_place`.
    """
    refuse_no_place(file)
    write_whole(file, attack_page(report))


def _title(curve: Curve) -> str:
    return f"{curve.attack.capitalize()}: {figure(curve.robustness)} left"


def _told(curve: Curve) -> str:
    low, high = figure(curve.robustness_low), figure(curve.robustness_high)
    return f"{curve.metric}, {curve.units:,} units; left [{low}, {high}]"
