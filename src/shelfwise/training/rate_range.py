"""Which learning rate to begin with: the loss, while the rate climbs from step to step.

The range test of Smith (2017, arXiv:1506.01186): a rate too low learns nothing, one too high throws
the weights about; between them the loss falls, fastest at a rate that is a good peak.

Shape suffix in this file: S = steps.
"""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from shelfwise.data.loader import LoaderPlan, training_batches
from shelfwise.data.part_rows import TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.models.config import ModelOptions
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.progress import Progress, Silent
from shelfwise.training.adversaries.choice import Opponent
from shelfwise.training.builder import Builder
from shelfwise.training.config import TrainOptions
from shelfwise.training.course import Course
from shelfwise.training.manner import Manner, Resuming
from shelfwise.training.optimizer import optimizer_of
from shelfwise.training.phases import Untimed
from shelfwise.training.schedule import set_rates
from shelfwise.training.step import Learner, Source, TrainingError

_SMOOTH = 0.05  # of all steps: deviation of the weights of a step's neighbours
_SLOPE_STEPS = 4  # steps on either side that a slope is taken over
_LOST = 4.0  # times the first loss's fall from which on a climb is over
_BELOW_LOWEST = 10.0  # times lower than where the loss is lowest: Smith's own rule of thumb


@dataclass(frozen=True, slots=True)
class RateRange:
    """Losses by rate, and what they say."""

    rates: list[float]  # of everything above the text encoder; its own keeps its proportion
    losses: list[float]  # smoothed
    fastest: float  # rate at which the loss falls fastest
    lowest: float  # rate at which it is lowest
    suggested: float
    encoder_rate: float  # in the same proportion as the options have
    why: str


def rate_range(
    prepared: PreparedShop,
    model_options: ModelOptions,
    options: TrainOptions,
    ends: tuple[float, float] = (1e-5, 1.0),
    steps: int = 100,
    progress: Progress | None = None,
) -> RateRange:
    """Take ``steps`` steps at rates from one end to the other, and say where to begin.

    Nothing is kept of the network. Validation is not looked at.

    Args:
        prepared: a shop with a log of behaviour.
        model_options: the network.
        options: everything else of the training; the rate of the text encoder climbs along.
        ends: lowest and highest rate.
        steps: of training.
        progress: one bar over the steps.

    Raises:
        ConfigError: the ends are in no order, or there are too few steps to see anything.
        TrainingError: there is nothing to learn from.
    """
    low, high = ends
    if not 0 < low < high or steps < 4 * _SLOPE_STEPS:
        raise ConfigError(
            f"lr-range: rates from {low:g} to {high:g} in {steps} steps; the first must lie above "
            f"0 and below the second, and {4 * _SLOPE_STEPS} steps are the least"
        )
    rate_S = np.geomspace(low, high, steps)
    loss_S = _losses(prepared, model_options, options, rate_S, progress or Silent())
    return read_range(rate_S[: len(loss_S)], loss_S, options)


def read_range(
    rate_S: NDArray[np.float64], loss_S: NDArray[np.float64], options: TrainOptions
) -> RateRange:
    """What losses at rising rates say.

    Args:
        rate_S: ``[S]`` rates.
        loss_S: ``[S]`` losses of the steps at them.
        options: whose rates have the proportion that is kept.
    """
    smooth_S = _smoothed(loss_S)
    lowest = int(np.argmin(smooth_S))
    slopes = [
        (smooth_S[min(lowest, at + _SLOPE_STEPS)] - smooth_S[max(0, at - _SLOPE_STEPS)])
        / (min(lowest, at + _SLOPE_STEPS) - max(0, at - _SLOPE_STEPS))
        for at in range(lowest)
    ]
    fastest = int(np.argmin(slopes)) if slopes else 0
    by_rule = float(rate_S[lowest]) / _BELOW_LOWEST
    suggested = math.sqrt(float(rate_S[fastest]) * by_rule)
    told = float(f"{suggested:.1e}")
    why = (
        f"the loss falls fastest at {rate_S[fastest]:.1e} and is lowest at {rate_S[lowest]:.1e}, "
        "from where on steps are too long; a peak between the first and a tenth of the second "
        f"(their geometric mean is {told:.1e}) is a good start"
    )
    if fastest == 0 or smooth_S[lowest] >= smooth_S[0]:
        why = "the loss never falls: begin lower, or look at the data"
    return RateRange(
        rates=rate_S.tolist(),
        losses=smooth_S.tolist(),
        fastest=float(rate_S[fastest]),
        lowest=float(rate_S[lowest]),
        suggested=told,
        encoder_rate=float(f"{told * options.encoder_learning_rate / options.learning_rate:.1e}"),
        why=why,
    )


def _losses(
    prepared: PreparedShop,
    model_options: ModelOptions,
    options: TrainOptions,
    rate_S: NDArray[np.float64],
    progress: Progress,
) -> NDArray[np.float64]:
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads or torch.get_num_threads())
    nowhere = Resuming(Path("nowhere"), 0.0, {})
    builder = Builder(
        prepared, model_options, options, Manner(progress, nowhere, options, Untimed()), Course()
    )
    network = builder.fresh(TRAINED)
    examples = builder.lessons(TRAINED)
    optimizer = optimizer_of(network.model.parameters(), network.bank.encoder, options)
    peaks = [group["lr"] for group in optimizer.param_groups]
    loading = LoaderPlan(options.batch_requests, options.seed, workers=options.loader_workers)
    if len(examples) == 0:
        raise TrainingError("lr-range: no request lies in the training part; see [split]")
    source = Source(prepared, examples, loading)
    learner = Learner(network, optimizer, None, source, options, len(rate_S), Opponent())
    stream = training_batches(*source)
    losses: list[float] = []
    with progress.step("Steps at rising rates", total=len(rate_S)) as bar, closing(stream):
        for step, rate in enumerate(rate_S, start=1):
            set_rates(optimizer, peaks, float(rate) / options.learning_rate)
            try:
                terms = learner.take(step, list(islice(stream, options.accumulate)))
            except TrainingError:
                break  # no longer a number: so high has been seen
            losses.append(float(terms.total))
            bar.advance()
            if is_lost(losses):
                break
    return np.array(losses)


def is_lost(losses: list[float]) -> bool:
    """Whether the loss has risen so far above where it began that higher rates tell nothing."""
    fallen = max(losses[0] - min(losses), 0.05 * abs(losses[0]))
    return losses[-1] > losses[0] + _LOST * fallen


def _smoothed(loss_S: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each loss with its neighbours', which leaves it where it is: a running mean would lag."""
    smooth_S: NDArray[np.float64] = gaussian_filter1d(
        loss_S, max(1.0, _SMOOTH * len(loss_S)), mode="nearest"
    )
    return smooth_S
