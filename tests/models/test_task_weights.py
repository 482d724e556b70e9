from __future__ import annotations

from math import exp, log

import pytest
import torch

from shelfwise.models.task_weights import TaskWeights


def test_two_tasks_by_hand() -> None:
    # s = log 2 and 0: exp(-s) is 1/2 and 1.
    weights = TaskWeights(["match", "click"])
    weights.start_from({"match": 0.5, "click": 1.0})

    total = weights({"match": torch.tensor(6.0), "click": torch.tensor(0.25)})

    assert total.item() == pytest.approx(6 / 2 + log(2) / 2 + 0.25)
    assert weights.weights() == pytest.approx({"match": 0.5, "click": 1.0})


def test_the_best_weight_is_half_of_the_loss_to_the_minus_one() -> None:
    # d/ds of exp(-s) L + s/2 is 0 at exp(s) = 2 L: a loss of 3 comes to count 1/6.
    weights = TaskWeights(["click"])
    optimizer = torch.optim.SGD(weights.parameters(), lr=0.5)

    for _ in range(200):
        optimizer.zero_grad()
        weights({"click": torch.tensor(3.0)}).backward()
        optimizer.step()

    assert weights.weights()["click"] == pytest.approx(1 / 6, rel=1e-3)


def test_a_batch_without_labels_moves_no_weight() -> None:
    weights = TaskWeights(["click", "intent"])

    weights({"click": torch.tensor(1.0), "intent": torch.tensor(0.0)}).backward()

    # d/ds of exp(-s) + s/2 at 0 is -1 + 1/2.
    assert weights.log_variance["click"].grad.item() == pytest.approx(-0.5)
    assert weights.log_variance["intent"].grad.item() == 0


def test_weights_stay_within_bounds() -> None:
    weights = TaskWeights(["click"])
    with torch.no_grad():
        weights.log_variance["click"].fill_(-50.0)

    assert weights.weights()["click"] == pytest.approx(exp(4), rel=1e-5)
    assert torch.isfinite(weights({"click": torch.tensor(1.0)}))
