"""What every off-policy estimator is given, and what it answers.

Shape suffixes in this package: N = logged actions (an item in a slot), U = units (owners,
requests), F = features of an action in its context.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Linear(NamedTuple):
    """An estimate with each row's share of its error: ``estimate - truth = mean(influence)``,
    nearly, where there are many rows."""

    value: float
    influence_N: Floats


@dataclass(frozen=True, slots=True)
class Modelled:
    """What a reward model expects, fitted without the row's own unit."""

    logged_N: Floats  # of the action that was taken
    target_N: Floats  # of what the evaluated policy would do: its mean over the policy's actions
    direct: Linear  # the direct method's own estimate, its model's error included


@dataclass(frozen=True, slots=True)
class LoggedRows:
    """Actions of a log, with how likely they were and would have been."""

    reward_N: Floats
    propensity_N: Floats  # of the logged action under the policy that logged it; above 0
    target_N: Floats  # of the logged action under the policy that is evaluated; may be 0
    unit_N: NDArray[np.int64]  # rows of one unit resemble each other
    modelled: Modelled | None = None

    def __len__(self) -> int:
        return len(self.reward_N)
