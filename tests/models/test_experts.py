from __future__ import annotations

from math import erf, log, sqrt

import pytest
import torch
from torch import Tensor, nn

from shelfwise.models.config import (
    ExpertOptions,
    HeadOptions,
    MixtureOfExperts,
    ProgressiveLayers,
    SharedBottom,
)
from shelfwise.models.experts import (
    ExpertBank,
    GatedExperts,
    ProgressiveExperts,
    experts_of,
    mixed,
)

F, H, N, TASKS = 5, 8, 7, 3
KINDS: list[ExpertOptions] = [
    SharedBottom(),
    MixtureOfExperts(experts=3),
    ProgressiveLayers(levels=1),
    ProgressiveLayers(shared=1, own=2, levels=3),
]


def heads(experts: ExpertOptions, hidden: int = H) -> HeadOptions:
    return HeadOptions(experts=experts, hidden=hidden, dropout=0)


def made(experts: ExpertOptions, tasks: int = TASKS) -> nn.Module:
    """Every weight random: gates begin at 0, and would hide what they do."""
    network = experts_of(F, tasks, heads(experts))
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.5)
    return network.eval()


def rows() -> Tensor:
    torch.manual_seed(2)
    return torch.randn(N, F)


def gelu(x: float) -> float:
    return x * (1 + erf(x / sqrt(2))) / 2


@torch.no_grad()
@pytest.mark.parametrize("experts", KINDS)
def test_each_task_gets_a_representation_of_every_row_by_itself(experts: ExpertOptions) -> None:
    network, feature = made(experts), rows()

    together = network(feature)

    assert [tuple(one.shape) for one in together] == [(N, H)] * TASKS
    assert [tuple(one.shape) for one in network(feature[:0])] == [(0, H)] * TASKS
    order = torch.tensor([4, 0, 6])
    for all_rows, some in zip(together, network(feature[order]), strict=True):
        torch.testing.assert_close(some, all_rows[order])


@torch.no_grad()
def test_a_shared_bottom_says_the_same_to_all() -> None:
    one, *others = made(SharedBottom())(rows())

    assert all(torch.equal(one, other) for other in others)


@torch.no_grad()
@pytest.mark.parametrize("experts", KINDS[1:])
def test_experts_say_different_things_to_different_tasks(experts: ExpertOptions) -> None:
    one, other, _ = made(experts)(rows())

    assert not torch.allclose(one, other)


@torch.no_grad()
def test_two_experts_by_hand() -> None:
    bank = ExpertBank(1, 2, 1, heads(SharedBottom(), hidden=1))
    bank.inner.weight.copy_(torch.tensor([[1.0], [-2.0]]))
    bank.inner.bias.copy_(torch.tensor([0.0, 3.0]))
    bank.outer_EWH.copy_(torch.tensor([[[2.0]], [[-1.0]]]))
    bank.bias_EH.copy_(torch.tensor([[0.5], [0.0]]))

    found = bank(torch.tensor([[1.0]]))

    # Expert 0: 1 * 1 + 0 = 1, then 2 gelu(1) + .5. Expert 1: -2 * 1 + 3 = 1, then -gelu(1).
    expected = [gelu(2 * gelu(1.0) + 0.5), gelu(-gelu(1.0))]
    assert found.flatten().tolist() == pytest.approx(expected, abs=1e-6)


def test_a_gate_by_hand() -> None:
    # softmax(0, log 3) = 1/4, 3/4; of the experts' 4 and 8, and of 0 and 2.
    expert = torch.tensor([[[4.0, 0.0], [8.0, 2.0]]])

    found = mixed(torch.tensor([[0.0, log(3)]]), expert)

    assert found.tolist() == [pytest.approx([7.0, 1.5])]


@torch.no_grad()
def test_gates_begin_with_the_plain_mean() -> None:
    network = GatedExperts(F, 2, 3, heads(MixtureOfExperts(experts=3)))
    network.eval()

    one, other = network(rows())

    torch.testing.assert_close(one, network.experts(rows()).mean(1))
    torch.testing.assert_close(one, other)


def reached(network: nn.Module, task: int) -> set[str]:
    """Parameters that a task's loss moves."""
    network.zero_grad()
    network(rows())[task].square().sum().backward()
    return {
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is not None and parameter.grad.abs().sum() > 0
    }


def under(names: set[str], prefix: str) -> set[str]:
    return {name for name in names if name.startswith(prefix)}


def test_a_task_of_mmoe_moves_all_experts_and_its_own_gate_alone() -> None:
    found = reached(made(MixtureOfExperts(experts=2), tasks=2), task=0)

    assert len(under(found, "experts.")) == 4
    assert under(found, "gates.") == {"gates.0.weight"}


def test_a_tasks_own_experts_learn_nothing_from_another_task() -> None:
    network = made(ProgressiveLayers(levels=1), tasks=2)
    of_click, of_convert = (reached(network, task) for task in range(2))

    for found, own, other in ((of_click, 0, 1), (of_convert, 1, 0)):
        assert len(under(found, f"levels.0.own.{own}.")) == 4
        assert not under(found, f"levels.0.own.{other}.")
        assert len(under(found, "levels.0.shared.")) == 4
        assert under(found, "levels.0.gates.") == {f"levels.0.gates.{own}.weight"}


def test_below_the_last_level_others_reach_them_through_the_shared_path() -> None:
    found = reached(made(ProgressiveLayers(levels=2), tasks=2), task=0)

    assert not under(found, "levels.1.own.1.")
    assert len(under(found, "levels.0.own.1.")) == 4
    assert "levels.0.shared_gate.weight" in found
    assert "levels.0.gates.1.weight" not in found  # what task 1 makes of it, task 0 never reads


@torch.no_grad()
def test_progressive_routing_by_hand() -> None:
    network = ProgressiveExperts(
        1, 2, ProgressiveLayers(shared=1, own=1, levels=2), heads(SharedBottom(), hidden=3)
    )
    network.eval()

    # With gates at 0 every mixture is a plain mean. Level 0: own experts a, b and the shared s of
    # one input; tasks get (a + s) / 2 and (b + s) / 2, the shared path (a + b + s) / 3.
    low, high = network.levels
    x = torch.tensor([[0.7]])
    a, b, s = low.own[0](x)[:, 0], low.own[1](x)[:, 0], low.shared(x)[:, 0]
    shared = high.shared((a + b + s) / 3)[:, 0]
    expected = [
        (high.own[0]((a + s) / 2)[:, 0] + shared) / 2,
        (high.own[1]((b + s) / 2)[:, 0] + shared) / 2,
    ]
    for found, right in zip(network(x), expected, strict=True):
        torch.testing.assert_close(found, right)


@pytest.mark.parametrize("experts", [MixtureOfExperts(), ProgressiveLayers(levels=1)])
def test_all_kinds_have_about_as_much_to_learn(experts: ExpertOptions) -> None:
    def size(options: ExpertOptions) -> int:
        network = experts_of(600, 2, heads(options, hidden=128))
        return sum(parameter.numel() for parameter in network.parameters())

    # Experts: the same two matrices, cut into pieces. Gates: at most 4 weights a feature and task.
    assert size(SharedBottom()) == 600 * 128 + 128 + 128 * 128 + 128
    assert size(SharedBottom()) < size(experts) < 1.1 * size(SharedBottom())
