"""Each process learns its own batches; gradients added up over all are those of one process."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from shelfwise.training.adversaries.choice import adversary_of
from training.adversaries.test_adversaries import EVERY, Line

PROCESSES = 2


def _drawn() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(9)
    return (
        torch.randn(8, 1, generator=generator),
        torch.randn(PROCESSES, 4, 8, generator=generator),
    )


def _learned(parts: list[Tensor]) -> list[Tensor]:
    """Gradient of each adversary after batches ``parts``; the weights have not moved."""
    found = []
    for options in EVERY:
        weight, _ = _drawn()
        made = Line(weight, parts[0], squared=True).eval()
        for part in parts:
            made.inputs = part
            adversary_of(options).learn(made.attempt())
        assert torch.equal(made.weight, weight)
        assert made.weight.grad is not None
        found.append(made.weight.grad)
    return found


def _work(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    store = f"file://{folder}/store"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=PROCESSES)
    try:
        gradients = _learned([_drawn()[1][rank]])
        for gradient in gradients:
            dist.all_reduce(gradient)
        torch.save(gradients, f"{folder}/{rank}.pt")
    finally:
        dist.destroy_process_group()


def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_work, args=(rank, str(tmp_path))) for rank in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]

    alone = _learned(list(_drawn()[1]))

    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    for one, other, whole in zip(first, second, alone, strict=True):
        assert torch.equal(one, other)
        torch.testing.assert_close(one, whole)
