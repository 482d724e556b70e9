from __future__ import annotations

from collections.abc import Iterator
from math import nan
from pathlib import Path

import numpy as np
import pytest
import torch

from shelfwise.data.batches import examples_between
from shelfwise.data.prepared import PreparedShop
from shelfwise.training import fit as fit_file
from shelfwise.training.config import TrainOptions
from shelfwise.training.curve import LearningCurve
from shelfwise.training.fit import Lessons, Plan, Watchers, fit
from shelfwise.training.network import Network
from shelfwise.training.step import TrainingError
from shelfwise.training.validation import Check

from .small_network import network_of, training_examples

FAST = TrainOptions(batch_requests=50, live_texts=4, patience=2)
DRAWN = 40  # steps the schedules of these tests are drawn for


@pytest.fixture(autouse=True)
def _no_threads() -> Iterator[None]:
    yield
    torch.set_num_threads(1)


def fitted(
    prepared: PreparedShop,
    network: Network,
    scores: list[float] | None,
    options: TrainOptions = FAST,
    per_check: int = 1,
) -> tuple[LearningCurve, list[dict[str, torch.Tensor]]]:
    """Trains with given validation scores; also the state of the network at each check."""
    states: list[dict[str, torch.Tensor]] = []
    given = iter(scores or [])

    def look(step: int) -> Check:
        states.append(state_of(network))
        return Check(step, next(given), {})

    taken = len(scores) * per_check if scores else 3
    lessons = Lessons(prepared, training_examples(prepared), Plan(DRAWN, taken, per_check, taken))
    curve = fit(network, lessons, options, look=look if scores else None, watchers=Watchers())
    return curve, states


def state_of(network: Network) -> dict[str, torch.Tensor]:
    both = {**network.model.state_dict(), **network.bank.encoder.state_dict()}
    return {name: tensor.clone() for name, tensor in both.items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_plans_by_hand(prepared_sample: PreparedShop) -> None:
    examples = training_examples(prepared_sample)
    per_epoch = -(-len(examples) // 50)

    plan = Plan.of(examples, TrainOptions(batch_requests=50, epochs=3, checks_per_epoch=2))

    assert plan == Plan(3 * per_epoch, 3 * per_epoch, per_epoch // 2, per_epoch)
    # More checks than steps: one after every step.
    many = Plan.of(examples, TrainOptions(batch_requests=10**6, epochs=1, checks_per_epoch=9))
    assert many == Plan(1, 1, 1, 1)


def test_the_best_state_stays(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    network = network_of(prepared_sample, tiny_encoder)

    curve, states = fitted(prepared_sample, network, [0.1, 0.3, 0.2, 0.3])

    assert curve.best.step == 2
    assert same(state_of(network), states[1])
    assert not same(states[1], states[3])
    # The table of text vectors is that of the best state too.
    with torch.no_grad():
        fresh = network.bank.encode(np.arange(6))
    torch.testing.assert_close(network.bank.vectors_TH[:6], fresh, atol=1e-3, rtol=0)
    assert [check.step for check in curve.checks] == [1, 2, 3, 4]
    assert [loss["step"] for loss in curve.losses] == [1, 2, 3, 4]


def test_patience_ends_it(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    network = network_of(prepared_sample, tiny_encoder)

    curve, _ = fitted(prepared_sample, network, [0.5, *[0.4] * 9])

    # Patience 2 bears two checks without a better score; the third ends training.
    assert [check.step for check in curve.checks] == [1, 2, 3, 4]


def test_a_score_that_is_unknown_is_never_the_best(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_of(prepared_sample, tiny_encoder)

    curve, states = fitted(prepared_sample, network, [nan, 0.2, nan])

    assert curve.best.step == 2
    assert same(state_of(network), states[1])


def test_without_any_score_training_runs_to_its_end(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_of(prepared_sample, tiny_encoder)

    curve, states = fitted(prepared_sample, network, [nan] * 5)

    assert curve.best.step == 5
    assert same(state_of(network), states[4])


def test_losses_are_means_between_checks(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    every, _ = fitted(prepared_sample, network_of(prepared_sample, tiny_encoder), [0.1, 0.2])
    both, _ = fitted(prepared_sample, network_of(prepared_sample, tiny_encoder), [0.1], per_check=2)

    means = (every.losses[0]["match"] + every.losses[1]["match"]) / 2
    # The table was refreshed in between in one of them.
    assert both.losses[0]["match"] == pytest.approx(means, rel=1e-3)


def test_a_loss_that_is_no_number_ends_it(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_of(prepared_sample, tiny_encoder)
    with torch.no_grad():
        network.model.trend.fill_(nan)

    with pytest.raises(TrainingError, match=r"loss of step 1 is nan .*lower train\.learning_rate"):
        fitted(prepared_sample, network, None)


def test_nothing_to_learn_from_is_said(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    none = examples_between(prepared_sample, 0, 1)
    lessons = Lessons(prepared_sample, none, Plan.of(none, FAST))

    with pytest.raises(TrainingError, match="no request lies in the training part"):
        fit(
            network_of(prepared_sample, tiny_encoder), lessons, FAST, look=None, watchers=Watchers()
        )


def test_the_clock_ends_it_with_a_check(
    prepared_sample: PreparedShop, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The clock jumps an hour whenever it is read.
    hours = iter(range(0, 10**6, 3600))
    monkeypatch.setattr(fit_file.time, "monotonic", lambda: next(hours))
    network = network_of(prepared_sample, tiny_encoder)

    curve, _ = fitted(
        prepared_sample, network, [0.1, 0.2], FAST.model_copy(update={"minutes": 90}), per_check=9
    )
    monkeypatch.undo()

    # After one step an hour has passed, after two, two: later than ninety minutes.
    assert [check.step for check in curve.checks] == [2]


def test_the_same_seed_gives_the_same_bits(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    def trained(seed: int) -> dict[str, torch.Tensor]:
        network = network_of(prepared_sample, tiny_encoder)
        options = FAST.model_copy(update={"seed": seed})
        fitted(prepared_sample, network, None, options)
        return state_of(network)

    first = trained(1)
    assert same(first, trained(1))
    assert not same(first, trained(2))


def test_workers_change_nothing(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    def trained(workers: int) -> dict[str, torch.Tensor]:
        network = network_of(prepared_sample, tiny_encoder)
        options = FAST.model_copy(update={"loader_workers": workers})
        fitted(prepared_sample, network, None, options)
        return state_of(network)

    assert same(trained(0), trained(2))


def test_only_what_learns_moves(prepared_sample: PreparedShop, tiny_encoder: Path) -> None:
    network = network_of(prepared_sample, tiny_encoder)
    before = state_of(network)

    fitted(prepared_sample, network, None)

    after = state_of(network)
    for name, parameter in network.bank.encoder.named_parameters():
        assert torch.equal(before[name], after[name]) != parameter.requires_grad, name
    for name, _ in network.model.named_parameters():
        assert not torch.equal(before[name], after[name]), name


def test_what_was_trained_is_ready_to_answer(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_of(prepared_sample, tiny_encoder)

    fitted(prepared_sample, network, None)

    assert not any(part.training for part in network.model.modules())
