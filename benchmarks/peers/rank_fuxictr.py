"""FuxiCTR says why it does not rank: it forecasts clicks of given pairs.

Run by the interpreter of `.venv-peers/fuxictr`; how, says contest.py.
"""

from __future__ import annotations

from contest import Clock, Fitted, Peer, Settings, contest
from exchange import Log, Task


def refuse(_: Task, __: Log, ___: Settings, ____: Clock) -> Fitted:
    """What its row in a table of rankings says."""
    raise SystemExit(
        "FuxiCTR forecasts clicks from labelled rows: a log of what was taken has no rows that "
        "were shown and left, and its package holds layers, no model of a whole catalogue"
    )


PEERS = (Peer("fuxictr/none", "fuxictr", refuse, {}, {}),)

if __name__ == "__main__":
    contest(PEERS)
