from __future__ import annotations

from math import isnan

import numpy as np

from shelfwise.evaluation.off_policy.estimate import OffPolicyOptions, estimate_policy
from shelfwise.evaluation.off_policy.logged import LoggedRows


def test_without_support_nothing_is_said_and_the_reason_is() -> None:
    rows = LoggedRows(np.ones(50), np.full(50, 0.5), np.full(50, 0.5), np.arange(50))

    told = estimate_policy(rows, OffPolicyOptions(), policy="p", reward="click", where="here")

    assert all(isnan(one.value) and one.support == 0 for one in told.estimates)
    assert told.sentence == told.refused != ""
    nothing = LoggedRows(*(np.zeros(0),) * 3, np.zeros(0, np.int64))
    told = estimate_policy(nothing, OffPolicyOptions(), policy="p", reward="click", where="here")
    assert "no row" in told.sentence


def test_a_policy_that_prefers_what_is_clicked_earns_more() -> None:
    random = np.random.default_rng(0)
    action = random.integers(2, size=4000)
    reward = (random.random(4000) < np.where(action == 1, 0.3, 0.1)).astype(float)
    target = np.where(action == 1, 0.9, 0.1)
    rows = LoggedRows(reward, np.full(4000, 0.5), target, np.arange(4000) // 4)

    told = estimate_policy(rows, OffPolicyOptions(), policy="a policy", reward="click", where="x")

    # .9 * .3 + .1 * .1 = .28 against (.3 + .1) / 2 = .2
    snips = told.estimate("snips")
    assert snips is not None
    assert snips.low < 0.28 < snips.high
    assert snips.gain_low < 0.08 < snips.gain_high
    assert "more than the log's own policy" in told.sentence
