"""The same training, hardened in several ways, under the same attacks.

Shape suffixes: U = units (users or queries).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.asking import Asking
from benchmarks.board import Board, Figure
from benchmarks.failing import counted_as_failed
from benchmarks.hardened import Bench, Lesson, reports_of
from benchmarks.kept import Kept
from benchmarks.radius_choice import Chosen, radii_chosen, radius_set
from benchmarks.result import Result, peak_mib
from benchmarks.shops import Shop, drawn_shop, name_of, owners_called, shop_of
from shelfwise.config import SHOP_TOML
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import Prepared, PreparedPairs, PreparedShop
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.evaluation.attacks.attack import AttackReport
from shelfwise.evaluation.attacks.curve import Drawing
from shelfwise.evaluation.report import OURS
from shelfwise.schema.errors import DataError
from shelfwise.schema.progress import Progress

_EVENTS, _BOTS = 60_000, 0.1
_DRAWING = Drawing(draws=1_000, seed=0)
_MOVING = {"fgm": "fgm", "pgd": "pgd", "freelb": "free_lb"}  # rows, by a radius
# Vectors of a shop's log, ids aside; of judgements words alone are moved, as options have it.
_PLACES = 'train.adversary.places=["items", "words", "history"]'


class Manner(NamedTuple):
    """How far adversaries may move rows, and how many trainings run at a time."""

    radii: tuple[float, ...] = (0.3,)  # of several, attacks on validation choose
    workers: int = 1


def _moving(*, logged: bool) -> dict[str, tuple[str, ...]]:
    """Settings, less a radius, of each adversary that moves rows of a log or of judgements."""
    moved = (_PLACES,) if logged else ()
    return {
        f"{OURS}/{name}": (f"train.adversary.kind={kind}", *moved) for name, kind in _MOVING.items()
    }


def _others(*, logged: bool) -> dict[str, tuple[str, ...]]:
    """Settings of each other way to harden a training."""
    found = {
        f"{OURS}/awp": ("train.adversary.kind=awp",),
        f"{OURS}/r-drop": ("train.adversary.kind=r_drop",),
        f"{OURS}/typos": ("train.typos=0.3",),
    }
    return found | ({f"{OURS}/doubt": ("train.doubt=0.3",)} if logged else {})


def compare_hardened(
    words: str, asking: Asking, manner: Manner, progress: Progress, *, drawn: bool
) -> Result:
    """Every way to harden a training, and none, under every attack.

    Args:
        words: the protocol, with a place for the names of the attacks.
        asking: for which systems and how long.
        manner: of adversaries and of processes.
        progress: told of what takes long.
        drawn: whether a sample shop with bots is drawn.
    """
    began = time.perf_counter()
    with TemporaryDirectory(prefix="robustness-") as folder:
        scratch = Path(folder)
        options = SampleOptions(bot_share=_BOTS).with_events(_EVENTS)
        shop = (
            drawn_shop(scratch / "sample", options, asking.settings, progress)
            if drawn
            else _shop(scratch, asking, progress)
        )
        prepared = prepare(shop.folder, scratch / "prepared", shop.config(), progress)
        if isinstance(prepared, PreparedPairs):
            raise DataError(f"{shop.folder}: texts with classes rank nothing to be attacked")
        logged = isinstance(prepared, PreparedShop)
        bots = _bots(shop, prepared) if drawn and logged else ()
        bench = Bench(shop, prepared.folder, scratch, asking.minutes, bots)
        lessons, chosen = _lessons(bench, asking, manner, progress, logged=logged)
        board = Board(kept=Kept(asking.keep), notes=_choices(chosen))
        with reports_of(bench, lessons, manner.workers, progress) as report_of:
            told = _told(lessons, report_of, board)
    attacks = dict.fromkeys(curve.attack for curve in told[OURS][0].curves)
    metric = told[OURS][0].curves[0].metric
    return Result(
        benchmark="robustness",
        protocol=words.format(attacks=", ".join(attacks))
        + _radius_told(manner.radii)
        + f" Budget {asking.minutes:g} minutes a system and seed.",
        data=_data(prepared),
        figures=_figures(told, board, metric),
        seconds=round(time.perf_counter() - began, 1),
        peak_mib=peak_mib(),
        rows=board.rows(),
        differences=board.differences((metric,)),
        systems=board.about,
        notes=board.notes,
        section=f"robustness, {'sample shop' if drawn else asking.data.resolve().name}",
    )


def _bots(shop: Shop, prepared: PreparedShop) -> tuple[str, ...]:
    """Owners of a drawn shop who are machines, found or not."""
    drawn = pl.read_parquet(shop.folder / "truth" / "bots.parquet")
    return owners_called(drawn["user_id"], prepared, shop)


def _lessons(
    bench: Bench, asking: Asking, manner: Manner, progress: Progress, *, logged: bool
) -> tuple[list[Lesson], dict[str, Chosen]]:
    """What is trained, plain training first; and how far each adversary moves rows there."""
    moving, others = _moving(logged=logged), _others(logged=logged)
    asking.refuse_unknown([OURS, *moving, *others])
    wanted = {system: settings for system, settings in moving.items() if asking.wants(system)}
    chosen = radii_chosen(bench, wanted, manner.radii, manner.workers, progress)
    ways = {OURS: ()} | {
        system: (*settings, radius_set(chosen[system].radius))
        for system, settings in wanted.items()
    }
    ways |= {system: settings for system, settings in others.items() if asking.wants(system)}
    lessons = [
        Lesson(system, seed, settings)
        for system, settings in ways.items()
        for seed in range(asking.seeds)
    ]
    return lessons, chosen


def _choices(chosen: Mapping[str, Chosen]) -> list[str]:
    """What validation said of each radius."""
    return [
        f"{system}: moved by {choice.radius:g}; left of validation's figure, the mean of all "
        "attacks, by radius: "
        + ", ".join(f"{radius:g}: {kept:.4f}" for radius, kept in choice.kept.items())
        for system, choice in chosen.items()
        if choice.kept
    ]


def _radius_told(radii: Sequence[float]) -> str:
    if len(radii) == 1:
        return f" Adversaries move rows by {radii[0]:g} of their length (l2)."
    listed = ", ".join(f"{radius:g}" for radius in radii)
    return (
        f" Adversaries move rows by a share of their length (l2): of {listed} the one whose "
        "training, of one seed and without a refit, keeps most under attack on validation."
    )


def _told(
    lessons: Sequence[Lesson], report_of: Callable[[Lesson], AttackReport], board: Board
) -> dict[str, list[AttackReport]]:
    """What becomes of each system, its figures put on the board."""
    told: dict[str, list[AttackReport]] = {}
    for lesson in lessons:
        if lesson.system in board.failures:
            continue
        with counted_as_failed(board.fail, lesson.system):
            report = report_of(lesson)
            told.setdefault(lesson.system, []).append(report)
            board.add(lesson.system, _values(report))
            board.about.append(lesson.about)
        if OURS in board.failures:
            failed = board.failures[OURS]
            raise DataError(f"plain training failed, and nothing compares with it: {failed}")
    return told


def _values(report: AttackReport) -> dict[Figure, np.ndarray]:
    """Each attack at its strongest, the same requests without it, and all that are asked clean."""
    found = {}
    for curve in sorted(report.curves, key=lambda one: -one.units):
        found.setdefault(Figure("main", "clean", curve.metric), curve.value_of[0.0])
        found[Figure(curve.attack, "clean", curve.metric)] = curve.value_of[0.0]
        found[Figure(curve.attack, "attacked", curve.metric)] = curve.value_of[max(curve.value_of)]
    return found


def _figures(
    told: Mapping[str, list[AttackReport]], board: Board, metric: str
) -> dict[str, float | None]:
    """Robustness of each system, and how much of plain training's loss each still has."""
    figures: dict[str, float | None] = {}
    for system, reports in told.items():
        name = system.removeprefix(f"{OURS}/") if system != OURS else "plain"
        figures[f"robustness, {name}"] = float(np.mean([one.robustness for one in reports]))
    plain = _losses(board, OURS, metric)
    for system in told:
        if system == OURS:
            continue
        name = system.removeprefix(f"{OURS}/")
        for attacked, lost_U in _losses(board, system, metric).items():
            if np.nanmean(plain[attacked]) > 0:
                kept = _DRAWING.share(lost_U, plain[attacked])
                what = f"{name} keeps of the loss by {attacked}"
                figures |= {what: kept.value, f"{what}, low": kept.low, f"{what}, high": kept.high}
    return figures | _breadth(told)


def _breadth(told: Mapping[str, list[AttackReport]]) -> dict[str, float | None]:
    """How broad the lists are that nobody attacks: the mean over seeds."""
    found: dict[str, list[float]] = {}
    for system, reports in told.items():
        name = system.removeprefix(f"{OURS}/") if system != OURS else "plain"
        for row in (row for report in reports for row in report.lists):
            found.setdefault(f"{row.metric}, {name}", []).append(row.value)
    return {name: float(np.mean(values)) for name, values in sorted(found.items())}


def _losses(board: Board, system: str, metric: str) -> dict[str, NDArray[np.float64]]:
    """``[U]`` clean less attacked at the strongest, by attack; the mean over seeds."""
    found = {}
    for figure in board.runs[system][0]:
        if figure.task != "attacked" or figure.metric != metric:
            continue
        clean = figure._replace(task="clean")
        found[figure.view] = np.mean(
            [run[clean] - run[figure] for run in board.runs[system]], axis=0
        )
    return found


def _data(prepared: Prepared) -> dict[str, object]:
    counts = {
        name: len(getattr(prepared, name))
        for name in ("items", "queries", "requests", "judgements")
        if hasattr(prepared, name)
    }
    return {
        "name": name_of(prepared),
        "fingerprint": prepared.manifest.data_fingerprint,
        "counts": counts,
    }


def _shop(scratch: Path, asking: Asking, progress: Progress) -> Shop:
    names = [path.name.casefold() for path in asking.data.iterdir()]
    is_judged = any(name.startswith(("train.csv", "home")) for name in names)
    reader = "home-depot" if is_judged and SHOP_TOML not in names else "amazon-beauty"
    return shop_of(asking.data, reader, scratch, asking.settings, progress)
