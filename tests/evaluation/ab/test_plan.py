from __future__ import annotations

import numpy as np
import pytest

from shelfwise.evaluation.ab.plan import Design, plan_for_lift, plan_for_units
from shelfwise.schema.errors import ConfigError


def test_a_plan_by_hand() -> None:
    # 10 % to 11 %: (1.9600 + .8416)^2 * (.09 + .0979) / .01^2 = 14,748 in each arm
    plan = plan_for_lift(0.10, 0.10, None, 1_000, Design())

    assert plan.units == pytest.approx(2 * 14_748, abs=4)
    assert plan.days == 30
    assert "30 days" in plan.sentence


def test_a_mean_with_a_deviation_by_hand() -> None:
    # 2.8016^2 * 2 * 4^2 / 1^2 = 251.2 in each arm
    assert plan_for_lift(10, 0.1, 4.0, None, Design()).units == pytest.approx(502, abs=2)


def test_what_a_size_detects_needs_that_size() -> None:
    for design in (Design(), Design(share=0.2), Design(peeking=True), Design(variance_left=0.5)):
        found = plan_for_units(0.05, 40_000, None, None, design)
        again = plan_for_lift(0.05, found.lift, None, None, design)
        assert again.units == pytest.approx(40_000, rel=0.001)


def test_cuped_saves_units_and_peeking_costs_some() -> None:
    def units(**design: float | bool) -> int:
        return plan_for_lift(0.1, 0.05, None, None, Design(**design)).units  # type: ignore[arg-type]

    assert units(variance_left=0.5) == pytest.approx(units() / 2, abs=1)
    assert 1.3 * units() < units(peeking=True) < 2.5 * units()


def test_a_plan_has_its_power() -> None:
    """Of tests of the planned size, 80 % find the difference."""
    plan = plan_for_lift(0.2, 0.25, None, None, Design())
    half = plan.units // 2
    random = np.random.default_rng(0)
    a, b = random.binomial(half, 0.2, 4_000) / half, random.binomial(half, 0.25, 4_000) / half

    found = np.abs(b - a) > 1.96 * np.sqrt((a * (1 - a) + b * (1 - b)) / half)

    assert found.mean() == pytest.approx(0.8, abs=0.02)


def test_impossible_designs_are_refused() -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        Design(power=1.0)
    with pytest.raises(ConfigError, match="deviation"):
        plan_for_lift(0.9, 0.5, None, None, Design())
    with pytest.raises(ConfigError, match="lift of 0"):
        plan_for_lift(0.1, 0, None, None, Design())
