from __future__ import annotations

import pytest
import torch

from shelfwise.losses.weighted_mean import weighted_mean


def test_mean_by_hand() -> None:
    value = torch.tensor([1.0, 4.0])

    assert weighted_mean(value, None).item() == pytest.approx(2.5)
    # (3 * 1 + 1 * 4) / 4
    assert weighted_mean(value, torch.tensor([3, 1])).item() == pytest.approx(7 / 4)


def test_nothing_known_teaches_nothing() -> None:
    value = torch.tensor([1.0, 4.0], requires_grad=True)
    mean = weighted_mean(value, torch.zeros(2))
    mean.backward()

    assert mean.item() == 0
    assert value.grad is not None
    assert value.grad.tolist() == [0, 0]
    assert weighted_mean(torch.empty(0), None).item() == 0
