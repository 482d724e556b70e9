"""Policies that a log may be asked about: how they fill a slot, given what stands above it.

A policy answers for every logged slot: how likely it would have put the logged item there, and some
items that it would draw instead (for the reward model). Lists above a slot stay as logged.

Shape suffixes: N = slots, V = items, S = draws, B = slots of a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from shelfwise.evaluation.off_policy.slots import LoggedSlots

DRAWS = 8  # items of the policy for each slot
_TRIES = 200
ScoresOf = Callable[[NDArray[np.int64]], Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]]


class Filled(NamedTuple):
    """What a policy would do in each slot."""

    target_N: NDArray[np.float64]  # probability of the logged item
    drawn_SN: NDArray[np.int64]  # items drawn of the policy


class SlotPolicy(Protocol):
    """How a slot is filled, given the request and the items above."""

    @property
    def sentence(self) -> str:
        """The policy in words."""

    def fill(self, slots: LoggedSlots, rng: np.random.Generator) -> Filled:
        """The policy's probability of each logged item, and draws of its own."""


class Logged:
    """The policy that wrote the log: the case that every estimate must get right."""

    sentence = "the log's own policy"

    def fill(self, slots: LoggedSlots, rng: np.random.Generator) -> Filled:  # noqa: ARG002
        return Filled(slots.propensity_N, np.tile(slots.item_N, (DRAWS, 1)))


class Uniform:
    """Every item of the pool that does not stand above is as likely as any other."""

    sentence = "a policy that fills each slot uniformly from what the surface had shown before"

    def fill(self, slots: LoggedSlots, rng: np.random.Generator) -> Filled:
        size_N = slots.pool.size(slots.at_N)
        above_N = _in_pool(slots).sum(axis=1)
        in_pool_N = slots.pool.holds(slots.item_N, slots.at_N)

        def draw(rows: NDArray[np.int64]) -> NDArray[np.int64]:
            place = (rng.random(len(rows)) * size_N[rows]).astype(np.int64)
            return np.asarray(slots.pool.order_V[place])

        drawn = [_not_above(slots, draw) for _ in range(DRAWS)]
        return Filled(in_pool_N / np.maximum(size_N - above_N, 1), np.stack(drawn))


class Softmax:
    """Fills each slot from ``exp(score / temperature)`` over the pool less what stands above.

    A high temperature is near uniform, a low one near the ranking by score; the lower, the fewer
    logged slots speak for it.
    """

    def __init__(self, scores_of: ScoresOf, temperature: float, name: str) -> None:
        self._scores_of = scores_of
        self._temperature = temperature
        self._name = name

    @property
    def sentence(self) -> str:
        """The policy in words."""
        return (
            f"a policy that fills each slot from the softmax of {self._name} at temperature "
            f"{self._temperature:g}, over what the surface had shown before"
        )

    def fill(self, slots: LoggedSlots, rng: np.random.Generator) -> Filled:
        target_N = np.zeros(len(slots))
        drawn_SN = np.zeros((DRAWS, len(slots)), np.int64)
        requests, of_slot_N = np.unique(slots.request_N, return_inverse=True)
        order = np.argsort(of_slot_N, kind="stable")
        end_R = np.cumsum(np.bincount(of_slot_N, minlength=len(requests)))
        for rows, score_RV in self._scores_of(requests):
            for row, score_V in zip(rows.tolist(), score_RV, strict=True):
                mine = order[end_R[row - 1] if row else 0 : end_R[row]]
                target_N[mine], drawn_SN[:, mine] = self._of_request(
                    slots.chosen(mine), score_V, rng
                )
        return Filled(target_N, drawn_SN)

    def _of_request(
        self, slots: LoggedSlots, score_V: NDArray[np.float32], rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        logit_V = score_V.astype(np.float64) / self._temperature
        logit_V[slots.pool.first_V >= slots.at_N[0]] = -np.inf
        if np.isneginf(logit_V).all():  # nothing had been shown yet
            return np.zeros(len(slots)), np.tile(slots.item_N, (DRAWS, 1))
        mass_V = np.exp(logit_V - logit_V.max())
        above_N = np.where(slots.above_NL >= 0, mass_V[slots.above_NL], 0.0).sum(axis=1)
        left_N = mass_V.sum() - above_N
        below_V = np.cumsum(mass_V)

        def draw(rows: NDArray[np.int64]) -> NDArray[np.int64]:
            at = rng.random(len(rows)) * below_V[-1]
            place = np.searchsorted(below_V, at, side="right")
            return np.asarray(np.minimum(place, len(mass_V) - 1))

        drawn = [_not_above(slots, draw) for _ in range(DRAWS)]
        # Where next to nothing is left, a difference of sums is noise.
        target_N = np.where(left_N > 1e-9, mass_V[slots.item_N] / np.maximum(left_N, 1e-9), 0.0)
        return target_N.clip(0, 1), np.stack(drawn)


def _in_pool(slots: LoggedSlots) -> NDArray[np.bool_]:
    """``[N, L]`` which of the items above are of the pool, so that they shrink it."""
    above_NL = slots.above_NL
    return np.asarray((above_NL >= 0) & (slots.pool.first_V[above_NL] < slots.at_N[:, None]))


def _not_above(
    slots: LoggedSlots, draw: Callable[[NDArray[np.int64]], NDArray[np.int64]]
) -> NDArray[np.int64]:
    """An item for each slot; one that stands above it is drawn again."""
    item_N = np.zeros(len(slots), np.int64)
    rows = np.arange(len(slots))
    for _ in range(_TRIES):
        item_N[rows] = draw(rows)
        rows = rows[(slots.above_NL[rows] == item_N[rows][:, None]).any(axis=1)]
        if not len(rows):
            break
    return item_N
