from __future__ import annotations

from shelfwise.tuning.records import State, Trial, best_of, knee_of


def trial(number: int, *values: float, state: State = "done", kept: bool = True) -> Trial:
    return Trial(number, state, {}, values, {}, kept, {}, 1.0, "")


def test_the_best_is_done_keeps_its_limits_and_came_first() -> None:
    trials = [
        trial(0, 0.2),
        trial(1, 0.4),
        trial(2, 0.4),
        trial(3, 0.9, kept=False),
        trial(4, 0.8, state="pruned"),
    ]
    assert [one.number for one in best_of(trials, [True])] == [1]
    assert [one.number for one in best_of(trials, [False])] == [0]
    assert best_of([trial(0, state="failed")], [True]) == []


def test_a_front_holds_what_nothing_beats_in_all() -> None:
    # High is good in the first, low in the second.
    trials = [
        trial(0, 0.5, 10.0),
        trial(1, 0.6, 20.0),
        trial(2, 0.4, 12.0),  # beaten by 0
        trial(3, 0.9, 90.0),
        trial(4, 0.5, 10.0),  # equals 0, which came first
    ]
    assert [one.number for one in best_of(trials, [True, False])] == [0, 1, 3]


def test_the_knee_is_nearest_to_where_all_are_best() -> None:
    front = [trial(0, 0.0, 10.0), trial(1, 0.8, 20.0), trial(2, 1.0, 110.0)]
    # Missing of the best, in spans: (1, 0), (.2, .1), (0, 1): lengths 1, .22, 1.
    assert knee_of(front, [True, False]) == front[1]
    assert knee_of([], [True]) is None
    assert knee_of(front[:1], [True, False]) == front[0]


def test_surplus_lost_and_repeated_trials_are_not_counted() -> None:
    states: list[State] = ["done", "pruned", "failed", "running"]
    assert all(trial(0, state=state).counts for state in states)
    others: list[State] = ["lost", "surplus", "same", "waiting"]
    assert not any(trial(0, state=state).counts for state in others)
