"""Places in a network where an adversary may add to what passes, and answers that it may compare.

Nothing is added, and nothing remembered, but while a loss is worked out for an adversary. What is
added belongs to one row of one batch: no weight changes for it.

Shape suffixes in this file: B = rows (texts, items, requests, ids); ``...`` stands for the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

import torch
from torch import Tensor, nn

PlaceName = Literal["words", "items", "ids", "history"]
AnswerName = Literal["click", "convert", "match", "grade", "class"]
Key = tuple[str, int]  # a place, and how often it had been passed before in the same loss
_ANSWERS = frozenset(get_args(AnswerName))
_LEAST = 1e-12


class Place(nn.Module):
    """Hands on what it is given, unless nudges are laid at it; answers are remembered by them."""

    def __init__(self, name: PlaceName | AnswerName) -> None:
        super().__init__()
        self.name = name
        self.nudges: Nudges | None = None

    @property
    def is_heard(self) -> bool:
        """Whether somebody remembers what is answered here."""
        return self.nudges is not None and self.nudges.hears

    def forward(self, value: Tensor, there: Tensor | None = None) -> Tensor:
        """``value``, perhaps with something added.

        Args:
            value: ``[B, ...]``.
            there: bool, of value's first axes; False for padding. None: all of it is there.
        """
        return value if self.nudges is None else self.nudges.at(self.name, value, there)


class Draw(Protocol):
    """What is added to a row before anything is known of its gradient."""

    def __call__(self, ball: Ball) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class Ball:
    """How far each row of a value may be moved."""

    size_B: Tensor  # length of the row
    there: Tensor  # of the value's shape: 1 where something is, 0 in padding

    @classmethod
    def of(cls, value: Tensor, there: Tensor | None) -> Ball:
        """Around ``value``."""
        whole = torch.ones_like(value, dtype=torch.float32)
        if there is not None:
            whole = whole * there.view(*there.shape, *[1] * (value.dim() - there.dim()))
        return cls(lengths(value.detach().float() * whole), whole)

    @property
    def root(self) -> Tensor:
        """``[B]`` root mean square of a row's numbers."""
        return self.size_B / self.there.flatten(1).sum(1).clamp(min=1).sqrt()


@dataclass(slots=True)
class Nudges:
    """What is added at each place in one way of working out a loss."""

    places: frozenset[str] = frozenset()
    hears: bool = False  # whether answers are remembered
    draw: Draw | None = None  # None: nothing is added at first
    added: dict[Key, Tensor] = field(default_factory=dict)
    balls: dict[Key, Ball] = field(default_factory=dict)
    answers: list[tuple[str, Tensor]] = field(default_factory=list)
    _passed: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """The loss is worked out anew, and passes the same places in the same order."""
        self._passed.clear()
        self.answers.clear()

    def at(self, name: str, value: Tensor, there: Tensor | None) -> Tensor:
        """As `Place`."""
        if self.hears and name in _ANSWERS:
            self.answers.append((name, value))
        if name not in self.places:
            return value
        key = (name, self._passed[name])
        self._passed[name] += 1
        if key not in self.added:
            ball = self.balls[key] = Ball.of(value, there)
            begin = torch.zeros_like(ball.there) if self.draw is None else self.draw(ball)
            self.added[key] = (begin * ball.there).requires_grad_()
        return value + self.added[key].to(value.dtype)

    def put(self, key: Key, delta: Tensor) -> None:
        """Add ``delta`` from now on."""
        self.added[key] = delta.detach().requires_grad_()

    def settled(self) -> Nudges:
        """The same, as numbers that nobody asks a gradient of."""
        fixed = {key: delta.detach() for key, delta in self.added.items()}
        return Nudges(self.places, added=fixed, balls=self.balls)


@contextmanager
def laid(places: Iterable[Place], nudges: Nudges) -> Iterator[None]:
    """Within it, losses pass ``places`` with ``nudges``."""
    places = list(places)
    nudges.begin()
    for place in places:
        place.nudges = nudges
    try:
        yield
    finally:
        for place in places:
            place.nudges = None


def reachable(*modules: nn.Module) -> list[Place]:
    """Every place in some networks, each once."""
    found = (part for module in modules for part in module.modules() if isinstance(part, Place))
    return list(dict.fromkeys(found))


def lengths(value: Tensor) -> Tensor:
    """``[B]`` Euclidean length of each row of ``[B, ...]``."""
    length_B: Tensor = torch.linalg.vector_norm(value.flatten(1), dim=1)
    return length_B


def along(row_B: Tensor, like: Tensor) -> Tensor:
    """``[B, 1, ...]`` numbers of rows, to be multiplied with ``[B, ...]``."""
    return row_B.view(-1, *[1] * (like.dim() - 1))


def steepest(gradient: Tensor, ball: Ball, norm: Literal["l2", "linf"]) -> Tensor:
    """``[B, ...]`` the step of size 1 (relative to the row) that raises the loss most.

    l2: ``|row| * g / |g|``, nothing where there is no gradient; linf: the root mean square of the
    row's numbers times the sign of g.
    """
    gradient = gradient.float() * ball.there
    if norm == "linf":
        return along(ball.root, gradient) * gradient.sign()
    if gradient.numel() == 0:
        return gradient
    # By its largest number first: squares of small gradients are lost in float32.
    most_B = gradient.abs().flatten(1).amax(1)
    gradient = gradient / along(most_B.where(most_B > 0, 1.0), gradient)
    unit = gradient / along(lengths(gradient).clamp(min=_LEAST), gradient)
    return along(ball.size_B, gradient) * unit


def kept_within(delta: Tensor, ball: Ball, radius: float, norm: Literal["l2", "linf"]) -> Tensor:
    """The point of the ball of ``radius`` (relative to the row) that is nearest to ``delta``."""
    if norm == "linf":
        most = along(radius * ball.root, delta)
        return delta.clamp(-most, most)
    most_B = radius * ball.size_B
    return delta * along((most_B / lengths(delta).clamp(min=_LEAST)).clamp(max=1), delta)
