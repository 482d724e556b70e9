"""`shelfwise ab`: arms of a test compared, and the next test planned."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, Settings, answer, emit, help_of, show
from shelfwise.evaluation.report_words import figure, interval

if TYPE_CHECKING:
    import polars as pl

    from shelfwise.evaluation.ab.analyse import AbReport


def analyse(  # noqa: PLR0913  # the options of a command
    log: Annotated[Path, typer.Argument(help="Shop folder, or one file of events.")],
    arm: Annotated[str, typer.Option(help="Column that names the arm of a row.")],
    start: Annotated[
        datetime | None,
        typer.Option(help="First moment of the test (UTC); what came before serves CUPED."),
    ] = None,
    control: Annotated[str, typer.Option(help="Arm compared with; else the first by name.")] = "",
    shares: Annotated[
        str, typer.Option(help="Planned shares, by name of arm, such as 0.9,0.1; else all alike.")
    ] = "",
    tuned_for: Annotated[
        int, typer.Option(min=1, help="Units at which the interval for peeking is narrowest.")
    ] = 10_000,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Compare the arms of a logged test: every metric with intervals, corrected for their number.

    The unit is the user (the visit, where the user is unknown). Ratios by the delta method; with
    --start, CUPED; beside the interval of a single look one that holds however often one peeks.

    Example: shelfwise ab analyse myshop --arm variant --start 2025-02-01
    """
    from shelfwise.evaluation.ab.analyse import AbOptions
    from shelfwise.evaluation.ab.analyse import analyse as analyse_arms
    from shelfwise.evaluation.ab.units import units_of

    options = AbOptions(control=control, shares=_numbers(shares), tuned_for=tuned_for)
    moment = None if start is None else start.replace(tzinfo=UTC)
    report = analyse_arms(units_of(_events(log, settings or []), arm, moment), options)
    _show(report)
    emit(as_json, asdict(report) | {"trusted": report.trusted})


def plan(  # noqa: PLR0913  # the options of a command
    base: Annotated[float, typer.Option(help="Mean of the measure today, such as 0.04.")],
    lift: Annotated[
        float | None, typer.Option(help="Relative difference to be found, 0.05 for 5 % more.")
    ] = None,
    units: Annotated[
        int | None, typer.Option(min=4, help="Instead of --lift: units there are, of both arms.")
    ] = None,
    deviation: Annotated[
        float | None,
        typer.Option(help="Of a unit, as `ab analyse` prints it; left out: a share of units."),
    ] = None,
    per_day: Annotated[float | None, typer.Option(help="New units a day, of both arms.")] = None,
    power: Annotated[float, typer.Option(help="Probability to find such a difference.")] = 0.8,
    share: Annotated[float, typer.Option(help="Of the units that see the new arm.")] = 0.5,
    variance_left: Annotated[
        float, typer.Option(help="By CUPED, as `ab analyse` prints it; 1: not used.")
    ] = 1.0,
    peeking: Annotated[
        bool, typer.Option("--peeking", help="Stop by the interval that holds at every look.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say how many units and days a test takes, or what a test of a size can find.

    Example: shelfwise ab plan --base 0.04 --lift 0.05 --per-day 3000
    """
    from shelfwise.evaluation.ab.plan import Design, plan_for_lift, plan_for_units
    from shelfwise.schema.errors import ConfigError

    if (lift is None) == (units is None):
        raise ConfigError("ab plan: say either --lift or --units")
    design = Design(power, share=share, variance_left=variance_left, peeking=peeking)
    if lift is not None:
        found = plan_for_lift(base, lift, deviation, per_day, design)
    else:
        found = plan_for_units(base, units or 0, deviation, per_day, design)
    answer.print(found.sentence, markup=False)
    emit(as_json, asdict(found) | {"design": asdict(design)})


def _events(log: Path, settings: list[str]) -> pl.DataFrame:
    from shelfwise.config import load_config
    from shelfwise.data.source.read import read_shop
    from shelfwise.evaluation.ab.log_table import read_log_table
    from shelfwise.schema.errors import DataError

    if log.is_file():
        return read_log_table(log)
    tables = read_shop(log, load_config(log, settings), Bars())
    if tables.events is None:
        raise DataError(f"{log}: holds no events that could be read; see `shelfwise check {log}`")
    refused = sum(count.rejected for count in tables.counts)
    if refused:
        answer.print(f"note: {refused:,} rows are refused; see `shelfwise check`", style="dim")
    return tables.events


def _numbers(words: str) -> tuple[float, ...]:
    from shelfwise.schema.errors import ConfigError

    try:
        return tuple(float(word) for word in words.split(",") if word.strip())
    except ValueError:
        raise ConfigError(f"--shares: {words!r} are no numbers, write 0.9,0.1") from None


def _show(report: AbReport) -> None:
    sizes = ", ".join(f"{size.arm} {size.units:,}" for size in report.arms)
    answer.print(f"units: {sizes} (as planned: p = {figure(report.sample_ratio_p, 3)})")
    table = Table("metric", "arm", "value", "control", "difference", box=None)
    for name in ("if one peeks", "p", "p (Holm)", "deviation", "variance left"):
        table.add_column(name)
    for gap in report.gaps:
        table.add_row(
            gap.metric,
            escape(gap.arm),
            figure(gap.value, 4),
            figure(gap.control_value, 4),
            f"{figure(gap.difference, 4)} {escape(interval(gap.low, gap.high, 4))}",
            escape(interval(gap.always_low, gap.always_high, 4)),
            figure(gap.p, 4),
            figure(gap.p_holm, 4),
            figure(gap.deviation, 3),
            figure(gap.variance_left, 2),
        )
    show(table)
    for note in report.notes:
        answer.print(f"note: {note}", style="dim", markup=False)
    for gap in report.gaps:
        answer.print(gap.sentence, markup=False)


ab = typer.Typer(no_args_is_help=True, help="Compare the arms of a test, and plan the next one.")
for command in (analyse, plan):
    ab.command(help=help_of(command))(command)
