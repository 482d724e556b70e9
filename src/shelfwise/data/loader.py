"""Training's endless stream of batches: any step can be the first, and workers may gather ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.batches import Batch, Examples, Shuffle, batch_rows, gather
from shelfwise.data.prepared import PreparedShop

_AHEAD = 2  # batches a worker is asked for before the first of them is taken


class LoaderPlan(NamedTuple):
    """In which order requests are gathered, and by whom."""

    size: int  # requests of a batch
    seed: int
    start_step: int = 0  # steps taken before; the stream goes on as if they had been taken here
    workers: int = 0  # threads that gather ahead; 0: each batch is gathered when it is asked for


def training_batches(
    prepared: PreparedShop, examples: Examples, plan: LoaderPlan
) -> Generator[Batch, None, None]:
    """Batches without end, epoch after epoch: those that follow the first ``start_step``.

    What a step is given depends on the seed and the step's number alone: not on the steps before
    it, on the number of workers, or on where training was resumed. Closing the stream, or an error
    in it, ends the workers.
    """
    wanted = _endless_rows(prepared, examples, plan)
    if plan.workers == 0:
        for rows in wanted:
            yield gather(prepared, examples, rows)
        return
    pool = ThreadPoolExecutor(plan.workers, thread_name_prefix="batches")
    ahead: deque[Future[Batch]] = deque()
    try:
        for rows in wanted:
            ahead.append(pool.submit(gather, prepared, examples, rows))
            if len(ahead) > plan.workers * _AHEAD:
                yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def first_rows(prepared: PreparedShop, examples: Examples, plan: LoaderPlan) -> NDArray[np.int64]:
    """Which rows of ``examples`` the first batch of the plan's stream holds."""
    return next(_endless_rows(prepared, examples, plan))


def _endless_rows(
    prepared: PreparedShop, examples: Examples, plan: LoaderPlan
) -> Iterator[NDArray[np.int64]]:
    per_epoch = -(-len(examples) // plan.size)
    if per_epoch == 0:
        return
    first, start = divmod(plan.start_step, per_epoch)
    for epoch in count(first):
        yield from batch_rows(prepared, examples, plan.size, Shuffle(plan.seed, epoch, start))
        start = 0
