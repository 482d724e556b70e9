from __future__ import annotations

from shelfwise.evaluation.baselines.popularity import Ever, LastDays, of_all_time, of_late

from .small import ALL_ROWS, LEARNED, TARGETS


def test_popularity_by_hand() -> None:
    ever = next(of_all_time().fit(LEARNED, [Ever()])).scores(TARGETS, ALL_ROWS)
    # Learning ends on day 4: the last two days begin with day 2.
    late = next(of_late(longest=100).fit(LEARNED, [LastDays(2)])).scores(TARGETS, ALL_ROWS)

    assert ever.tolist() == [[2, 2, 1, 0]] * 3
    assert late.tolist() == [[1, 0, 1, 0]] * 3


def test_a_window_lies_inside_the_log() -> None:
    assert {setting.days for setting in of_late(longest=14.5).settings} == {1, 3, 7, 14}
    assert of_late(longest=0.5).settings == ()
