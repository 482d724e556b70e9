from __future__ import annotations

from dataclasses import replace
from math import isnan, nan

import numpy as np
import pytest

from shelfwise.evaluation.per_owner import per_owner

from .baselines.small import TARGETS, ints


def test_an_owners_value_is_the_mean_of_its_requests() -> None:
    # Owner 3 asks at targets 0, 1 and 3; the value of target 1 is unknown, as is all of owner 8's.
    targets = replace(TARGETS, owner_T=ints(3, 3, 5, 3, 8))

    found = per_owner(np.array([0.2, nan, 0.5, 0.6, nan]), targets)

    assert found[:2].tolist() == pytest.approx([0.4, 0.5])
    assert isnan(found[2])
