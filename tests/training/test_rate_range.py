from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shelfwise.data.prepared import PreparedShop
from shelfwise.models.config import EncoderOptions, Frozen, ModelOptions
from shelfwise.schema.errors import ConfigError
from shelfwise.training.config import TrainOptions
from shelfwise.training.rate_range import is_lost, rate_range, read_range

OPTIONS = TrainOptions(learning_rate=0.002, encoder_learning_rate=0.00002, threads=1)


def test_a_valley_is_read_where_it_was_made() -> None:
    rate_S = np.geomspace(1e-6, 1.0, 121)  # 20 steps a power of ten
    # Falls most steeply at 1e-3, is lowest at 1e-1.
    place_S = np.log10(rate_S)
    loss_S = 5 - np.tanh(2 * (place_S + 3)) + 3 * np.maximum(0, place_S + 1) ** 2
    found = read_range(rate_S, loss_S, OPTIONS)
    assert found.fastest == pytest.approx(1e-3, rel=0.5)
    assert 0.02 < found.lowest < 0.2  # smoothing draws it towards the gentle side
    # Between the fastest, 1e-3, and a tenth of the lowest.
    assert found.fastest < found.suggested < 1e-2
    assert found.suggested == pytest.approx((found.fastest * found.lowest / 10) ** 0.5, rel=0.05)
    assert found.encoder_rate == pytest.approx(found.suggested / 100)


def test_a_loss_that_never_falls_is_said_so() -> None:
    found = read_range(np.geomspace(1e-3, 1.0, 40), np.linspace(1.0, 9.0, 40), OPTIONS)
    assert found.why.startswith("the loss never falls")


def test_a_climb_is_over_where_the_loss_is_far_above_its_beginning() -> None:
    # It fell by 2, so that 4 * 2 above the first loss is lost.
    assert not is_lost([10.0, 8.0, 17.9])
    assert is_lost([10.0, 8.0, 18.1])
    # Where it never fell, a twentieth of the first loss stands for the fall.
    assert is_lost([10.0, 12.1])


def test_a_shop_is_learned_at_rising_rates_and_the_same_ones_again(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    encoder = EncoderOptions(name=str(tiny_encoder), tuning=Frozen())
    model = ModelOptions(encoder=encoder, width=16)
    found = rate_range(prepared_sample, model, OPTIONS, (1e-4, 10.0), 24)
    assert found.rates[0] == pytest.approx(1e-4)
    assert found.losses[0] > min(found.losses)
    assert 1e-4 < found.suggested < 1.0
    assert rate_range(prepared_sample, model, OPTIONS, (1e-4, 10.0), 24) == found


def test_ends_in_no_order_are_refused(prepared_sample: PreparedShop) -> None:
    with pytest.raises(ConfigError, match=r"rates from 0\.1 to 0\.01 in 100 steps"):
        rate_range(prepared_sample, ModelOptions(), OPTIONS, (0.1, 0.01))
