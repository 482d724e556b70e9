from __future__ import annotations

import numpy as np
import pytest

from shelfwise.evaluation.off_policy.weights import importance_weights


def test_a_propensity_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        importance_weights(np.array([0.1]), np.array([0.0]))
