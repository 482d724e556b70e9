from __future__ import annotations

from dataclasses import replace
from math import log
from pathlib import Path

import numpy as np
import pytest
import torch

from shelfwise.data.batches import examples_of
from shelfwise.data.item_facts import NUMBERS
from shelfwise.data.part_rows import TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.trend import FIGURES
from shelfwise.models.auxiliary import Interest
from shelfwise.models.config import Frozen, TuningOptions
from shelfwise.models.shelf_model import Shape, ShelfModel
from shelfwise.training.auxiliary_figures import accuracy, auxiliary_figures
from shelfwise.training.auxiliary_losses import interest_loss
from shelfwise.training.config import TrainOptions
from shelfwise.training.network import Network
from shelfwise.training.objective import Terms, batch_loss
from shelfwise.training.task_plan import plan_tasks, start_heads
from shelfwise.training.tasks_config import TaskOptions, UncertaintyWeights

from .small_network import TOP, first_batch, network_of, options_of

OPTIONS = TrainOptions(live_texts=8)
ONE_OF = {task: False for task in TaskOptions.model_fields if task != "weights"}


def network_for(
    prepared: PreparedShop,
    folder: Path,
    tasks: TaskOptions | None = None,
    tuning: TuningOptions = TOP,
) -> Network:
    """With heads for every task that is switched on, their weights random."""
    examples = examples_of(prepared, TRAINED)
    plan = plan_tasks(prepared, examples, TRAINED, tasks or TaskOptions(), OPTIONS)
    plain = network_of(prepared, folder, tuning)
    torch.manual_seed(0)
    shape = Shape(plain.bank.encoder.width, plain.items, NUMBERS, FIGURES, plan.auxiliary)
    model = ShelfModel(shape, options_of(folder, tuning))
    start_heads(model, plan)
    with torch.no_grad():
        for parameter in model.auxiliary.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return replace(plain, model=model.eval(), tasks=plan)


def losses_of(network: Network, prepared: PreparedShop) -> Terms:
    network.model.eval()
    network.bank.encoder.eval()
    return batch_loss(network, first_batch(prepared), OPTIONS, np.random.default_rng(0), ())


def reached(network: Network, loss: torch.Tensor) -> set[str]:
    """Parts of the network that learn from a loss, by the first names of their weights."""
    named = dict(network.model.named_parameters())
    named |= {f"encoder.{n}": p for n, p in network.bank.encoder.named_parameters()}
    asking = {name: p for name, p in named.items() if p.requires_grad}
    gradients = torch.autograd.grad(
        loss, list(asking.values()), retain_graph=True, allow_unused=True
    )
    found = zip(asking, gradients, strict=True)
    moved = [name for name, gradient in found if gradient is not None and gradient.any()]
    return {".".join(name.split(".")[: 2 if name.startswith("aux") else 1]) for name in moved}


def test_each_task_teaches_what_it_reads_and_nothing_else(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_for(prepared_sample, tiny_encoder)

    terms = losses_of(network, prepared_sample)

    assert all(term > 0 for term in terms)
    # Attributes are told by text alone: no id, no numbers, no projection shared with matches.
    assert reached(network, terms.attributes) == {"encoder", "auxiliary.attributes"}
    assert reached(network, terms.intent) == {"encoder", "auxiliary.intent"}
    assert reached(network, terms.relevance) == {
        *("encoder", "text", "query_shift", "auxiliary.relevance")
    }
    of_interest = reached(network, terms.interest)
    assert {"history", "item_id", "text", "auxiliary.interest"} <= of_interest
    assert not of_interest & {"heads", "trend", "auxiliary.intent"}


def test_interest_does_not_see_the_query(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    network = network_for(prepared_sample, tiny_encoder, tuning=Frozen())
    batch = first_batch(prepared_sample)
    asked = np.flatnonzero(batch.query_R >= 0)
    other = batch._replace(query_R=batch.query_R.copy())
    other.query_R[asked] = np.roll(batch.query_R[asked], 1)

    one, two = (
        batch_loss(network, some, OPTIONS, np.random.default_rng(0), ()) for some in (batch, other)
    )

    assert one.interest.item() == two.interest.item()
    assert one.intent.item() != two.intent.item()
    assert one.match.item() != two.match.item()


@pytest.mark.parametrize("task", ["interest", "intent", "attributes", "relevance"])
def test_a_task_alone(prepared_sample: PreparedShop, tiny_encoder: Path, task: str) -> None:
    tasks = TaskOptions.model_validate(ONE_OF | {task: True})
    network = network_for(prepared_sample, tiny_encoder, tasks, tuning=Frozen())

    terms = losses_of(network, prepared_sample)

    weight = getattr(TaskOptions().weights, task)
    assert {name for name, term in terms._asdict().items() if term > 0} == {"total", task}
    assert terms.total.item() == pytest.approx(weight * getattr(terms, task).item())
    others = {name for name, _ in network.model.named_parameters() if "auxiliary" in name}
    assert all(name.startswith(f"auxiliary.{task}.") for name in others)


def test_learned_weights_take_part_in_the_total(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    tasks = TaskOptions(weights=UncertaintyWeights())
    network = network_for(prepared_sample, tiny_encoder, tasks, tuning=Frozen())

    terms = losses_of(network, prepared_sample)

    # exp(-s) is the weight each begins at, and s / 2 half of its logarithm, taken away.
    names = terms._asdict() | {"conversion": terms.purchase}
    expected = sum(w * names[task].item() - log(w) / 2 for task, w in network.tasks.weights.items())
    assert terms.total.item() == pytest.approx(expected, rel=1e-5)
    terms.total.backward()
    assert network.model.task_weights is not None
    assert all(p.grad is not None for p in network.model.task_weights.parameters())


def test_interest_by_hand(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    network = network_for(prepared_sample, tiny_encoder, tuning=Frozen())
    assert network.tasks.labels is not None
    labels = replace(network.tasks.labels, category_V=np.array([0, 1, -1]))
    batch = first_batch(prepared_sample, 2)._replace(
        match_request_M=np.array([0, 0, 1]),
        match_item_M=np.array([0, 1, 2]),
        weight_M=np.ones(3, np.float32),
        next_kind_R=np.array([1, -1]),
    )
    # Request 0 took one of each category, which have chances 3/4 and 1/4; request 1 nothing that
    # has one. Of what was done next only request 0's is known, and kind 1 has a chance of 1/3.
    said = Interest(torch.tensor([[3.0, 1], [1, 1]]).log(), torch.tensor([[2.0, 1], [1, 1]]).log())

    found = interest_loss(said, labels, batch)

    assert found.item() == pytest.approx((log(4 / 3) + log(4)) / 2 + log(3))


def test_figures_stand_beside_an_answer_that_looks_at_nothing(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_for(prepared_sample, tiny_encoder, tuning=Frozen())

    found = auxiliary_figures(
        network, prepared_sample, examples_of(prepared_sample, ["validation"])
    )

    assert set(found) == {
        *("interest_category_top1", "interest_kind_top1", "intent_log_loss", "relevance_rmse"),
        *(f"attributes_{name}_accuracy" for name in network.tasks.auxiliary.attributes),
    }
    cold = ~network.warm_V.numpy()
    assert found["attributes_department_accuracy"]["support"] == cold.sum()
    # Rows of class 2, 0, 0 and one that is not known; two of three are told.
    said = torch.tensor([[0.0, 1, 2], [1, 0, 0], [0, 1, 0], [1, 0, 0]])
    assert accuracy(said, np.array([2, 0, 0, -1])) == (pytest.approx(2 / 3), 2 / 3, 3)
