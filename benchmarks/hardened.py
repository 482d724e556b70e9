"""Trainings that are attacked once they are over, one after the other or several at a time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from benchmarks.shops import Shop, learn
from shelfwise.data.prepared import open_prepared
from shelfwise.evaluation.attacks.attack import AttackReport, attack
from shelfwise.schema.progress import Progress, Silent


class Lesson(NamedTuple):
    """One training."""

    system: str
    seed: int
    settings: tuple[str, ...]

    @property
    def about(self) -> dict[str, Any]:
        """What is told of it beside its figures."""
        return {"system": self.system, "seed": self.seed, "settings": list(self.settings)}


class Bench(NamedTuple):
    """What all of them learn from."""

    shop: Shop
    prepared: Path
    scratch: Path
    minutes: float
    strangers: tuple[str, ...] = ()  # ids of owners who are not asked


@contextmanager
def reports_of(
    bench: Bench, lessons: Sequence[Lesson], workers: int, progress: Progress
) -> Iterator[Callable[[Lesson], AttackReport]]:
    """What becomes of each lesson under attack; an error of its own is raised when it is asked for.

    Args:
        bench: what is learned from.
        lessons: all that will be asked for, in this order.
        workers: processes; one: this one, which learns a lesson when it is asked for.
        progress: told of what takes long.
    """
    if workers == 1:
        yield lambda lesson: attacked(bench, lesson, progress)
        return
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        asked = {lesson: pool.submit(attacked, bench, lesson) for lesson in lessons}
        try:
            yield lambda lesson: asked[lesson].result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def attacked(bench: Bench, lesson: Lesson, progress: Progress | None = None) -> AttackReport:
    """Learn a lesson, then attack what was learned."""
    progress = progress or Silent()
    asked = (f"train.seed={lesson.seed}", f"train.minutes={bench.minutes}")
    config = bench.shop.config(*lesson.settings, *asked)
    prepared = open_prepared(bench.prepared)
    # Runs of a hundred megabytes each are not needed once they were attacked.
    with TemporaryDirectory(dir=bench.scratch) as folder:
        run = Path(folder) / "run"
        learn(prepared, run, config, progress)
        return attack(run, config.attack, bench.prepared, progress, bench.strangers)
