"""The contract that every adversary keeps, and each one's own arithmetic on one linear layer."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import pytest
import torch
from torch import Tensor, nn

from shelfwise.models.places import Place
from shelfwise.training.adversaries.attempt import Attempt
from shelfwise.training.adversaries.choice import Opponent, adversary_of
from shelfwise.training.adversaries.options import Awp, Fgm, FreeLb, NoAdversary, Pgd, RDrop
from shelfwise.training.adversaries.r_drop import disagreement

EVERY = (
    Fgm(places=("items",)),
    Fgm(places=("items",), weight=1.0, norm="linf"),
    Pgd(places=("items",)),
    FreeLb(places=("items",)),
    Awp(),
    RDrop(),
)


class Line(nn.Module):
    """Rows of inputs pass a place, then a matrix; the loss is the sum of what comes out, squared
    where asked."""

    def __init__(self, weight: Tensor, inputs: Tensor, *, squared: bool = False) -> None:
        super().__init__()
        self.place, self.answer = Place("items"), Place("click")
        self.weight = nn.Parameter(weight.clone())
        self.inputs, self.squared = inputs, squared
        self.dropout = nn.Dropout(0.5)
        self.seen: list[Tensor] = []

    def loss(self, dropout: int) -> Tensor:
        torch.manual_seed(dropout)
        moved = self.place(self.inputs)
        self.seen.append(moved.detach().clone())
        out = self.answer((self.dropout(moved) @ self.weight).squeeze(-1))
        return (out**2 if self.squared else out).sum()

    def attempt(self, seed: int = 7) -> Attempt:
        return Attempt(self.loss, [self], [self.weight], seed)


def line(*, squared: bool = False) -> Line:
    """One row (3, 4), of length 5, times (6, 8) of length 10; no dropout."""
    made = Line(torch.tensor([[6.0], [8.0]]), torch.tensor([[3.0, 4.0]]), squared=squared)
    return made.eval()


def test_fgm_moves_a_row_by_the_radius_along_its_gradient() -> None:
    made = line()

    adversary_of(Fgm(places=("items",), radius=0.1)).learn(made.attempt())

    # g = (6, 8), |g| = 10; the radius is a tenth of the row's length, .5: (.3, .4) is added.
    assert made.seen[0].tolist() == [[3.0, 4.0]]
    torch.testing.assert_close(made.seen[1], torch.tensor([[3.3, 4.4]]))
    # The gradient of the weight is half of either input.
    assert made.weight.grad is not None
    torch.testing.assert_close(made.weight.grad, torch.tensor([[3.15], [4.2]]))


def test_fgm_by_largest_number_moves_each_by_the_rows_mean_size() -> None:
    made = line()

    adversary_of(Fgm(places=("items",), radius=0.1, norm="linf", weight=1.0)).learn(made.attempt())

    step = 0.1 * 5 / sqrt(2)
    torch.testing.assert_close(made.seen[1], torch.tensor([[3 + step, 4 + step]]))
    assert made.weight.grad is not None
    torch.testing.assert_close(made.weight.grad, made.seen[1].T)


def test_pgd_stays_in_its_ball_after_every_step() -> None:
    torch.manual_seed(3)
    inputs = torch.randn(5, 4)
    made = Line(torch.randn(4, 1), inputs, squared=True).eval()

    adversary_of(Pgd(places=("items",), steps=6, radius=0.2, step_size=0.15)).learn(made.attempt())

    assert len(made.seen) == 7
    far = [(seen - inputs).norm(dim=1) / inputs.norm(dim=1) for seen in made.seen]
    assert far[0].abs().max() == 0
    torch.testing.assert_close(far[1], torch.full((5,), 0.15))
    for each in far[2:]:
        torch.testing.assert_close(each, torch.full((5,), 0.2))  # two steps of .15 are cut


def test_pgd_by_largest_number_stays_in_its_box_after_every_step() -> None:
    torch.manual_seed(3)
    inputs = torch.randn(5, 4)
    made = Line(torch.randn(4, 1), inputs, squared=True).eval()
    options = Pgd(places=("items",), steps=4, radius=0.2, step_size=0.15, norm="linf")

    adversary_of(options).learn(made.attempt())

    root = inputs.norm(dim=1) / 2  # root mean square of four numbers
    far = [(seen - inputs).abs().amax(1) / root for seen in made.seen]
    assert far[0].abs().max() == 0
    torch.testing.assert_close(far[1], torch.full((5,), 0.15))
    for each in far[2:]:
        torch.testing.assert_close(each, torch.full((5,), 0.2))


@pytest.mark.parametrize("small", [1e-13, 1e-25, 1e-36])
def test_a_small_gradient_moves_as_far_as_a_large_one(small: float) -> None:
    made = Line(torch.tensor([[6.0], [8.0]]) * small, torch.tensor([[3.0, 4.0]])).eval()

    adversary_of(Fgm(places=("items",), radius=0.1)).learn(made.attempt())

    torch.testing.assert_close(made.seen[1], torch.tensor([[3.3, 4.4]]))


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_steps_in_turn_raise_the_loss(norm: str) -> None:
    torch.manual_seed(0)
    made = Line(torch.randn(4, 1), torch.randn(6, 4), squared=True).eval()

    adversary_of(Pgd(places=("items",), steps=4, norm=norm)).learn(made.attempt())  # type: ignore[arg-type]

    losses = [((seen @ made.weight) ** 2).sum().item() for seen in made.seen]
    assert losses == sorted(losses)


def test_free_lb_learns_the_mean_of_its_inner_gradients() -> None:
    made = line(squared=True)

    adversary_of(FreeLb(places=("items",), steps=3, radius=0.2)).learn(made.attempt())

    assert len(made.seen) == 3
    inner = [2 * (seen @ made.weight) * seen for seen in made.seen]  # d (x w)^2 / d w = 2 (x w) x
    assert made.weight.grad is not None
    torch.testing.assert_close(made.weight.grad, (torch.stack(inner).mean(0)).T)
    start = made.seen[0] - made.inputs
    assert 0 < start.norm() < 0.2 * 5
    assert all((seen - made.inputs).norm() <= 0.2 * 5 + 1e-5 for seen in made.seen)


def test_free_lb_starts_anew_for_each_batch_and_alike_for_the_same() -> None:
    starts = []
    for seed in (1, 1, 2):
        made = line()
        adversary_of(FreeLb(places=("items",))).learn(made.attempt(seed))
        starts.append(made.seen[0])

    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])


def test_awp_moves_weights_by_a_share_of_their_length() -> None:
    made = line(squared=True)
    weights: list[Tensor] = []
    loss = made.loss

    def watched(dropout: int) -> Tensor:
        weights.append(made.weight.detach().clone())
        return loss(dropout)

    attempt = Attempt(watched, [made], [made.weight], 0)
    adversary_of(Awp(radius=0.1, weight=1.0)).learn(attempt)

    # The gradient points along (3, 4) / 5; the matrix, 10 long, is moved by 1.
    torch.testing.assert_close(weights[1], torch.tensor([[6.6], [8.8]]))
    assert made.weight.grad is not None
    out = 3 * 6.6 + 4 * 8.8
    torch.testing.assert_close(made.weight.grad, 2 * out * torch.tensor([[3.0], [4.0]]))


def test_r_drop_by_hand() -> None:
    # p = .5 and .8: KL(.5|.8) = .5 log(.5/.8) + .5 log(.5/.2) = .2231, KL(.8|.5) = .1927.
    one = [("click", torch.tensor([0.0]))]
    other = [("click", torch.logit(torch.tensor([0.8])))]

    apart = disagreement(one, other)

    assert apart is not None
    assert apart.item() == pytest.approx((0.22314 + 0.19274) / 2, abs=1e-4)
    assert disagreement(one, one) == pytest.approx(0)
    three = [("match", torch.tensor([[0.0, 1.0, 2.0]]))]
    assert disagreement(three, [("match", torch.tensor([[5.0, 6.0, 7.0]]))]) == pytest.approx(
        0, abs=1e-6
    )


def test_r_drop_asks_two_draws_of_dropout_to_agree() -> None:
    torch.manual_seed(1)
    made = Line(torch.randn(16, 1), torch.randn(8, 16))  # with dropout
    made.train()

    adversary_of(RDrop(agreement=2.0)).learn(made.attempt())
    found = made.weight.grad

    with_dropout = []
    for draw in (0, 1):
        torch.manual_seed(draw)
        with_dropout.append((made.dropout(made.inputs) @ made.weight).squeeze(-1))
    apart = disagreement([("", with_dropout[0])], [("", with_dropout[1])])
    assert apart is not None
    expected = sum(out.sum() for out in with_dropout) / 2 + 2 * apart
    assert found is not None
    torch.testing.assert_close(found, torch.autograd.grad(expected, made.weight)[0])


@pytest.mark.parametrize("options", EVERY, ids=lambda o: o.kind)
def test_weights_are_bit_equal_afterwards(options: Fgm | Pgd | FreeLb | Awp | RDrop) -> None:
    torch.manual_seed(2)
    made = Line(torch.randn(16, 4) * 1e-3 + 1 / 3, torch.randn(8, 16), squared=True)
    before = made.weight.detach().clone()

    adversary_of(options).learn(made.attempt())

    assert torch.equal(made.weight, before)
    assert made.place.nudges is None
    assert made.answer.nudges is None


@pytest.mark.parametrize("options", EVERY, ids=lambda o: o.kind)
def test_gradients_of_several_batches_add_up(
    options: Fgm | Pgd | FreeLb | Awp | RDrop,
) -> None:
    """As they do in a step of several batches, and in as many processes that add theirs up."""
    torch.manual_seed(4)
    weight = torch.randn(5, 1)
    parts = torch.randn(6, 5), torch.randn(3, 5)
    alone = []
    for part in parts:
        made = Line(weight, part, squared=True).eval()
        adversary_of(options).learn(made.attempt())
        alone.append(made.weight.grad)

    together = Line(weight, parts[0], squared=True).eval()
    for part in parts:
        together.inputs = part
        adversary_of(options).learn(together.attempt())

    assert alone[0] is not None
    assert alone[1] is not None
    torch.testing.assert_close(together.weight.grad, alone[0] + alone[1])


@pytest.mark.parametrize("options", EVERY, ids=lambda o: o.kind)
def test_equal_batches_of_a_step_are_one(options: Fgm | Pgd | FreeLb | Awp | RDrop) -> None:
    """Each with its share of the loss, as a step of several batches has it."""
    torch.manual_seed(5)
    weight, inputs = torch.randn(8, 1), torch.randn(4, 8)
    one = Line(weight, inputs, squared=True)
    adversary_of(options).learn(one.attempt())

    four = Line(weight, inputs, squared=True)
    for _ in range(4):
        attempt = four.attempt()
        quarter = replace(attempt, loss_of=lambda drop: four.loss(drop) / 4, share=0.25)
        adversary_of(options).learn(quarter)

    torch.testing.assert_close(four.weight.grad, one.weight.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("options", EVERY, ids=lambda o: o.kind)
def test_where_nothing_learns_nothing_happens(options: Fgm | Pgd | FreeLb | Awp | RDrop) -> None:
    made = line(squared=True)
    made.weight.requires_grad_(False)

    adversary_of(options).learn(made.attempt())

    assert made.weight.grad is None


@pytest.mark.parametrize(
    "options",
    [
        Fgm(places=("items",), radius=0.1),
        Pgd(places=("items",), radius=0.1),
        FreeLb(places=("items",), radius=0.1),
        Awp(radius=0.1),
    ],
    ids=lambda o: o.kind,
)
def test_half_precision_learns_nearly_the_same(options: Fgm | Pgd | FreeLb | Awp) -> None:
    plain, half = line(squared=True), line(squared=True)

    adversary_of(options).learn(plain.attempt())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        adversary_of(options).learn(half.attempt())

    assert half.weight.dtype == torch.float32
    assert torch.equal(half.weight, plain.weight)
    assert plain.weight.grad is not None
    assert half.weight.grad is not None
    torch.testing.assert_close(half.weight.grad, plain.weight.grad, rtol=0.02, atol=0.0)
    for seen, other in zip(half.seen, plain.seen, strict=True):
        torch.testing.assert_close(seen, other, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("options", EVERY, ids=lambda o: o.kind)
def test_an_error_on_the_way_leaves_every_bit(options: Fgm | Pgd | FreeLb | Awp | RDrop) -> None:
    made = line(squared=True)
    before = made.weight.detach().clone()
    whole = made.attempt()

    def breaks(dropout: int) -> Tensor:
        if made.seen:
            raise ArithmeticError("in the second pass")
        return whole.loss_of(dropout)

    with pytest.raises(ArithmeticError):
        adversary_of(options).learn(replace(whole, loss_of=breaks))

    assert torch.equal(made.weight, before)
    assert made.place.nudges is None


def test_padding_is_neither_moved_nor_counted() -> None:
    place = Place("words")
    value = torch.tensor([[[3.0, 4.0], [9.0, 9.0]], [[1.0, 0.0], [0.0, 1.0]]])
    there = torch.tensor([[True, False], [True, True]])
    seen: list[Tensor] = []

    def loss(_: int) -> Tensor:
        seen.append(place(value, there))
        return seen[-1].sum()

    adversary_of(Fgm(radius=0.1)).learn(Attempt(loss, [place], [], 0))

    moved = seen[1] - value
    # Of length 5 and sqrt 2, all of it evenly, as every number has the gradient 1.
    torch.testing.assert_close(moved[0], torch.tensor([[0.5 / sqrt(2)] * 2, [0.0] * 2]))
    torch.testing.assert_close(moved[1], torch.full((2, 2), 0.1 * sqrt(2) / 2))


def takes(opponent: Opponent, steps: int) -> list[int]:
    return [step for step in range(1, steps + 1) if opponent.takes_part(step)]


def test_it_begins_after_its_epochs_and_takes_its_share() -> None:
    late = Opponent.of(Fgm(after_epochs=1.5), 4)
    assert takes(late, 9) == [7, 8, 9]
    some = Opponent.of(Fgm(steps_share=0.4), 100)
    assert takes(some, 10) == [3, 5, 8, 10]


def test_a_step_without_it_is_a_plain_one() -> None:
    grown: list[Tensor | None] = []
    for opponent in (Opponent.of(NoAdversary(), 9), Opponent.of(Fgm(after_epochs=1), 9)):
        made = line(squared=True)
        opponent.learn(9, made.attempt())
        assert len(made.seen) == 1
        grown.append(made.weight.grad)

    assert grown[0] is not None
    assert grown[1] is not None
    assert torch.equal(grown[0], grown[1])
    assert grown[0].tolist() == [[2 * 50 * 3.0], [2 * 50 * 4.0]]
