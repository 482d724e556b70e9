from __future__ import annotations

from dataclasses import replace
from math import log

import numpy as np
import polars as pl
import pytest
import torch

from shelfwise.data.batches import examples_of
from shelfwise.data.position_bias import FEWEST_CLICKS, position_curves
from shelfwise.data.prepared import PreparedShop
from shelfwise.models.config import HeadOptions
from shelfwise.models.heads import POSITIONS, ClickConvertHeads
from shelfwise.models.requests import SURFACES
from shelfwise.training import position_start as module
from shelfwise.training.position_start import measured_places, usual_shift


@pytest.fixture(scope="module")
def randomised(prepared_sample: PreparedShop) -> PreparedShop:
    """The sample shop with as many clicks as a curve needs: half of the rows at place 1 and a
    quarter of the others, whatever is shown; all rows as likely as each other."""
    random = np.random.default_rng(0)
    shown = prepared_sample.impressions
    rate = np.where(shown["position"].to_numpy() == 1, 0.5, 0.25)
    clicked = pl.Series(random.random(len(shown)) < rate)
    item = pl.Series(random.integers(7, size=len(shown)), dtype=shown["item"].dtype)
    shown = shown.with_columns(
        clicked_at=pl.when(clicked).then(pl.col("at") + 1), propensity=pl.lit(0.01), item=item
    )
    return replace(prepared_sample, impressions=shown)


def test_places_start_where_they_were_measured(
    randomised: PreparedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ENOUGH_CLICKS", FEWEST_CLICKS)  # so small a shop has no more
    shift = measured_places(randomised, ("train",))

    assert shift.shape == (len(SURFACES), POSITIONS)
    measured = [curve for curve in position_curves(randomised, ("train",)) if not curve.refused]
    assert measured
    for curve in measured:
        row = shift[list(SURFACES).index(curve.surface)]
        # half at the first place, a quarter at the others: logit(1/4) - logit(1/2) = -log 3
        assert row[1] == pytest.approx(0, abs=1e-6)
        assert row[2] == pytest.approx(-log(3), abs=0.35)
        assert row[POSITIONS - 1] < row[len(curve.position_K)]
        assert -log(3) - 0.35 < row[0] < 0


def test_a_curve_of_few_clicks_is_no_start(randomised: PreparedShop) -> None:
    few = randomised.impressions.filter(pl.col("request") % 3 == 0)

    assert not measured_places(replace(randomised, impressions=few), ("train",)).any()


def test_without_randomised_rows_nothing_is_known(prepared_sample: PreparedShop) -> None:
    shown = prepared_sample.impressions.with_columns(propensity=pl.lit(None, pl.Float64))

    assert not measured_places(replace(prepared_sample, impressions=shown), ("train",)).any()


@pytest.mark.parametrize("fixed", [True, False])
def test_the_tower_takes_the_curve(fixed: bool) -> None:
    heads = ClickConvertHeads(4, 2, 3, HeadOptions())
    shift = torch.from_numpy(np.arange(3 * POSITIONS, dtype=np.float32).reshape(3, POSITIONS))

    heads.start_from(0.5, 0.5)
    heads.start_places(shift, -0.7, fixed=fixed)

    assert heads.position.weight[POSITIONS + 5].item() == POSITIONS + 5
    assert heads.position.weight.requires_grad is not fixed
    # The first place is clicked more often than all places are.
    assert heads.click.bias.item() == pytest.approx(0.7)


def test_the_usual_shift_by_hand(prepared_sample: PreparedShop) -> None:
    examples = examples_of(prepared_sample, ["train"])
    shift = np.zeros((len(SURFACES), POSITIONS), np.float32)
    shift[:, 1] = -2  # as if only first places counted

    share = (examples.position_N == 1).mean()

    assert usual_shift(shift, examples) == pytest.approx(-2 * share)
