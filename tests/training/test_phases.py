from __future__ import annotations

import time

import pytest

from shelfwise.training.phases import Timed, Untimed


def test_seconds_add_up_by_phase() -> None:
    timed = Timed()
    for _ in range(3):
        with timed("short"):
            pass
    with timed("long"):
        time.sleep(0.02)

    rows = timed.table(total=sum(timed.seconds.values()) + 100)

    # The longest first; what is in no phase is the rest of the total.
    assert [(row["phase"], row["times"]) for row in rows] == [
        ("other", 0),
        ("long", 1),
        ("short", 3),
    ]
    assert rows[0]["seconds"] == pytest.approx(100, abs=1e-3)
    assert rows[1]["seconds"] >= 0.02
    assert sum(row["share"] for row in rows) == pytest.approx(1, abs=1e-3)


def test_a_phase_within_another_counts_once() -> None:
    timed = Timed()

    with timed("outer"), timed("inner"):
        time.sleep(0.02)

    assert timed.seconds["inner"] >= 0.02 > timed.seconds["outer"]


def test_a_phase_that_fails_is_counted() -> None:
    timed = Timed()

    with pytest.raises(KeyError), timed("phase"):
        raise KeyError

    assert timed.times == {"phase": 1}


def test_untimed_lets_everything_pass() -> None:
    with Untimed()("phase"):
        pass
    assert Timed().table(0.0) == [{"phase": "other", "seconds": 0.0, "share": 0.0, "times": 0}]
