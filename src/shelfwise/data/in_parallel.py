"""Work on several parts of a table at the same time, its results in the order of the parts.

Threads suffice: Polars and NumPy let go of the interpreter while they work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

WORKERS = 2

In = TypeVar("In")
Out = TypeVar("Out")


def each(work: Callable[[In], Out], parts: Iterable[In], workers: int = WORKERS) -> Iterator[Out]:
    """``work`` of every part, up to ``workers`` of them under way; an error ends the rest.

    A part is asked for only when a worker is free for it, so that no more are held than worked on.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="parts")
    under_way: deque[Future[Out]] = deque()
    try:
        for part in parts:
            under_way.append(pool.submit(work, part))
            del part
            if len(under_way) >= workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def ahead(parts: Iterable[In]) -> Iterator[In]:
    """The same parts, the next one made while the last one is used."""
    source = iter(parts)
    end = object()
    pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
    try:
        coming = pool.submit(next, source, end)
        while (part := coming.result()) is not end:
            coming = pool.submit(next, source, end)
            yield part  # type: ignore[misc]  # not the end
    finally:
        pool.shutdown(cancel_futures=True)
