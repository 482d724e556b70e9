from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.training.schedule import place_in_schedule, rate_share, set_rates


@pytest.mark.parametrize(
    ("step", "share"),
    # 110 steps, a tenth (11 steps, rounded down) of them a climb of 1/11 each; then half a cosine
    # over 99 steps from 1 to .01: a third of the way cos(60 degrees) = .5 gives .01 + .99 * .75.
    [(1, 1 / 11), (5, 5 / 11), (11, 1.0), (44, 0.7525), (110, 0.01), (200, 0.01)],
)
def test_shares_by_hand(step: int, share: float) -> None:
    assert rate_share(step, 110, 0.1) == pytest.approx(share)


@given(st.integers(1, 300), st.floats(0, 0.99))
def test_it_climbs_once_and_falls_once(total: int, warmup: float) -> None:
    shares = [rate_share(step, total, warmup) for step in range(1, total + 1)]

    top = shares.index(max(shares))
    assert max(shares) == 1
    assert all(0 < share <= 1 for share in shares)
    assert shares[: top + 1] == sorted(shares[: top + 1])
    assert shares[top:] == sorted(shares[top:], reverse=True)


def test_every_group_keeps_its_own_peak() -> None:
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in (2.0, 0.5)]
    optimizer = torch.optim.AdamW(groups)

    set_rates(optimizer, [2.0, 0.5], 0.1)

    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.2, 0.05])


def test_the_clock_counts_where_it_will_end_training_first() -> None:
    # 1,000 steps planned, 50 of them warm-up. At step 100 a tenth of the plan is done.
    assert place_in_schedule(100, 1000, 0.1, 0.05) == 100
    assert place_in_schedule(100, 1000, 0.124, 0.05) == 100  # within a quarter of the plan's pace
    assert place_in_schedule(100, 1000, 0.4, 0.05) == 400
    assert place_in_schedule(100, 1000, 1.0, 0.05) == 1000
    # The climb goes by steps, however late it is.
    assert place_in_schedule(50, 1000, 0.4, 0.05) == 50
