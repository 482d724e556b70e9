"""`shelfwise tune`: better settings for a shop, searched for by validation."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, Settings, answer, command_line, emit, show, words
from shelfwise.evaluation.report_words import DASH, figure
from shelfwise.evaluation.tuning.words import short_names, short_value, where_words

if TYPE_CHECKING:
    from shelfwise.config import ShopConfig
    from shelfwise.data.prepared import Prepared
    from shelfwise.evaluation.tuning.objective import Configured
    from shelfwise.evaluation.tuning.report import TuneReport
    from shelfwise.evaluation.tuning.tune import Searched
    from shelfwise.tuning.space import Space

_SECTIONS = ("model", "adaptation", "tasks", "train", "evaluate", "tune")
_SHOWN = 10  # trials in the table, the best


def tune(  # noqa: PLR0913  # the options of a command
    prepared: Annotated[Path, typer.Argument(help="Folder that `prepare` wrote.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the study; one that was stopped goes on.")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Trials in all, those of earlier calls included.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Begin no trial after so long.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that try settings.")] = 1,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="sqlite:///FILE or postgresql://..., shared by the workers of several machines; "
            "left out, a journal in --out.",
        ),
    ] = None,
    from_study: Annotated[
        Path | None, typer.Option(help="Try the best of this earlier study first.")
    ] = None,
    show_space: Annotated[
        bool, typer.Option("--show-space", help="Print what can be searched, and stop.")
    ] = False,
    test: Annotated[
        bool, typer.Option("--test/--no-test", help="Compare on the test, once, in the end.")
    ] = True,
    html: Annotated[Path | None, typer.Option(help="Write the page here.")] = None,
    settings: Settings = None,
    worker: Annotated[int, typer.Option(hidden=True)] = 0,
    parent: Annotated[int, typer.Option(hidden=True)] = 0,
    as_json: AsJson = False,
) -> None:
    """Search for better settings by validation, and compare the chosen one on the test, once.

    What is searched, by whom and for what is said by [tune] in shop.toml or --set tune.*;
    --show-space prints it. The study survives kills: call again with the same --out and it goes on.
    The best setting is written to --out as a shop.toml.

    Example: shelfwise tune prepared --out study --trials 30 --html tune.html
    """
    from shelfwise.cli.saved_config import config_of
    from shelfwise.data.prepared import open_prepared
    from shelfwise.evaluation.page import refuse_no_place
    from shelfwise.schema.errors import ConfigError

    opened = open_prepared(prepared)
    config = config_of(prepared, opened.manifest, settings or (), sections=_SECTIONS)
    threads = max(1, (config.train.threads or os.cpu_count() or 1) // workers)
    if workers > 1:
        config = _with_threads(config, threads)
    searched = _searched(opened, config, storage, from_study)
    if show_space:
        _show_space(searched, config, as_json)
        return
    if out is None or (trials is None and minutes is None):
        raise ConfigError("tune: name a folder by --out, and say --trials or --minutes or both")
    if html is not None:
        refuse_no_place(html)
    if worker:
        _work(searched, out, (trials, minutes), worker, parent)
        return
    from shelfwise.evaluation.tuning.page import write_tune_page
    from shelfwise.evaluation.tuning.tune import Asked
    from shelfwise.evaluation.tuning.tune import tune as tune_shop

    helpers = [_helper(number) for number in range(1, workers)]
    asked = Asked(
        trials=trials,
        minutes=minutes,
        test=test,
        helpers=tuple(helpers),
        threads=threads,
        command=_without_passwords(command_line()),
    )
    report = tune_shop(searched, out, asked, Bars())
    _write_toml(config, report, out)
    _show(report, out)
    if html is not None:
        write_tune_page(report, html)
        answer.print(f"page: {html}", markup=False)
    emit(as_json, report.as_json())


def _searched(
    opened: Prepared, config: ShopConfig, storage: str | None, earlier: Path | None
) -> Searched:
    """The search that a configuration asks for.

    Raises:
        ConfigError: something may be drawn that the options do not take; all of it is named.
    """
    from shelfwise.cli.saved_config import configured_from
    from shelfwise.config import validated
    from shelfwise.evaluation.tuning.earlier import NOTHING_EARLIER, earlier_best
    from shelfwise.evaluation.tuning.tune import Searched
    from shelfwise.evaluation.tuning.usual import usual_options
    from shelfwise.tuning.searched import fixed_settings, searched_space

    options = config.tune
    plain = config.model_dump(mode="json")
    base = validated(plain, fixed_settings(options.space), "tune.space")
    space = searched_space(base, options.search or usual_options(opened), options.space)
    configured = configured_from(base, "the setting searched from")
    _refuse_what_options_refuse(space, configured)
    begins = NOTHING_EARLIER if earlier is None else earlier_best(earlier, space)
    return Searched(opened, configured, options, space, storage, begins)


def _refuse_what_options_refuse(space: Space, configured: Configured) -> None:
    """What a search may draw, shop.toml must take, each option by itself."""
    from shelfwise.schema.errors import ConfigError

    problems: dict[str, None] = {}
    for changes in space.ends():
        try:
            configured(changes)
        except ConfigError as error:
            problems[str(error).partition("\n")[2]] = None
    if problems:
        raise ConfigError(
            "\n".join(["tune.space: may draw what the options do not take:", *problems])
        )


def _with_threads(config: ShopConfig, threads: int) -> ShopConfig:
    train = config.train.model_copy(update={"threads": threads})
    return config.model_copy(update={"train": train})


def _helper(number: int) -> tuple[str, ...]:
    """This command once more, as a worker of the study."""
    given = sys.argv[1:]
    hidden = ["--worker", str(number), "--parent", str(os.getpid())]
    begin = "from shelfwise.cli.main import main; main()"
    return (sys.executable, "-c", begin, *given, *hidden)


def _work(
    searched: Searched,
    out: Path,
    given: tuple[int | None, float | None],
    number: int,
    parent: int,
) -> None:
    from shelfwise.evaluation.tuning.tune import work
    from shelfwise.tuning.plan import Budget
    from shelfwise.tuning.workers import orphaned

    trials, minutes = given
    seconds = None if minutes is None else minutes * 60
    try:
        work(searched, out, number, Budget(trials, seconds, lambda: orphaned(parent)))
    except KeyboardInterrupt:
        words.print("stopped")


def _without_passwords(command: str) -> str:
    from shelfwise.tuning.storage import without_password

    return " ".join(without_password(word) for word in command.split(" "))


def _show_space(searched: Searched, config: ShopConfig, as_json: bool) -> None:
    """Every option that can be searched, those of this search first."""
    from shelfwise.tuning.sampler import sampler_name
    from shelfwise.tuning.searched import axes_of

    table = Table("searched", "option", "from", "where", "only if", box=None)
    mine = searched.space.as_json()
    names = {axis["name"] for axis in mine}
    # A default may lie outside the range beside it, as long as it is not searched.
    others = [axis.as_json() for axis in axes_of(config) if axis.name not in names]
    for marked, axis in [*(("yes", axis) for axis in mine), *(("", axis) for axis in others)]:
        only_if = ", ".join(f"{path} = {kind}" for path, kind in axis.get("when", {}).items())
        row = (marked, axis["name"], str(axis["default"]), where_words(axis), only_if)
        table.add_row(*row)
    show(table)
    answer.print(
        f"{len(mine)} options are searched, by {sampler_name(searched.options, searched.space)}; "
        "others by tune.search, narrower by tune.space",
        markup=False,
    )
    emit(
        as_json,
        {
            "searched": mine,
            "others": [axis["name"] for axis in others],
            "sampler": sampler_name(searched.options, searched.space),
        },
    )


def _write_toml(config: ShopConfig, report: TuneReport, out: Path) -> None:
    """The shop's own shop.toml with the chosen setting in it."""
    from shelfwise.config import SHOP_TOML, commented, validated
    from shelfwise.data.whole_file import write_whole
    from shelfwise.tuning.searched import fixed_settings

    if report.chosen is None:
        return
    changes = [*fixed_settings(config.tune.space), *report.settings]
    chosen = validated(config.model_dump(mode="json"), changes, "the chosen setting")
    write_whole(out / SHOP_TOML, commented(chosen))


def _show(report: TuneReport, out: Path) -> None:
    answer.print(f"[bold]{escape(report.data.name)}[/]")
    if report.data.synthetic:
        answer.print("Synthetic data: the figures show that the parts work, not how good they are.")
    answer.print(report.protocol, markup=False)
    ended = report.counted("done", "pruned", "failed")
    answer.print(
        f"{ended} trials by {report.sampler}: {report.counted('done')} done, "
        f"{report.counted('pruned')} stopped early ({report.pruner}), "
        f"{report.counted('failed')} failed",
        markup=False,
    )
    show(_best_table(report))
    for sentence in report.sentences:
        answer.print(sentence, markup=False)
    for one in report.fidelities:
        told = DASH if one.trials == 0 else figure(one.spearman, 2)
        answer.print(f"{one.name} of the users against all: Spearman {told}, {one.trials} trials")
    for name, share in report.importance.items():
        answer.print(f"  {share:5.1%} of what differs: {name}", markup=False)
    for note in report.notes:
        answer.print(f"note: {note}", style="dim", markup=False)
    if report.chosen is not None:
        answer.print(f"the chosen setting: {out / 'shop.toml'}", markup=False)


def _best_table(report: TuneReport) -> Table:
    done = [trial for trial in report.trials if trial.state == "done"]
    sign = -1 if report.rising[0] else 1
    done.sort(key=lambda trial: sign * trial.values[0])
    short = short_names([axis["name"] for axis in report.space])
    table = Table("trial", *report.objectives, "seconds", "setting", box=None)
    for trial in done[:_SHOWN]:
        values = [figure(value, 4) for value in trial.values]
        told = ", ".join(f"{short[name]}={short_value(v)}" for name, v in trial.params.items())
        marked = f"{trial.number}{' *' if trial.number == report.chosen else ''}"
        table.add_row(marked, *values, f"{trial.seconds:.0f}", escape(told))
    return table
