"""Arms compared: by hand, by simulation where nothing differs, and by laws."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isnan, log, sqrt

import numpy as np
import polars as pl
import pytest
from scipy import stats

from shelfwise.evaluation.ab.analyse import AbOptions, Gap, analyse
from shelfwise.evaluation.ab.cuped import cuped
from shelfwise.evaluation.ab.plan import Design, plan_for_lift, plan_for_units
from shelfwise.evaluation.ab.ratio import Ratio, ratio_of_sums
from shelfwise.evaluation.ab.sample_ratio import sample_ratio_p
from shelfwise.evaluation.ab.sequential import always_valid_reach
from shelfwise.evaluation.ab.units import units_of
from shelfwise.schema.errors import ConfigError, DataError


def test_a_ratio_by_hand() -> None:
    # clicks 1, 0, 3 of 2, 2, 4 impressions: 4 / 8; terms (1 - 1, 0 - 1, 3 - 2) / (8 / 3)
    found = ratio_of_sums(np.array([1.0, 0, 3]), np.array([2.0, 2, 4]))

    assert found.value == 0.5
    assert found.influence_U == pytest.approx([0, -0.375, 0.375])
    # variance (2 * .375^2) / 2, over 3 units
    assert found.error == pytest.approx(sqrt(0.375**2 / 3))


def test_a_mean_has_the_error_of_a_mean() -> None:
    value = np.random.default_rng(0).normal(size=50)

    found = ratio_of_sums(value, np.ones(50))

    assert found.error == pytest.approx(value.std(ddof=1) / sqrt(50))


def test_the_delta_method_agrees_with_the_bootstrap() -> None:
    random = np.random.default_rng(1)
    shown = random.integers(1, 40, 400).astype(float)
    clicked = random.binomial(shown.astype(int), random.beta(2, 20, 400)).astype(float)
    found = ratio_of_sums(clicked, shown)

    drawn = random.integers(400, size=(4000, 400))
    again = clicked[drawn].sum(axis=1) / shown[drawn].sum(axis=1)

    assert found.error == pytest.approx(again.std(), rel=0.05)
    # Rows as units would be too sure: users differ in how they click.
    assert found.error > 1.2 * sqrt(found.value * (1 - found.value) / shown.sum())


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_cuped_leaves_one_minus_the_squared_correlation(correlation: float) -> None:
    random = np.random.default_rng(2)
    before = random.normal(size=20_000)
    noise = random.normal(size=20_000)
    outcome = correlation * before + sqrt(1 - correlation**2) * noise
    half = 10_000
    a, b = (ratio_of_sums(part, np.ones(half)) for part in (outcome[:half], outcome[half:]))

    found = cuped(a, b, before[:half], before[half:])

    assert found.variance_left == pytest.approx(1 - correlation**2, abs=0.015)
    assert abs(found.b.value - found.a.value) < 4 * sqrt(2 / half * (1 - correlation**2))


def test_cuped_takes_out_an_imbalance_of_before_by_hand() -> None:
    # Outcome = 2 * before exactly: all of the gap of 2 * (3 - 1) is explained.
    before_a, before_b = np.array([0.0, 1, 2]), np.array([2.0, 3, 4])
    a, b = ratio_of_sums(2 * before_a, np.ones(3)), ratio_of_sums(2 * before_b, np.ones(3))

    found = cuped(a, b, before_a, before_b)

    assert found.b.value - found.a.value == pytest.approx(0)
    assert found.variance_left == pytest.approx(0)


def test_a_covariate_that_never_varies_changes_nothing() -> None:
    a, b = Ratio(1.0, np.array([1.0, -1])), Ratio(2.0, np.array([1.0, -1]))

    assert cuped(a, b, np.zeros(2), np.zeros(2)) == (a, b, 1.0)


def test_the_confidence_sequence_by_hand() -> None:
    # tuned for 100 units at alpha .05: rho^2 = (5.991 + log(6.991)) / 100 = .07936;
    # after 100 units of standard deviation 1, grown = 8.936:
    # sqrt(2 * 8.936 / (10000 * .07936) * log(sqrt(8.936) / .05)) = sqrt(.02252 * 4.0908) = .3035
    reach = always_valid_reach(error=0.1, units=100, tuned_for=100)

    assert reach == pytest.approx(0.3035, abs=0.0005)
    assert reach > 1.96 * 0.1
    assert -2 * log(0.05) == pytest.approx(5.991, abs=0.001)


def _peeked(seed: int, lift: float = 0.0) -> tuple[bool, bool, bool]:
    """A test looked at 20 times: significant at the end, ever by 1.96, ever by the sequence."""
    random = np.random.default_rng(seed)
    arm = random.random(4_000) < 0.5
    outcome = (random.random(4_000) < 0.2 + lift * arm).astype(float)
    naive, valid = [], []
    for units in range(200, 4_001, 200):
        a, b = (
            ratio_of_sums(part, np.ones(len(part)))
            for part in (outcome[:units][~arm[:units]], outcome[:units][arm[:units]])
        )
        error = sqrt(a.error**2 + b.error**2)
        gap = abs(b.value - a.value)
        naive.append(gap > 1.96 * error)
        valid.append(gap > always_valid_reach(error, units, tuned_for=2_000))
    return naive[-1], any(naive), any(valid)


@pytest.mark.parametrize("tests", [300, pytest.param(2_000, marks=pytest.mark.long)])
def test_where_nothing_differs_one_in_twenty_is_significant_once(tests: int) -> None:
    at_the_end, ever, ever_valid = np.mean([_peeked(seed) for seed in range(tests)], axis=0)

    spread = 3 * sqrt(0.05 * 0.95 / tests)
    assert at_the_end == pytest.approx(0.05, abs=spread)
    assert ever > 0.15  # peeking without a correction
    assert ever_valid <= 0.05 + spread


def test_a_true_difference_is_found_by_the_sequence_too() -> None:
    assert np.mean([_peeked(seed, lift=0.06)[2] for seed in range(40)]) > 0.8


def test_sample_ratio_by_hand() -> None:
    # 550 and 450 of 1000: (50^2 / 500) * 2 = 10, chi-square with one degree of freedom
    assert sample_ratio_p([550, 450], [1, 1]) == pytest.approx(stats.chi2.sf(10, 1))
    assert sample_ratio_p([300, 700], [3, 7]) == pytest.approx(1)
    assert isnan(sample_ratio_p([5], [1]))
    with pytest.raises(ValueError, match="share"):
        sample_ratio_p([5, 5], [1, 0])


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


def _log(users: int, lift: float, seed: int = 0) -> pl.DataFrame:
    """Users who click more or less by nature, before the test and in it."""
    random = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for user in range(users):
        nature, arm = random.beta(3, 9), "ab"[user % 2]
        for day, moment in ((1, "before"), (20, "test")):
            rate = nature * (1 + lift * (arm == "b" and moment == "test"))
            for place in range(12):
                row = {"user_id": f"u{user}", "session_id": f"s{user}-{day}", "arm": arm}
                row |= {"timestamp": datetime(2025, 1, day, 8, place, tzinfo=UTC)}
                rows.append(row | {"event": "impression"})
                if random.random() < rate:
                    rows.append(row | {"event": "click"})
    return pl.DataFrame(rows)


START = datetime(2025, 1, 10, tzinfo=UTC)


def _gap(log: pl.DataFrame, metric: str, start: datetime | None = START) -> Gap:
    report = analyse(units_of(log, "arm", start), AbOptions())
    return next(gap for gap in report.gaps if gap.metric == metric)


def test_sums_of_a_log_by_hand() -> None:
    log = pl.DataFrame(
        [
            ("impression", "u1", "s1", "a", None, None),
            ("click", "u1", "s1", "a", None, None),
            ("purchase", "u1", "s2", None, 5.0, 2.0),
            ("impression", "u2", "s3", "b", None, None),
            ("impression", "u3", "s4", "a", None, None),
            ("impression", "u3", "s4", "b", None, None),
            ("impression", "u4", "s5", None, None, None),
        ],
        schema=["event", "user_id", "session_id", "arm", "price", "quantity"],
        orient="row",
    )

    units = units_of(log, "arm", None)

    assert units.table["unit"].to_list() == ["u1", "u2"]
    one = units.table.row(0, named=True)
    assert (one["impressions"], one["clicks"], one["purchases"]) == (1, 1, 1)
    assert (one["revenue"], one["sessions"]) == (10, 2)
    assert (units.in_two_arms, units.without_arm, units.has_before) == (1, 1, False)
    assert [metric.name for metric in units.metrics()][:2] == ["ctr", "conversion"]


def test_a_difference_is_found_and_cuped_narrows_it() -> None:
    log = _log(600, lift=0.3)

    with_before = _gap(log, "ctr")
    without = _gap(log.filter(pl.col("timestamp") >= START), "ctr")

    for gap in (with_before, without):
        assert gap.low < 0.25 * 0.3 < gap.high
        assert gap.always_low < gap.low < gap.high < gap.always_high
    assert with_before.variance_left < 0.85
    assert without.variance_left == 1
    assert with_before.high - with_before.low < 0.95 * (without.high - without.low)
    assert "more" in with_before.sentence
    assert with_before.p_holm >= with_before.p


def test_arms_that_lost_units_are_not_trusted() -> None:
    log = _log(300, lift=0.0)
    lost = log.filter((pl.col("arm") == "a") | (pl.col("user_id").str.len_chars() < 4))

    report = analyse(units_of(lost, "arm", START), AbOptions())

    assert not report.trusted
    assert "planned shares" in report.notes[0]
    assert analyse(units_of(log, "arm", START), AbOptions()).trusted


def test_what_is_missing_is_said() -> None:
    log = _log(4, lift=0)
    with pytest.raises(DataError, match="group"):
        units_of(log, "group", None)
    with pytest.raises(DataError, match="two arms"):
        analyse(units_of(log.filter(pl.col("arm") == "a"), "arm", None), AbOptions())
    with pytest.raises(DataError, match="'c'"):
        analyse(units_of(log, "arm", None), AbOptions(control="c"))
    with pytest.raises(DataError, match="each arm"):
        analyse(units_of(log, "arm", None), AbOptions(shares=(1.0,)))
