from __future__ import annotations

import pytest
import torch
from torch import nn

from shelfwise.training.averaging import Average


def weight_of(value: float) -> nn.Parameter:
    return nn.Parameter(torch.tensor([value]))


def put(weight: nn.Parameter, value: float) -> None:
    with torch.no_grad():
        weight.fill_(value)


def test_means_by_hand() -> None:
    weight = weight_of(0.0)
    average = Average([weight], decay=0.25)

    # Kept in step 1: min(1/4, 2/11) = 2/11; in step 2: min(1/4, 3/12) = 1/4; in step 3: 1/4.
    for step, value in enumerate((11.0, 4.0, 8.0)):
        put(weight, value)
        average.follow()
        by_hand = (
            0 * 2 / 11 + 11 * 9 / 11,  # 9
            9 * 1 / 4 + 4 * 3 / 4,  # 5.25
            5.25 * 1 / 4 + 8 * 3 / 4,  # 7.3125
        )[step]
        assert average.means[0].item() == pytest.approx(by_hand)
    assert weight.item() == 8


def test_mean_weights_answer_within_the_block_alone() -> None:
    weight = weight_of(2.0)
    average = Average([weight], decay=0.5)
    put(weight, 6.0)
    average.follow()  # 2 * 2/11 + 6 * 9/11 = 58/11

    with average.in_place():
        assert weight.item() == pytest.approx(58 / 11)
    assert weight.item() == 6
    with pytest.raises(ZeroDivisionError), average.in_place():
        raise ZeroDivisionError  # a failing check leaves the weights as they were as well

    assert weight.item() == 6
    average.settle()
    assert weight.item() == pytest.approx(58 / 11)
