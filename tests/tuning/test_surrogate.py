from __future__ import annotations

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from shelfwise.schema.search import Span
from shelfwise.tuning.gain import expected_gain
from shelfwise.tuning.records import Trial
from shelfwise.tuning.space import Axis, Space
from shelfwise.tuning.surrogate import Surrogate, expected_improvement, placed, without_depths


def test_expected_improvement_by_hand() -> None:
    # At the best with deviation 1: the density at 0, .39894. Sure and 2 above: 2. Far below: 0.
    found = expected_improvement(np.array([5.0, 7.0, -95.0]), np.array([1.0, 1e-9, 1.0]), 5.0)
    assert found == pytest.approx([0.398942, 2.0, 0.0], abs=1e-6)


def test_a_process_knows_what_it_was_told_and_doubts_what_lies_far_away() -> None:
    x_ND = np.linspace(0.0, 0.5, 11)[:, None]
    surrogate = Surrogate(x_ND, np.sin(6 * x_ND[:, 0]), 0)
    mean_C, deviation_C = surrogate.told(np.array([[0.25], [1.0]]))
    assert mean_C[0] == pytest.approx(np.sin(1.5), abs=0.02)
    assert deviation_C[0] < 0.05 < deviation_C[1]
    worlds_WC = surrogate.worlds(np.array([[0.25], [1.0]]), 400)
    assert worlds_WC[:, 0].std() < 0.05 < worlds_WC[:, 1].std()
    assert worlds_WC.mean(0) == pytest.approx(mean_C, abs=0.3)


def test_very_low_values_are_raised() -> None:
    # Median 2; deviations 1, 0, 1, 2, 102, of which the middle is 1: 2 - 3 * 1.4826 = -2.4478.
    raised = without_depths(np.array([1.0, 2.0, 3.0, 4.0, -100.0]))
    assert raised == pytest.approx([1.0, 2.0, 3.0, 4.0, -2.4478])
    assert without_depths(np.array([1.0, 1.0, 0.0])).tolist() == [1.0, 1.0, 0.0]


def test_settings_in_the_unit_cube_by_hand() -> None:
    space = {
        "rate": FloatDistribution(1e-4, 1e-2, log=True),
        "kind": CategoricalDistribution(("a", "b")),
        "depth": IntDistribution(1, 5),
    }
    found = placed(space, [{"rate": 1e-3, "kind": "b", "depth": 2}])
    assert found == pytest.approx(np.array([[0.5, 0.0, 1.0, 0.25]]))


def test_more_trials_bring_more_where_little_was_seen() -> None:
    space = Space((Axis("x", "x", Span(0.0, 1.0), 0.5),))

    def gain(places: list[float]) -> tuple[float, float]:
        trials = [
            Trial(n, "done", {"x": x}, (float(np.sin(3 * x)),), {}, True, {}, 1.0, "")
            for n, x in enumerate(places)
        ]
        found = expected_gain(trials, space, True, 0)
        assert found is not None
        return found.next_trial, found.in_all

    # sin(3 x) is highest at .52.
    everywhere = gain(np.linspace(0.0, 1.0, 21).tolist())
    left = gain(np.linspace(0.0, 0.3, 21).tolist())
    assert everywhere[0] <= everywhere[1] < 0.01
    assert left[0] > 10 * everywhere[0]
    assert left[1] > 0.05
    assert expected_gain([], space, True, 0) is None
