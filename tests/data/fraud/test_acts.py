from __future__ import annotations

from tests.data.fraud.small_log import SECOND, act, numbered

from shelfwise.data.fraud.acts import acts_of


def test_intervals_by_hand() -> None:
    # 0 s search, list; 0.4 s click (0.4 s after the list: hasty); 10 s view (9.6 s later);
    # 10 s view (same moment: no gap, not later); 12 s purchase; 3,000 s search (a pause).
    # The first view: the next act is of the same moment, so its dwell is unknown; it came 10 s
    # after the list. The second: left after 2 s.
    events = numbered(
        [
            act("search", 1, 0),
            act("impression", 1, 0, 5),
            act("click", 1, 0.4, 5),
            act("view", 1, 10, 6),
            act("view", 1, 10, 7),
            act("purchase", 1, 12, 7),
            act("search", 1, 3_000),
            act("return", 1, 4_000, 7),
        ]
    )

    acts = acts_of(events, "owner")

    assert acts["event"].to_list() == ["search", "click", "view", "view", "purchase", "search"]
    gap = [None, 400_000, 9_600_000, None, 2 * SECOND, None]
    assert acts["gap"].to_list() == gap
    assert acts["later"].to_list() == [True, True, True, False, True, True]
    assert acts["hasty"].to_list() == [None, True, False, False, None, None]


def test_a_page_left_within_a_second_is_hasty_without_any_list() -> None:
    acts = acts_of(numbered([act("view", 1, 0, 5), act("view", 1, 0.9, 6)]), "owner")

    # The last view is followed by nothing: nobody knows how long it was looked at.
    assert acts["hasty"].to_list() == [True, None]


def test_a_list_shown_to_another_owner_hurries_nobody() -> None:
    events = numbered([act("impression", 1, 0, 5), act("click", 2, 0.5, 5)])

    assert acts_of(events, "owner")["hasty"].to_list() == [None]


def test_two_shoppers_behind_one_address_have_their_own_gaps() -> None:
    # Owner 1 acts at 0 and 100 s, owner 2 at 50 s: no gap of 50 s is anybody's.
    rows = [act("view", 1, 0, 5), act("view", 2, 50, 5), act("view", 1, 100, 5)]
    events = numbered(row | {"ip": 9} for row in rows)

    acts = acts_of(events, "ip")

    assert acts["id"].to_list() == [9, 9, 9]
    assert acts["gap"].to_list() == [None, 100 * SECOND, None]


def test_one_owner_at_two_addresses_leaves_gaps_only_within_each() -> None:
    places = [(0, 3), (10, 4), (30, 3)]
    events = numbered(act("view", 1, at, 5, ip=ip) for at, ip in places)

    acts = acts_of(events, "ip")

    assert acts.select("id", "gap").rows() == [(3, None), (3, 30 * SECOND), (4, None)]


def test_rows_without_an_address_belong_to_none() -> None:
    events = numbered([act("view", 1, 0, 5, ip=None), act("view", 1, 9, 5, ip=3)])

    assert acts_of(events, "ip")["id"].to_list() == [3]
