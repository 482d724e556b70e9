"""Adversaries in real trainings: weights move with the optimiser alone, however they are tuned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from shelfwise.data.prepared import PreparedShop
from shelfwise.models.config import AdaLora, Adapter, Full, Lora, TopLayers, TuningOptions
from shelfwise.models.places import reachable
from shelfwise.training.adversaries.choice import Opponent
from shelfwise.training.adversaries.options import (
    AdversaryOptions,
    Awp,
    Fgm,
    FreeLb,
    NoAdversary,
    Pgd,
    RDrop,
)
from training.small_network import CPU, network_of
from training.test_step import OPTIONS, batches_of, learner_of

KINDS: tuple[AdversaryOptions, ...] = (
    Fgm(places=("words", "items", "ids", "history")),
    Pgd(places=("items", "history"), steps=2),
    FreeLb(places=("words",), steps=2),
    Awp(),
    RDrop(),
)
TUNINGS: tuple[TuningOptions, ...] = (
    TopLayers(layers=1),
    Full(),
    Lora(),
    AdaLora(first_rank=4, rank=2),
    Adapter(width=4),
)
WHERE = (
    CPU,
    pytest.param(
        torch.device("cuda"),
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here"),
    ),
)


def gradient_of(
    prepared: PreparedShop,
    encoder: Path,
    kind: AdversaryOptions,
    tuning: TuningOptions,
    device: torch.device = CPU,
) -> tuple[dict[str, torch.Tensor], float]:
    """Of the first step, with weights checked to stand where they stood; and its loss."""
    network = network_of(prepared, encoder, tuning=tuning, device=device)
    options = OPTIONS.model_copy(update={"learning_rate": 1e-12, "encoder_learning_rate": 1e-12})
    learner = replace(learner_of(prepared, network, options), opponent=Opponent.of(kind, 1))
    modules = {"model": network.model, "encoder": network.bank.encoder}
    named = {f"{a}.{b}": p for a, m in modules.items() for b, p in m.named_parameters()}
    before = {name: p.detach().clone() for name, p in named.items()}
    found: dict[str, torch.Tensor] = {}

    def remember(*_: object) -> None:
        found.update({n: p.grad.clone() for n, p in named.items() if p.grad is not None})
        assert all(torch.equal(p, before[n]) for n, p in named.items())

    learner.optimizer.register_step_pre_hook(remember)
    terms = learner.take(1, batches_of(learner, 1))
    assert all(place.nudges is None for place in reachable(*modules.values()))
    return found, terms.total.item()


@pytest.mark.parametrize("device", WHERE, ids=str)
@pytest.mark.parametrize(
    ("kind", "tuning"),
    [(kind, TUNINGS[0]) for kind in KINDS]
    + [(KINDS[0], tuning) for tuning in TUNINGS[1:]]
    + [
        pytest.param(kind, tuning, marks=pytest.mark.long)
        for kind in KINDS[1:]
        for tuning in TUNINGS[1:]
    ],
    ids=lambda options: getattr(options, "kind", None) or options.mode,
)
def test_weights_stand_still_and_the_same_ones_learn(
    prepared_sample: PreparedShop,
    tiny_encoder: Path,
    kind: AdversaryOptions,
    tuning: TuningOptions,
    device: torch.device,
) -> None:
    plain, loss = gradient_of(prepared_sample, tiny_encoder, NoAdversary(), tuning, device)
    found, told = gradient_of(prepared_sample, tiny_encoder, kind, tuning, device)

    assert set(found) == set(plain)
    assert {gradient.device.type for gradient in found.values()} == {device.type}
    assert any(not torch.allclose(found[name], plain[name], rtol=1e-4) for name in plain)
    if kind.kind != "free_lb":  # which knows no batch that was left as it is
        # A GPU adds up in another order every time.
        assert told == pytest.approx(loss, rel=1e-6 if device == CPU else 1e-3)


def test_a_hard_batch_teaches_more(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    """Moved by a hundredth of a millionth, a batch is what it was; moved far, it is not."""
    plain, _ = gradient_of(prepared_sample, tiny_encoder, NoAdversary(), Full())
    near, _ = gradient_of(
        prepared_sample, tiny_encoder, Fgm(places=("items",), radius=1e-8), Full()
    )

    for name, gradient in plain.items():
        torch.testing.assert_close(near[name], gradient, rtol=1e-3, atol=1e-5)
