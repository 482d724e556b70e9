from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shelfwise.data.batches import Examples, examples_of
from shelfwise.data.prepared import PreparedShop
from shelfwise.training.config import TrainOptions
from shelfwise.training.conversion_labels import conversion_warnings

LEAVE_OUT = TrainOptions(open_windows="leave_out")


@pytest.fixture(scope="module")
def learned(prepared_sample: PreparedShop) -> Examples:
    return examples_of(prepared_sample, ["train"])


def test_a_log_long_enough_is_no_reason_to_warn(
    prepared_sample: PreparedShop, learned: Examples
) -> None:
    assert conversion_warnings(prepared_sample, learned, TrainOptions()) == []
    nobody = replace(learned, clicked_N=np.zeros(len(learned.clicked_N), bool))
    assert conversion_warnings(prepared_sample, nobody, TrainOptions()) == []


def test_windows_that_outlast_training(prepared_sample: PreparedShop, learned: Examples) -> None:
    young = replace(learned, known_N=np.zeros(len(learned.known_N), bool))
    nothing = replace(young, arrived_N=0 * young.arrived_N)

    (delayed,) = conversion_warnings(prepared_sample, young, TrainOptions())
    (left_out,) = conversion_warnings(prepared_sample, young, LEAVE_OUT)
    (few,) = conversion_warnings(prepared_sample, nothing, TrainOptions())

    assert delayed.startswith("no purchase window of 3 days had closed when training ended, 20.")
    assert "p_convert speaks of purchases within those days; bring a longer log" in delayed
    assert "train.open_windows leaves open ones out: conversion was not learned" in left_out
    assert "fewer than 20 purchases are too few" in few
