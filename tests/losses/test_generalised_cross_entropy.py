from __future__ import annotations

import pytest
import torch

from shelfwise.losses.generalised_cross_entropy import generalised_cross_entropy

CHANCES = torch.tensor([0.9, 0.5, 0.01])


def test_by_hand() -> None:
    found = generalised_cross_entropy(-CHANCES.log(), 0.5)

    # (1 - sqrt p) / .5
    expected = 2 * (1 - CHANCES.sqrt())
    torch.testing.assert_close(found, expected)


def test_at_its_ends() -> None:
    loss = -CHANCES.log()
    assert generalised_cross_entropy(loss, 0.0) is loss
    torch.testing.assert_close(generalised_cross_entropy(loss, 1.0), 1 - CHANCES)
    torch.testing.assert_close(generalised_cross_entropy(loss, 1e-4), loss, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("doubt", [0.3, 0.7, 1.0])
def test_the_unlikely_teach_less(doubt: float) -> None:
    loss = (-CHANCES.log()).requires_grad_()

    generalised_cross_entropy(loss, doubt).sum().backward()

    assert loss.grad is not None
    torch.testing.assert_close(loss.grad, CHANCES**doubt)


def test_what_is_out_of_the_question_stays_finite() -> None:
    loss = torch.tensor([1e4], requires_grad=True)

    found = generalised_cross_entropy(loss, 0.7)
    found.backward()

    assert found.item() == pytest.approx(1 / 0.7)
    assert loss.grad is not None
    assert loss.grad.item() == 0
