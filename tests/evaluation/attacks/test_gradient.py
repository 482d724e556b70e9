from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from shelfwise.evaluation.attacks.gradient import hardest, under
from shelfwise.evaluation.attacks.victim import unlikelihood
from shelfwise.evaluation.match import View
from shelfwise.models.places import Place


def test_a_straight_line_is_climbed_to_the_corner_of_the_box() -> None:
    place = Place("items")
    value = torch.tensor([[3.0, 4.0], [0.6, -0.8]])
    slope = torch.tensor([[1.0, -2.0], [0.5, 0.0]])

    def loss() -> Tensor:
        return (place(value) * slope).sum()

    nudges = hardest(loss, [place], "items", radius=0.1, steps=5)
    moved = under([place], nudges, lambda: place(value))

    # Rows of 5 and 1: root mean squares 5 / sqrt 2 and 1 / sqrt 2, a tenth of them either way.
    step = 0.1 / np.sqrt(2)
    corner = torch.tensor([[5 * step, -5 * step], [step, 0.0]], dtype=torch.float32)
    torch.testing.assert_close(moved - value, corner, rtol=1e-5, atol=1e-6)
    assert place.nudges is None


def test_more_reach_does_more_harm() -> None:
    torch.manual_seed(0)
    place = Place("items")
    value, weight = torch.randn(8, 6), torch.randn(6, 6)

    def loss() -> Tensor:
        return torch.tanh(place(value) @ weight).square().sum()

    found = [
        under([place], hardest(loss, [place], "items", radius=radius, steps=6), loss).item()
        for radius in (1e-6, 0.05, 0.2, 0.5)
    ]
    assert found[0] == pytest.approx(loss().item(), rel=1e-4)
    assert found == sorted(found)


def test_unlikelihood_by_hand() -> None:
    none = np.empty(0, np.int64)
    # Request 0 has two right answers of which each counts half; request 2 is not asked.
    view = View("main", np.array([0, 0, 1, 2]), np.array([0, 1, 2, 0]), none, none)
    score = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))

    found = unlikelihood(score, view, np.array([0, 1]))

    expected = -((np.log(0.5) + np.log(0.25)) / 2 + np.log(0.8)) / 2
    assert found.item() == pytest.approx(expected, rel=1e-6)
