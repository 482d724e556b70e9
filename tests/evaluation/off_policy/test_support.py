from __future__ import annotations

import numpy as np
import pytest

from shelfwise.evaluation.off_policy.support import support_of


def test_support_by_hand() -> None:
    # 1000 rows of weight 1: all of the policy, worth 1000 rows.
    full = support_of(np.full(1000, 0.1), np.full(1000, 0.1), np.arange(1000))
    assert (full.effective, full.covered.value, full.refused) == (1000, 1, "")

    # Every second row has target 0, the others weight 1: half of the policy is never logged.
    half = support_of(np.tile([0.0, 0.1], 500), np.full(1000, 0.1), np.arange(1000))
    assert half.covered.value == 0.5
    assert "50%" in half.refused

    # One row carries all: worth one row.
    one = np.zeros(1000)
    one[0] = 1.0
    few = support_of(one, np.full(1000, 0.001), np.arange(1000))
    assert few.effective == 1
    assert "worth 1.0 rows" in few.refused

    # Half of the weight lies beyond the clip: 500 * 1 + 500 * 3 = 2000, of which 1000 stay.
    clipped = support_of(np.tile([0.1, 0.3], 500), np.full(1000, 0.1), np.arange(1000), clip=1)
    assert clipped.beyond_clip == pytest.approx(0.5)
    assert "clip" in clipped.refused
