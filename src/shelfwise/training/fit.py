"""The training loop: steps, schedule, checks, early stopping, and the best state seen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from shelfwise.data.batches import Batch, Examples
from shelfwise.data.loader import LoaderPlan, training_batches
from shelfwise.data.prepared import PreparedShop
from shelfwise.schema.progress import Progress, Silent, Step
from shelfwise.training.adversaries.choice import Opponent
from shelfwise.training.adversaries.reach import refuse_unreached
from shelfwise.training.averaging import Average
from shelfwise.training.checkpoint import Checkpoints, Headway, put_weights, weights_of
from shelfwise.training.config import TrainOptions
from shelfwise.training.curve import LearningCurve, mean_terms
from shelfwise.training.network import Network
from shelfwise.training.optimizer import optimizer_of
from shelfwise.training.schedule import place_in_schedule, rate_share, set_rates
from shelfwise.training.step import Learner, Source, TrainingError
from shelfwise.training.tracking import NoTracker, Tracker
from shelfwise.training.validation import Check

_TOLD_EVERY = 10  # steps


@dataclass(frozen=True, slots=True)
class Plan:
    """How many steps the schedule is drawn for, how many are taken, and when to look up."""

    scheduled: int
    taken: int
    per_check: int
    per_epoch: int

    @classmethod
    def of(cls, examples: Examples, options: TrainOptions) -> Plan:
        batches = math.ceil(len(examples) / options.batch_requests)
        per_epoch = max(1, math.ceil(batches / options.accumulate))
        total = per_epoch * options.epochs
        per_check = max(1, per_epoch // options.checks_per_epoch)
        return cls(total, total, per_check, per_epoch)


class Lessons(NamedTuple):
    """What is learned from, and for how long."""

    prepared: PreparedShop
    examples: Examples
    plan: Plan


class Watchers(NamedTuple):
    """Who is told of a training, and where it is kept."""

    progress: Progress = Silent()
    tracker: Tracker = NoTracker()
    checkpoints: Checkpoints | None = None  # gone on with where there is one


def fit(
    network: Network,
    lessons: Lessons,
    options: TrainOptions,
    *,
    look: Callable[[int], Check] | None,
    watchers: Watchers,
) -> LearningCurve:
    """Train until the plan, patience or the clock ends it; leave the best state in the network.

    Without ``look`` nothing is checked and the last state stays: the way a refit is done. With a
    checkpoint it goes on from there, to the same weights as if it had never stopped.

    Raises:
        TrainingError: there is nothing to learn from, or a loss was not a number; the message
            names the step.
        ConfigError: nothing passes the places at which an adversary is to move something.
    """
    if len(lessons.examples) == 0:
        raise TrainingError("train: no request lies in the training part; see [split] in shop.toml")
    refuse_unreached(options.adversary, network.passed)
    fitting = _Fitting(network, lessons, options, look, watchers)
    if not fitting.headway.finished:
        fitting.run()
        fitting.finish()
    network.model.eval()  # as a check leaves it; what was gone on with may have had none
    return fitting.headway.curve


class _Fitting:
    """A training under way."""

    def __init__(
        self,
        network: Network,
        lessons: Lessons,
        options: TrainOptions,
        look: Callable[[int], Check] | None,
        watchers: Watchers,
    ) -> None:
        self.network = network
        self.plan = lessons.plan
        self.options = options
        self.look = look
        self.watchers = watchers
        optimizer = optimizer_of(network.model.parameters(), network.bank.encoder, options)
        self.peaks = [group["lr"] for group in optimizer.param_groups]
        learning = [p for group in optimizer.param_groups for p in group["params"]]
        loading = LoaderPlan(options.batch_requests, options.seed, workers=options.loader_workers)
        self.learner = Learner(
            network,
            optimizer,
            Average(learning, options.ema) if options.ema else None,
            Source(lessons.prepared, lessons.examples, loading),
            options,
            lessons.plan.taken,
            Opponent.of(options.adversary, lessons.plan.per_epoch),
        )
        self.headway = Headway()
        self.began = time.monotonic()
        kept = watchers.checkpoints
        if kept is not None and (found := kept.read(self.learner)) is not None:
            self.headway = found
            self.began -= found.seconds
            network.bank.refresh(watchers.progress)

    def run(self) -> None:
        """Take steps until something says stop."""
        headway, loading = self.headway, self.learner.source.loading
        loading = loading._replace(start_step=headway.step * self.options.accumulate)
        stream = training_batches(*self.learner.source[:2], loading)
        with (
            self.watchers.progress.step("Training", total=self.plan.taken) as bar,
            closing(stream),
        ):
            bar.advance(headway.step)
            rate = _Rate(headway)
            while not self._is_over():
                headway.step += 1
                self._take_step(stream)
                headway.seconds = time.monotonic() - self.began
                bar.advance()
                if headway.step % _TOLD_EVERY == 0:
                    self._tell(bar, rate)
                is_check = self._check_is_due()
                if (is_check and self._check()) or self._refreshed():
                    self._keep(now=is_check)

    def finish(self) -> None:
        """Leave the best state in the network, or the last where nothing was checked."""
        if self.headway.best is not None:
            put_weights(self.network, self.headway.best)
        elif self.learner.average is not None:
            self.learner.average.settle()
        is_last = self.learner.average is None and self.headway.since_best == 0
        if not (self.headway.curve.checks and is_last):  # else its table is there already
            with self.network.phases("refresh"):
                self.network.bank.refresh(self.watchers.progress)
        self.headway.finished = True
        self._keep(now=True)

    def _take_step(self, stream: Iterator[Batch]) -> None:
        step, plan, options = self.headway.step, self.plan, self.options
        with self.network.phases("gather"):
            batches = list(islice(stream, options.accumulate))
        place = step
        if self.look is not None:  # a refit knows how many steps it takes
            spent = self.headway.seconds / (options.minutes * 60)
            place = place_in_schedule(step, plan.scheduled, spent, options.warmup_share)
        share = rate_share(place, plan.scheduled, options.warmup_share)
        set_rates(self.learner.optimizer, self.peaks, share)
        self.headway.window.append(self.learner.take(step, batches))

    def _is_late(self) -> bool:
        return self.headway.seconds > self.options.minutes * 60

    def _is_over(self) -> bool:
        impatient = self.look is not None and self.headway.since_best > self.options.patience
        return self.headway.step >= self.plan.taken or self._is_late() or impatient

    def _check_is_due(self) -> bool:
        return self.headway.step % self.plan.per_check == 0 or self._is_over()

    def _refreshed(self) -> bool:
        """Whether the table of text vectors is that of the weights of this moment."""
        if self.headway.step % self.options.refresh_steps == 0:
            self._refresh()
            return True
        return not any(p.requires_grad for p in self.network.bank.encoder.parameters())

    def _refresh(self) -> None:
        with self.network.phases("refresh"):
            self.network.bank.refresh(Silent())

    def _check(self) -> bool:
        """Close a piece of the curve; whether the table was computed anew for it."""
        headway = self.headway
        losses = mean_terms(headway.window, headway.step)
        headway.curve.losses.append(losses)
        headway.window = []
        self._log("loss", losses)
        if self.look is None:
            return False
        if self.learner.average is None:
            self._look(self.look)
        else:
            with self.learner.average.in_place():
                self._look(self.look)
            self._refresh()  # with the weights that go on learning
        return True

    def _look(self, look: Callable[[int], Check]) -> None:
        headway = self.headway
        self._refresh()
        with self.network.phases("checks"):
            checked = look(headway.step)
        headway.curve.checks.append(checked)
        improved = headway.curve.best.step == headway.step
        headway.since_best = 0 if improved else headway.since_best + 1
        if improved:
            headway.best = weights_of(self.network)
        self._log("validation", checked.figures)

    def _keep(self, *, now: bool) -> None:
        """Write a checkpoint: ``now``, or only if the last one is old."""
        kept = self.watchers.checkpoints
        if kept is not None and (now or kept.is_due(self.headway.seconds)):
            self.headway.seconds = time.monotonic() - self.began  # a check takes time as well
            with self.network.phases("checkpoint"):
                kept.write(self.headway, self.learner)

    def _log(self, kind: str, figures: dict[str, float]) -> None:
        named = {f"{kind}/{name}": value for name, value in figures.items() if name != "step"}
        self.watchers.tracker.log(self.headway.step, named)

    def _tell(self, bar: Step, rate: _Rate) -> None:
        headway = self.headway
        loss = float(headway.window[-1].total)
        requests = rate.steps_per_second(headway)
        requests *= self.options.batch_requests * self.options.accumulate
        bar.note(f"loss {loss:.3f}, {requests:.0f} requests/s{self._ends_in(rate)}")
        share = rate_share(headway.step, self.plan.scheduled, self.options.warmup_share)
        figures = {"loss": loss, "requests_per_second": requests, "rate": share * self.peaks[0]}
        self._log("step", figures)

    def _ends_in(self, rate: _Rate) -> str:
        """What the bar cannot know: that the clock ends training before its last step."""
        left = self.options.minutes * 60 - self.headway.seconds
        if left >= (self.plan.taken - self.headway.step) / rate.steps_per_second(self.headway):
            return ""
        return f", {left / 60:.0f} min left" if left > 90 else f", {max(0, left):.0f} s left"


class _Rate:
    """Steps a second since this process took training up."""

    def __init__(self, headway: Headway) -> None:
        self._step, self._seconds = headway.step, headway.seconds

    def steps_per_second(self, headway: Headway) -> float:
        return (headway.step - self._step) / max(headway.seconds - self._seconds, 1e-9)
