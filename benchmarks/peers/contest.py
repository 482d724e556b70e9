"""How a peer's script runs: with its defaults or the best setting found, within its seconds.

Run by a peer's own interpreter, beside its script: needs numpy and pyarrow, no Shelfwise.

    PY rank_NAME.py --task TASK --out OUT --seconds S --seed N [--tune] [--model MODEL]

writes OUT/peer.json and, as the task has it, OUT/scores.npy (exchange.py) or OUT/forecast.npy
(pairs.py). Without --tune the library's own defaults; with it, a random search over options of the
library that begins with the defaults, judged on the validation part, then the best refitted on
training and validation data.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import itertools
import json
import math
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from exchange import read_task

Settings = Mapping[str, Any]

THREADS = 2
_SCORING = 0.1  # share of the seconds between being asked to end and being stopped
_LISTED = 10_000  # combinations of choices
_REFIT = 1.3  # a refit is given this times the trial's seconds: it has more rows


class Task(Protocol):
    """What is asked, as its folder has it."""

    measure: str  # by which settings are chosen, higher is better

    @property
    def train(self) -> Any:
        """What may be learned before validation."""

    @property
    def whole(self) -> Any:
        """What may be learned before the test."""

    def judged(self, score: Callable[[Any], Any]) -> float:
        """The measure on validation; nan where there is nothing to measure."""

    def write(self, folder: Path, score: Callable[[Any], Any]) -> str:
        """Put the answers to the test there; returns what should be known of them, or nothing."""


class OutOfTimeError(Exception):
    """A fit did not end when it had to."""


@dataclass(frozen=True)
class Clock:
    """When a fit is asked to end. What trains in steps looks at it after each."""

    ends: float
    seed: int

    def left(self) -> float:
        """Seconds; negative when they are over."""
        return self.ends - time.monotonic()


class Pace:
    """Whether training, asked after each step, has time for one more like the last."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._last = clock, time.monotonic()

    def is_over(self) -> bool:
        """Counts a step as well."""
        step = time.monotonic() - self._last
        self._last += step
        return self._clock.left() < step


@dataclass(frozen=True)
class Fitted:
    """A model that has learned."""

    score: Callable[[Any], Any]  # answers, as the task asks for them
    learned: Settings = field(default_factory=dict)  # options it chose itself; a refit keeps them
    note: str = ""


@dataclass(frozen=True)
class Peer:
    """One model of another library."""

    system: str  # library/model
    library: str  # as its distribution is called
    fit: Callable[[Any, Any, Settings, Clock], Fitted]  # the task and what may be learned of it
    defaults: Settings  # the library's own, as far as a search changes them
    choices: Mapping[str, Sequence[Any]]  # values a search may give to options
    published: Sequence[Settings] = ()  # settings its authors report, tried after the defaults
    trial_share: float = 0.2  # of the seconds, after which a trial is asked to end
    note: str = ""


@dataclass(frozen=True)
class Asked:
    """What the caller wants."""

    out: Path
    seconds: float
    seed: int
    tune: bool


@dataclass(frozen=True)
class Trial:
    """A setting tried on the validation targets."""

    settings: Settings
    fitted: Fitted
    value: float
    seconds: float


def contest(peers: Sequence[Peer], read: Callable[[Path], Task] = read_task) -> None:
    """Run one of a script's peers as the command line says; the first where it says nothing."""
    by_name = {peer.system.rpartition("/")[2]: peer for peer in peers}
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--model", choices=list(by_name), default=next(iter(by_name)))
    given = parser.parse_args()
    settle_surroundings(given.seed)
    answer(
        read(given.task),
        by_name[given.model],
        Asked(given.out, given.seconds, given.seed, given.tune),
    )


def settle_surroundings(seed: int) -> None:
    """Start again with two threads, no network and fixed hashes: libraries read these at import."""
    wanted = {f"{what}_NUM_THREADS": str(THREADS) for what in ("OMP", "OPENBLAS", "MKL")}
    wanted |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1"}
    wanted |= {"PYTHONWARNINGS": "ignore"}
    wanted |= {"PYTHONHASHSEED": str(seed % 2**32)}
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | wanted)


def import_what_optimisers_need() -> None:
    """Torch's first optimiser imports for seconds, which are no learning; and an import that is
    stopped in its midst leaves a library that does not work.
    """
    if "torch" in sys.modules:
        importlib.import_module("torch._dynamo")


def answer(task: Task, peer: Peer, asked: Asked) -> None:
    """Fit, by search or not, and write the answers and peer.json."""
    import_what_optimisers_need()
    began = time.monotonic()
    ends = began + asked.seconds * (1 - _SCORING)
    trials = search(task, peer, asked, ends) if asked.tune else []
    best = max(trials, key=lambda trial: trial.value, default=None)
    room = ends + asked.seconds * _SCORING - time.monotonic()
    settings, fitted, notes = _final(task, peer, best, Clock(ends, asked.seed), room)
    asked.out.mkdir(parents=True, exist_ok=True)
    notes.append(task.write(asked.out, fitted.score))
    told = {
        "system": peer.system,
        "version": importlib.metadata.version(peer.library),
        "settings": dict(settings),
        "seconds": time.monotonic() - began,
        "tuned": asked.tune,
        "trials": len(trials),
        "validation": _validation(task, best, trials),
        "note": "; ".join(note for note in (peer.note, *notes) if note),
    }
    (asked.out / "peer.json").write_text(json.dumps(told, indent=1))


def search(task: Task, peer: Peer, asked: Asked, ends: float) -> list[Trial]:
    """Settings tried on validation, the defaults first, as long as the best can still be refitted.

    A trial is asked to end after the peer's share of all seconds, and stopped where no time for
    the refit would be left; one that is stopped counts for nothing.
    """
    trials: list[Trial] = []
    for settings in candidates(peer, asked.seed):
        best = max(trials, key=lambda trial: trial.value, default=None)
        refit = _REFIT * best.seconds if best else asked.seconds * peer.trial_share * _REFIT
        room = ends - time.monotonic() - refit
        if room < min((trial.seconds for trial in trials), default=0.0):
            break
        began = time.monotonic()
        clock = Clock(began + min(room, asked.seconds * peer.trial_share), asked.seed)
        try:
            with hard_stop(room):
                fitted = peer.fit(task, task.train, settings, clock)
                value = task.judged(fitted.score)
        except OutOfTimeError:
            break
        trials.append(Trial(settings, fitted, value, time.monotonic() - began))
    return trials


@contextmanager
def hard_stop(seconds: float) -> Iterator[None]:
    """Raise `OutOfTimeError` in what still runs after ``seconds``, at its next line of Python.

    A library may catch that and tell of something else; out of here it comes as what it was.
    """
    over = False

    def stop(*_: object) -> None:
        nonlocal over
        over = True
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, stop)
    timer = signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    except Exception as error:
        if over and not isinstance(error, OutOfTimeError):
            raise OutOfTimeError from error
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)


def _final(
    task: Task, peer: Peer, best: Trial | None, clock: Clock, room: float
) -> tuple[Settings, Fitted, list[str]]:
    settings = {**best.settings, **best.fitted.learned} if best else dict(peer.defaults)
    if best and task.whole is task.train:  # there is nothing more to learn from
        return settings, best.fitted, [best.fitted.note]
    try:
        with hard_stop(room):
            fitted = peer.fit(task, task.whole, settings, clock)
    except OutOfTimeError:
        if best is None:
            raise SystemExit(f"{peer.system}: not fitted within the seconds") from None
        return settings, best.fitted, [best.fitted.note, "no time was left to refit the best"]
    return {**settings, **fitted.learned}, fitted, [fitted.note]


def candidates(peer: Peer, seed: int) -> Iterator[Settings]:
    """Defaults, published settings, then the combinations of the choices in a random order."""
    tried: set[str] = set()
    drawn = random.Random(seed)
    for changed in itertools.chain([{}], peer.published, _combinations(peer.choices, drawn)):
        settings = {**peer.defaults, **changed}
        if (key := json.dumps(settings, sort_keys=True)) not in tried:
            tried.add(key)
            yield settings


def _combinations(choices: Mapping[str, Sequence[Any]], drawn: random.Random) -> Iterator[Settings]:
    if math.prod(len(values) for values in choices.values()) > _LISTED:  # too many to shuffle
        for _ in range(_LISTED):
            yield {name: drawn.choice(values) for name, values in choices.items()}
        return
    listed = list(itertools.product(*choices.values()))
    drawn.shuffle(listed)
    yield from (dict(zip(choices, values, strict=True)) for values in listed if choices)


def _validation(task: Task, best: Trial | None, trials: Sequence[Trial]) -> dict[str, float]:
    if best is None:
        return {}
    return {task.measure: best.value, f"{task.measure} of defaults": trials[0].value}
