"""What a run costs to serve: how long an answer takes, and how much memory it lies in."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shelfwise.ranking.ranker import Ranker
from shelfwise.schema.event import Event, EventKind, Surface
from shelfwise.schema.ranking import RankRequest

_PAST = 20  # events of the shopper who asks
_ANSWERS, _WARM = 30, 5
_MIB = 2**20


def latency_ms(run: Path) -> float:
    """Median milliseconds of one recommendation after twenty clicks, one at a time."""
    ranker = Ranker.load(run)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    items = [item.item_id for item in ranker.run.items]
    taken = []
    for number in range(_WARM + _ANSWERS):
        past = tuple(
            Event(
                kind=EventKind.CLICK,
                actor="u",
                item_id=items[(number * _PAST + place) % len(items)],
                at=now - timedelta(minutes=_PAST - place),
            )
            for place in range(_PAST)
        )
        request = RankRequest(str(number), Surface.RECOMMENDATION, now, history=past)
        began = time.perf_counter()
        ranker.rank(request)
        taken.append(1e3 * (time.perf_counter() - began))
    return statistics.median(taken[_WARM:])


def memory_mib(run: Path) -> float:
    """MiB of the tensors that a server keeps in memory: network, encoder, tables of items."""
    return sum(path.stat().st_size for path in run.rglob("*.safetensors")) / _MIB
