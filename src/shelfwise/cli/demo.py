"""`shelfwise demo`: the whole walk on the sample shop, from a raw log to answered requests."""

from __future__ import annotations

import json
import time
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, answer, command_line, emit, show
from shelfwise.cli.sample import sample_options
from shelfwise.schema.plain import plain

if TYPE_CHECKING:
    from shelfwise.evaluation.report import Report

_SETTINGS = (
    "train.epochs=2",
    "train.batch_requests=256",
    "train.checks_per_epoch=2",
    "evaluate.draws=500",
)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the shop, the run and the report.")] = Path(
        "runs/demo"
    ),
    users: Annotated[int, typer.Option(help="Shoppers of the sample shop.")] = 3_000,
    items: Annotated[int, typer.Option(help="Items of the sample shop.")] = 3_000,
    seed: Annotated[int, typer.Option(help="Seed of shop and training.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Sample shop -> prepare -> train -> evaluate -> one search, recommendation and ad request.

    All numbers are of synthetic data: they show that the parts work, not how good they are.

    Example: shelfwise demo --out runs/demo
    """
    from shelfwise.data.whole_file import write_whole

    began = time.monotonic()
    report = _walk(out, (users, items, seed))
    summary = _summary(report, out, time.monotonic() - began)
    write_whole(out / "summary.json", json.dumps(plain(summary), indent=2) + "\n")
    _requests(out / "run")
    _show(summary)
    answer.print(f"report: {out / 'report.html'}")
    answer.print(
        f"summary: {out / 'summary.json'}; next: make serve, or: shelfwise serve {out / 'run'}"
    )
    emit(as_json, summary)


def _walk(folder: Path, size: tuple[int, int, int]) -> Report:
    """Every command's work, in order; each part appears in ``folder`` whole or not at all."""
    from shelfwise.config import load_config
    from shelfwise.data.folder import new_folder
    from shelfwise.data.prepare import prepare
    from shelfwise.data.sample_shop.generate import WRITTEN_BY_SAMPLE, write_sample_shop
    from shelfwise.evaluation.evaluate import Measured, evaluate
    from shelfwise.evaluation.page import write_page
    from shelfwise.training.course import Course
    from shelfwise.training.train import train

    users, items, seed = size
    options = sample_options(users=users, items=items, seed=seed)
    shop = folder / "shop"
    with new_folder(shop, WRITTEN_BY_SAMPLE) as new_shop:
        write_sample_shop(new_shop, options, Bars())
    config = load_config(shop, (*_SETTINGS, f"train.seed={seed}"))
    prepared = prepare(shop, folder / "prepared", config, Bars())
    course = Course(tasks=config.tasks, adaptation=config.adaptation)
    train(prepared, folder / "run", config.model, config.train, Bars(), course)
    truth = shop / "truth" / "impressions.parquet"
    measured = Measured(folder / "prepared", truth, command=command_line())
    report = evaluate(folder / "run", config.evaluate, measured, Bars())
    write_page(report, folder / "report.html")
    return report


def _summary(report: Report, folder: Path, seconds: float) -> dict[str, Any]:
    from shelfwise.evaluation.best_baseline import strongest

    def value(metric: str, system: str = "shelfwise") -> float | None:
        row = report.row(metric, system)
        return None if row is None or isnan(row.value) else round(row.value, 4)

    best = strongest(report.rows, "match", "ndcg@10", report.headline)
    assert best is not None  # popularity at least
    click = strongest(report.rows, "click", "auc")
    gap = next(d for d in report.differences if (d.b, d.view) == (best.system, report.headline))
    size = sum(file.stat().st_size for file in (folder / "run").rglob("*") if file.is_file())
    return {
        "data": "synthetic (the built-in sample shop)",
        "click_auc": value("auc"),
        "oracle_click_auc": value("auc", "oracle"),
        "click_auc_without_position": value("auc", "shelfwise/no-position"),
        "convert_auc": value("cvr_auc"),
        "oracle_convert_auc": value("cvr_auc", "oracle"),
        "ndcg@10": value("ndcg@10"),
        "popularity_ndcg@10": value("ndcg@10", "popularity"),
        "strongest_baseline": best.system,
        "strongest_baseline_ndcg@10": round(best.value, 4),
        "ndcg@10_above_it": {
            "value": round(gap.value, 4),
            "low": round(gap.low, 4),
            "high": round(gap.high, 4),
        },
        "strongest_click_baseline": click.system if click else None,
        "strongest_click_baseline_auc": round(click.value, 4) if click else None,
        "protocol": report.protocol,
        "seconds": round(seconds, 1),
        "mib": round(size / 2**20, 1),
        "versions": report.versions,
    }


def _requests(run: Path) -> None:
    """One answer for each surface, by an artefact opened anew from disk."""
    from datetime import UTC, datetime

    from shelfwise.ranking.ranker import Ranker
    from shelfwise.schema.event import Event, EventKind, Surface
    from shelfwise.schema.ranking import RankRequest

    ranker = Ranker.load(run)
    now = datetime.now(UTC)
    query = " ".join(ranker.run.items[0].title.split(",")[0].split()[-2:]).lower()
    found = ranker.rank(RankRequest("demo", Surface.SEARCH, now, query, (), 3))
    seen = tuple(
        Event(EventKind.CLICK, "demo", scored.item.item_id, datetime(2025, 2, 1, tzinfo=UTC))
        for scored in found.items
    )
    for surface, words in (
        (Surface.SEARCH, query),
        (Surface.RECOMMENDATION, ""),
        (Surface.ADS, query),
    ):
        ranking = ranker.rank(RankRequest("demo", surface, now, words, seen, 3))
        asked = f' for "{words}"' if words else " after three clicks"
        answer.print(f"[bold]{surface}[/]{escape(asked)}")
        for place, scored in enumerate(ranking.items, start=1):
            answer.print(
                f"  {place}. {scored.item.title}  P(click) {scored.p_click:.3f}, "
                f"P(buy|click) {scored.p_convert:.3f}",
                markup=False,
            )


def _show(summary: dict[str, Any]) -> None:
    table = Table("figure (synthetic data)", "shelfwise", "beside it", box=None)
    said = {name: "-" if value is None else str(value) for name, value in summary.items()}
    click = f"{said['strongest_click_baseline']} {said['strongest_click_baseline_auc']}"
    table.add_row("click AUC", said["click_auc"], f"{click}; oracle {said['oracle_click_auc']}")
    table.add_row("conversion AUC", said["convert_auc"], f"oracle {said['oracle_convert_auc']}")
    gap = summary["ndcg@10_above_it"]
    table.add_row(
        "NDCG@10",
        said["ndcg@10"],
        f"{escape(said['strongest_baseline'])} {said['strongest_baseline_ndcg@10']}; "
        f"less it {gap['value']:+} \\[{gap['low']}, {gap['high']}]; "
        f"popularity {said['popularity_ndcg@10']}",
    )
    table.add_row("seconds", said["seconds"], "")
    table.add_row("run folder, MiB", said["mib"], "")
    show(table)
