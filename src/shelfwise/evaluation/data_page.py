"""A data report as one page for a browser: whole in a single file, without scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from shelfwise.data.report.days import WEEKDAYS, DayMark, Days
from shelfwise.data.report.prices import Prices
from shelfwise.data.report.report import Behaviour, Catalogue, DataReport
from shelfwise.data.whole_file import write_whole
from shelfwise.evaluation import data_words as words
from shelfwise.evaluation.data_plots import (
    Bar,
    bars_plot,
    columns_plot,
    day_plot,
    lorenz_plot,
    steps_plot,
)
from shelfwise.evaluation.data_words import (
    Lead,
    actor_words,
    hours_words,
    percent,
    plural,
    rate_words,
)
from shelfwise.evaluation.page import page_environment, refuse_no_place
from shelfwise.evaluation.plots import Plot
from shelfwise.evaluation.report_words import amount

_TEMPLATE = "data.html.j2"
_MOST_FILES = 12  # of a table of files; the rest are summed up
_MOST_MARKS = 40


class Section(NamedTuple):
    """One part of the page, with what it comes to."""

    id: str
    title: str
    lead: Lead
    plots: list[Plot]


def data_page(report: DataReport) -> str:
    """The page as HTML; a section without data is left out."""
    sections = list(_sections(report))
    environment = page_environment()
    environment.filters |= {
        "percent": percent,
        "rate": rate_words,
        "hours": hours_words,
        "plural": plural,
        "actor": actor_words,
    }
    return environment.get_template(_TEMPLATE).render(
        report=report,
        sections=sections,
        tiles=_tiles(report),
        hours_lead=_hours_lead(report),
        most_files=_MOST_FILES,
        most_marks=_MOST_MARKS,
    )


def write_data_page(report: DataReport, file: Path) -> None:
    """Write the page to ``file``, whole or not at all.

    Raises:
        ConfigError: as `refuse_no_place`.
    """
    refuse_no_place(file)
    write_whole(file, data_page(report))


def _sections(report: DataReport) -> Iterator[Section]:
    yield Section("rows", "Rows", words.rows_lead(report.rows), [])
    yield Section("tasks", "What it can teach", words.tasks_lead(report.tasks), [])
    if report.behaviour is not None:
        yield from _of_behaviour(report.behaviour, report)
    if report.catalogue is not None:
        lead = words.catalogue_lead(report.catalogue, report.fills)
        yield Section("catalogue", "Catalogue", lead, _catalogue_plots(report.catalogue, report))
    if report.labels is not None:
        bars = [Bar(name, count, f"{count:,}") for name, count in report.labels.classes.items()]
        yield Section(
            "labels", "Labels", words.labels_lead(report.labels),
            [Plot("Texts of each class", bars_plot("Texts of each class", bars))],
        )  # fmt: skip
    if report.judgements is not None:
        grades = columns_plot("Items of each grade", report.judgements.grades)
        yield Section(
            "judgements", "Judgements", words.judgements_lead(report.judgements),
            [Plot("Items of each grade", grades)],
        )  # fmt: skip
    yield from _of_preparation(report)
    if report.fills:
        yield Section("columns", "Columns", words.columns_lead(report.fills), [])


def _of_behaviour(found: Behaviour, report: DataReport) -> Iterator[Section]:
    lead = words.funnel_lead(found.kinds, found.funnel)
    yield Section("funnel", "From shown to bought", lead, _funnel_plots(found))
    if found.days is not None:
        yield Section("days", "Day by day", words.days_lead(found.days), _day_plots(found.days))
    uneven = [found.items, found.owners]
    lead = words.concentration_lead(*uneven)
    lorenz = [Plot(one.of.capitalize(), lorenz_plot(one), f"Gini {one.gini:.2f}") for one in uneven]
    yield Section("head", "Head and tail", lead, [*lorenz, *_weight_plots(report)])
    if found.visits is not None:
        yield Section("visits", "Shoppers and visits", words.visits_lead(found.visits), [
            Plot("Events of a shopper", bars_plot("Events of a shopper", [
                Bar(f"{name} {'event' if name == '1' else 'events'}", count, f"{count:,} shoppers")
                for name, count in found.visits.history_lengths.items()
            ]))
        ])  # fmt: skip
    if found.delays is not None:
        steps = [(_moment(hours), share) for hours, share in found.delays.curve]
        title = f"Bought by then, after the last {found.delays.touch}"
        plots = [Plot(title, steps_plot(title, steps))] if steps else []
        yield Section("delays", "How long purchases take", words.delays_lead(found.delays), plots)


def _moment(hours: float) -> str:
    """A mark of an axis, as short as can be: ``10 min``, ``6 h``, ``3 d``."""
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:.0f} h" if hours < 24 else f"{hours / 24:.0f} d"


def _of_preparation(report: DataReport) -> Iterator[Section]:
    if report.prepared is None:
        if report.unprepared:
            lead = Lead("act", f"Nothing can be said of the split: {report.unprepared}")
            yield Section("split", "Split", lead, [])
        return
    yield Section("split", "Split", words.parts_lead(report.prepared.parts), [])
    if report.prepared.flagged is not None:
        lead = words.flagged_lead(report.prepared.flagged)
        yield Section("machines", "Machines among the shoppers", lead, [])


def _funnel_plots(found: Behaviour) -> list[Plot]:
    steps = [
        Bar(
            step.kind,
            step.pairs,
            f"{step.pairs:,}"
            + (f", {rate_words(step.went_on)} of {step.before}s" if step.went_on else ""),
        )
        for step in found.funnel
    ]
    kinds = [Bar(kind.kind, kind.rows, f"{kind.rows:,}") for kind in found.kinds]
    plots = [Plot("Events of each kind", bars_plot("Events of each kind", kinds))]
    if len(steps) > 1:
        title = "Pairs of shopper and item"
        plots.append(Plot(title, bars_plot(title, steps)))
    return plots


def _day_plots(found: Days) -> list[Plot]:
    first = date.fromisoformat(found.first)

    def drawn(name: str, counts: Sequence[int], marks: Sequence[DayMark] = ()) -> Plot:
        shown = [
            None if WEEKDAYS[(first.weekday() + day) % 7] in found.closed else count
            for day, count in enumerate(counts)
        ]
        return Plot(name, day_plot(name, first, shown, marks), "a day")

    total = [sum(counts) for counts in zip(*found.rows.values(), strict=True)]
    kinds = [
        drawn(kind.capitalize(), counts, [mark for mark in found.marks if mark.kind == kind])
        for kind, counts in found.rows.items()
    ]
    hours = {str(hour): count for hour, count in enumerate(found.hours)}
    return [
        drawn("All events", total, [mark for mark in found.marks if not mark.kind]),
        *(kinds if len(kinds) > 1 else []),
        Plot("Hour of the day", columns_plot("Hours of the day", hours, 3), f"in {found.zone}"),
    ]


def _weight_plots(report: DataReport) -> list[Plot]:
    shares = report.prepared.weights if report.prepared is not None else ()
    names = {"item": "items", "owner": "shoppers"}
    bars = [
        Bar(
            f"{one.group} of {names[one.of]} ({one.size:,})",
            one.after,
            f"{percent(one.before)}, weighed {percent(one.after)}",
        )
        for one in shares
    ]
    title = "Share of training before and after weighing"
    return [Plot(title, bars_plot(title, bars))] if bars else []


def _catalogue_plots(found: Catalogue, report: DataReport) -> list[Plot]:
    plots = []
    if found.prices is not None:
        title = f"Prices, {report.currency}"
        drawn = columns_plot(title, _price_columns(found.prices), 6)
        plots.append(Plot(title, drawn, f"{found.prices.scale} scale"))
    if found.languages is not None and found.languages.shares:
        languages = [
            Bar(name, share, percent(share)) for name, share in found.languages.shares.items()
        ]
        plots.append(Plot("Languages of titles", bars_plot("Languages of titles", languages)))
    if found.categories is not None:
        broad = [Bar(name, count, f"{count:,}") for name, count in found.categories.broad.items()]
        plots.append(Plot("Largest categories", bars_plot("Largest categories", broad)))
    return plots


def _price_columns(found: Prices) -> dict[str, int]:
    """Items from each price on; prices so close that they are written alike are one column."""
    columns: dict[str, int] = {}
    for edge, count in zip(found.edges, found.counts, strict=False):
        name = f"{edge:,.0f}" if edge >= 10 else f"{edge:.2g}"
        columns[name] = columns.get(name, 0) + count
    return columns


def _hours_lead(report: DataReport) -> Lead | None:
    days = report.behaviour.days if report.behaviour is not None else None
    return None if days is None else words.hours_lead(days)


def _tiles(report: DataReport) -> dict[str, str]:
    """The numbers that a reader looks for first."""
    tiles = {"rows read": f"{report.rows.rows_in:,}"}
    if report.rows.rows_in:
        tiles["kept"] = percent(report.rows.kept / report.rows.rows_in)
    if report.behaviour is not None:
        tiles["shoppers"] = f"{report.behaviour.owners.count:,}"
        if report.behaviour.days is not None:
            tiles["days"] = f"{len(next(iter(report.behaviour.days.rows.values()))):,}"
        if report.behaviour.visits is not None:
            tiles["events of a shopper (median)"] = amount(report.behaviour.visits.history.median)
    if report.catalogue is not None:
        tiles["items"] = f"{report.catalogue.items:,}"
        if report.catalogue.never is not None:
            tiles["items without an event"] = f"{report.catalogue.never:,}"
    if report.labels is not None:
        tiles["classes"] = f"{report.labels.class_count:,}"
    if report.judgements is not None:
        tiles["judged queries"] = f"{report.judgements.queries:,}"
    return tiles
