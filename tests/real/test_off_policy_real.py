"""Off-policy estimates on the Open Bandit sample."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from benchmarks.off_policy_check import of_campaign
from evaluation.off_policy.test_estimators import RECORDED, open_bandit_inputs, ours

DATA = Path(__file__).parents[3] / "shared" / "data" / "obp"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA}")


@pytest.mark.parametrize("campaign", ["all", "men"])
def test_agrees_with_what_obp_was_recorded_to_say_of_its_sample(campaign: str) -> None:
    log = pl.read_csv(DATA / "bts" / campaign / f"{campaign}.csv.gz")

    assert ours(*open_bandit_inputs(log)) == pytest.approx(
        RECORDED[f"open-bandit/{campaign}"], abs=1e-9
    )


@pytest.mark.parametrize(("campaign", "effective"), [("all", 340.4), ("men", 655.7)])
def test_the_uniform_policys_own_log_is_not_contradicted(campaign: str, effective: float) -> None:
    found, gaps = of_campaign(DATA, campaign)

    assert found.effective == pytest.approx(effective, abs=0.1)
    assert not found.refused
    assert all(gap["low"] < 0 < gap["high"] for gap in gaps)
    assert len(gaps) == 2


def test_too_few_rows_stand_for_too_many_among_women() -> None:
    found, gaps = of_campaign(DATA, "women")

    assert "worth 2.1 rows" in found.refused
    assert gaps == []
