from __future__ import annotations

from math import nan
from pathlib import Path

import pytest
import torch

from shelfwise.data.batches import Batch, gather
from shelfwise.data.loader import LoaderPlan, first_rows
from shelfwise.data.prepared import PreparedShop
from shelfwise.training.averaging import Average
from shelfwise.training.config import TrainOptions
from shelfwise.training.network import Network
from shelfwise.training.optimizer import optimizer_of
from shelfwise.training.step import Learner, Source, TrainingError

from .small_network import network_of, training_examples

OPTIONS = TrainOptions(batch_requests=24, live_texts=4, clip=1e9, weight_decay=0)


def learner_of(
    prepared: PreparedShop, network: Network, options: TrainOptions = OPTIONS
) -> Learner:
    loading = LoaderPlan(options.batch_requests, options.seed)
    source = Source(prepared, training_examples(prepared), loading)
    optimizer = optimizer_of(network.model.parameters(), network.bank.encoder, options)
    learning = [p for group in optimizer.param_groups for p in group["params"]]
    average = Average(learning, options.ema) if options.ema else None
    return Learner(network, optimizer, average, source, options, steps=10)


def batches_of(learner: Learner, count: int) -> list[Batch]:
    prepared, examples, loading = learner.source
    return [
        gather(
            prepared, examples, first_rows(prepared, examples, loading._replace(start_step=place))
        )
        for place in range(count)
    ]


def first_moments(learner: Learner) -> list[torch.Tensor]:
    """AdamW's running means of gradients: after one step, a tenth of each parameter's gradient."""
    state = learner.optimizer.state
    learning = [p for group in learner.optimizer.param_groups for p in group["params"]]
    return [state[p]["exp_avg"] if p in state else torch.zeros_like(p) for p in learning]


def test_batches_of_a_step_count_the_same(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    options = OPTIONS.model_copy(update={"accumulate": 2})
    together = learner_of(prepared_sample, network_of(prepared_sample, tiny_encoder), options)
    batches = batches_of(together, 2)
    # Alone, the second batch of the first step is the first of the second: number 2 of the stream.
    alone = [
        learner_of(prepared_sample, network_of(prepared_sample, tiny_encoder)) for _ in range(2)
    ]

    both = together.take(1, batches)
    terms = [learner.take(step, [batches[step - 1]]) for step, learner in enumerate(alone, start=1)]

    # The gradient of (a + b) / 2 is half of each one's.
    parts = zip(*(first_moments(learner) for learner in alone), strict=True)
    for sum_, (one, other) in zip(first_moments(together), parts, strict=True):
        torch.testing.assert_close(sum_, (one + other) / 2, atol=1e-6, rtol=1e-3)
    assert both.total.item() == pytest.approx((terms[0].total + terms[1].total).item() / 2)


def test_a_step_is_the_same_whatever_came_before(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    def loss_of(noise: int) -> float:
        learner = learner_of(prepared_sample, network_of(prepared_sample, tiny_encoder))
        torch.rand(noise)  # whatever else draws from torch's generator
        return learner.take(3, batches_of(learner, 1)).total.item()

    assert loss_of(0) == loss_of(7)


def test_a_bad_batch_is_named(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    network = network_of(prepared_sample, tiny_encoder)
    learner = learner_of(prepared_sample, network)
    rows = first_rows(*learner.source)
    names = prepared_sample.requests["request_id"].gather(learner.source.examples.request_R[rows])
    before = [p.detach().clone() for p in network.model.parameters()]
    with torch.no_grad():
        network.model.heads.click.bias.fill_(nan)

    with pytest.raises(TrainingError, match="loss of step 1 is nan") as bad:
        learner.take(1, batches_of(learner, 1))

    said = str(bad.value)
    assert "not finite: click, purchase; " in said
    assert f"requests of the batch: {', '.join(names[:5])} and 19 more; lower" in said
    for now, then in zip(network.model.parameters(), before, strict=True):
        assert torch.equal(now, then) or now is network.model.heads.click.bias


def test_a_gradient_without_end_is_named(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    network = network_of(prepared_sample, tiny_encoder)
    learner = learner_of(prepared_sample, network)
    network.model.trend.register_hook(lambda gradient: gradient * torch.inf)
    before = network.model.trend.detach().clone()

    with pytest.raises(TrainingError, match=r"gradient of step 1 is (inf|nan) long.* and 19 more"):
        learner.take(1, batches_of(learner, 1))
    assert torch.equal(network.model.trend, before)


def test_the_mean_of_the_weights_follows(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    network = network_of(prepared_sample, tiny_encoder)
    learner = learner_of(prepared_sample, network, OPTIONS.model_copy(update={"ema": 0.5}))
    assert learner.average is not None
    before = learner.average.means[0].clone()

    learner.take(1, batches_of(learner, 1))

    # The first step keeps 2/11 of what was.
    learning = learner.optimizer.param_groups[0]["params"][0]
    torch.testing.assert_close(learner.average.means[0], before * 2 / 11 + learning * 9 / 11)
