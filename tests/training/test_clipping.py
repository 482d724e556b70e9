from __future__ import annotations

import pytest
import torch

from shelfwise.training.clipping import clip_gradient


def parameters() -> list[torch.nn.Parameter]:
    """Gradients (3, 4) and (0, 12), of length 13 together, and one that has none."""
    found = [torch.nn.Parameter(torch.zeros(2)) for _ in range(3)]
    found[0].grad, found[1].grad = torch.tensor([3.0, 4.0]), torch.tensor([0.0, 12.0])
    return found


def test_what_is_too_long_is_shortened() -> None:
    learning = parameters()

    assert clip_gradient(learning, 6.5).item() == pytest.approx(13)

    assert learning[0].grad is not None
    torch.testing.assert_close(learning[0].grad, torch.tensor([1.5, 2.0]))


@pytest.mark.parametrize("longest", [13.0, 100.0])
def test_what_is_not_stays_to_the_bit(longest: float) -> None:
    learning = parameters()
    clip_gradient(learning, longest)

    reference = parameters()
    torch.nn.utils.clip_grad_norm_(reference, longest + 1)
    for found, expected in zip(learning, reference, strict=True):
        assert (found.grad is None) == (expected.grad is None)
        if found.grad is not None and expected.grad is not None:
            assert torch.equal(found.grad, expected.grad)


def test_nothing_to_clip() -> None:
    assert clip_gradient([torch.nn.Parameter(torch.zeros(2))], 1.0).item() == 0
