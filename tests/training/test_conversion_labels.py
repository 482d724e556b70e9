from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shelfwise.data.batches import Examples, examples_of
from shelfwise.data.prepared import PreparedShop
from shelfwise.training.config import TrainOptions
from shelfwise.training.conversion_labels import conversion_warnings, learned_conversion

LEAVE_OUT = TrainOptions(open_windows="leave_out")


@pytest.fixture(scope="module")
def learned(prepared_sample: PreparedShop) -> Examples:
    return examples_of(prepared_sample, ["train"])


def warned(shop: PreparedShop, examples: Examples, options: TrainOptions) -> list[str]:
    return conversion_warnings(shop, examples, options, shop.moments.validation)


def test_a_log_long_enough_is_no_reason_to_warn(
    prepared_sample: PreparedShop, learned: Examples
) -> None:
    assert warned(prepared_sample, learned, TrainOptions()) == []
    assert learned_conversion(learned, TrainOptions())
    assert learned_conversion(learned, LEAVE_OUT)


def test_without_purchases_there_is_no_conversion(
    prepared_sample: PreparedShop, learned: Examples
) -> None:
    nothing = np.zeros(len(learned.clicked_N), bool)
    unsold = replace(learned, purchased_N=nothing)
    unseen = replace(unsold, clicked_N=nothing)

    (said,) = warned(prepared_sample, unsold, TrainOptions())

    assert "led to a purchase: conversion was not learned" in said
    assert not learned_conversion(unsold, TrainOptions())
    assert not learned_conversion(unseen, TrainOptions())
    assert warned(prepared_sample, unseen, TrainOptions()) == []


def test_windows_that_outlast_training(prepared_sample: PreparedShop, learned: Examples) -> None:
    young = replace(learned, known_N=np.zeros(len(learned.known_N), bool))
    nothing = replace(young, arrived_N=0 * young.arrived_N)

    (delayed,) = warned(prepared_sample, young, TrainOptions())
    (left_out,) = warned(prepared_sample, young, LEAVE_OUT)
    (few,) = warned(prepared_sample, nothing, TrainOptions())
    later = prepared_sample.moments.test
    (refitted,) = conversion_warnings(prepared_sample, young, LEAVE_OUT, later)

    assert delayed.startswith("no purchase window of 3 days had closed when training ended, 20.")
    assert "p_convert speaks of purchases within those days; bring a longer log" in delayed
    assert "train.open_windows leaves open ones out: conversion was not learned" in left_out
    assert "fewer than 20 purchases are too few" in few
    # Of 30 days, a refit ends where the test begins.
    assert refitted.startswith("no purchase window of 3 days had closed when training ended, 2")
    assert refitted != left_out
    assert learned_conversion(young, TrainOptions())
    assert not learned_conversion(young, LEAVE_OUT)
    assert not learned_conversion(nothing, TrainOptions())
