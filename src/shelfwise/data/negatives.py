"""Items nobody took, to be told apart from those that were taken, where no log says what was shown.

An item is no negative for a request if its owner takes it anywhere in the same window (the part of
the split that the request lies in: what is bought tomorrow is not disliked today), nor if the shop
first met it after the request: nobody could have passed it over. All draws are independent, with
replacement, and each comes with the exact logarithm of its probability, so that a sampled softmax
can be corrected (logQ; Bengio and Senécal, 2008; Yi et al., 2019, doi:10.1145/3298689.3346996).

Shape suffixes in this file: R = requests, K = negatives a request, V = items, O = items in the
order in which the shop met them, P = (owner, item) pairs taken, M = positives of a batch, N = draws
still open, D = requests drawn from the whole table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt

from shelfwise.schema.options import Options

NO_ITEM = -1  # where an owner took everything there was
NEVER = np.iinfo(np.int64).max  # first moment of an item that the shop never met
_REJECTED_AT_MOST = 0.75  # where an owner took more of the mass, the table is written out
_CELLS = 4_000_000  # of that table, at a time


class Uniform(Options):
    """Every item that could have been taken is as likely."""

    kind: Literal["uniform"] = "uniform"


class ByPopularity(Options):
    """As likely as an item was taken in training, to a power; what never was taken is not drawn."""

    kind: Literal["popularity"] = "popularity"
    power: Annotated[float, Field(ge=0, le=1)] = 0.75
    """1: in proportion; towards 0: all that were ever taken alike."""


NegativeDraw = Annotated[Uniform | ByPopularity, Field(discriminator="kind")]


class NegativeOptions(Options):
    """Which items stand for those passed over, where the log has no impressions."""

    draw: NegativeDraw = ByPopularity()
    """Where negatives come from."""
    per_request: PositiveInt = 100
    """Negatives drawn for each request, anew in every epoch."""


class Asked(NamedTuple):
    """The requests that negatives are drawn for."""

    owner_R: NDArray[np.int64]
    at_R: NDArray[np.int64]  # microseconds


class Negatives(NamedTuple):
    """Drawn items; ``NO_ITEM`` and -inf where an owner took everything there was."""

    item_RK: NDArray[np.int64]
    log_probability_RK: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pool:
    """Items in the order the shop met them, with the mass each is drawn by."""

    item_O: NDArray[np.int64]
    first_O: NDArray[np.int64]  # microseconds, rising
    mass_O: NDArray[np.float64]
    place_V: NDArray[np.int64]  # where each item stands in the order

    @classmethod
    def of(cls, draw: NegativeDraw, first_V: NDArray[np.int64], count_V: NDArray[np.int64]) -> Pool:
        """The items ever met.

        Args:
            draw: what shop.toml says.
            first_V: ``[V]`` moment of each item's first event, ``NEVER`` where it has none.
            count_V: ``[V]`` how often each was taken in training.
        """
        match draw:
            case Uniform():
                mass_V = np.ones(len(first_V))
            case ByPopularity(power=power):
                mass_V = np.where(count_V > 0, count_V.astype(np.float64) ** power, 0.0)
        item_O = np.argsort(first_V, kind="stable")
        place_V = np.empty(len(item_O), np.int64)
        place_V[item_O] = np.arange(len(item_O))
        mass_O = np.where(first_V[item_O] < NEVER, mass_V[item_O], 0.0)
        return cls(item_O, first_V[item_O], mass_O, place_V)

    def met_by(self, at_R: NDArray[np.int64]) -> NDArray[np.int64]:
        """``[R]`` how many items the shop had met at each moment; they stand first."""
        return np.searchsorted(self.first_O, at_R, side="right").astype(np.int64)


@dataclass(frozen=True, slots=True)
class Taken:
    """What owners take in a window; none of it is a negative for them."""

    key_P: NDArray[np.int64]  # owner * V + place of the item, rising, without repeats
    items: int  # V

    @classmethod
    def of(cls, pool: Pool, owner_P: NDArray[np.int64], item_P: NDArray[np.int64]) -> Taken:
        """Pairs in any order, repeats allowed."""
        items = len(pool.item_O)
        return cls(np.unique(owner_P * items + pool.place_V[item_P]), items)

    def has(self, owner: NDArray[np.int64], place: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each owner takes the item at each place; arrays of one shape."""
        if len(self.key_P) == 0:
            return np.zeros(np.broadcast_shapes(owner.shape, place.shape), bool)
        key = owner * self.items + place
        found = np.minimum(np.searchsorted(self.key_P, key), len(self.key_P) - 1)
        held: NDArray[np.bool_] = self.key_P[found] == key
        return held


def draw_negatives(
    asked: Asked, pool: Pool, taken: Taken, count: int, *, seed: int, epoch: int
) -> Negatives:
    """``count`` negatives for each request: the same for the same seed and epoch.

    What the shop had not met is left out by drawing from the first items of the order only; what
    the owner takes is drawn again until something else comes. The probability of what remains is
    its share of the mass that remains.
    """
    rng = np.random.default_rng([seed, epoch, 2])
    met_R = pool.met_by(asked.at_R)
    reach_O1 = np.concatenate([[0.0], pool.mass_O.cumsum()])
    reach_R = reach_O1[met_R]
    free_R, choices_R = _free(asked.owner_R, met_R, pool, taken)
    place_RK = np.full((len(met_R), count), NO_ITEM, np.int64)
    few_R = free_R < (1 - _REJECTED_AT_MOST) * reach_R
    rows = np.flatnonzero((choices_R > 0) & ~few_R)
    place_RK[rows] = _rejecting((asked.owner_R[rows], met_R[rows]), reach_O1, taken, count, rng)
    rows = np.flatnonzero((choices_R > 0) & few_R)
    step = max(1, _CELLS // max(len(pool.item_O), 1))
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        place_RK[some], free_R[some] = _written_out(
            (asked.owner_R[some], met_R[some]), pool, taken, count, rng
        )
    # Place -1, of no item, is the last of these.
    item_RK = np.append(pool.item_O, NO_ITEM)[place_RK]
    mass_RK = np.append(pool.mass_O, 0.0)[place_RK]
    with np.errstate(divide="ignore"):
        return Negatives(item_RK, np.log(mass_RK / np.where(free_R > 0, free_R, 1)[:, None]))


def _free(
    owner_R: NDArray[np.int64], met_R: NDArray[np.int64], pool: Pool, taken: Taken
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """``[R]`` mass and number of the items that each request can be given."""
    place_P = taken.key_P % max(taken.items, 1)
    first_R = np.searchsorted(taken.key_P, owner_R * taken.items)
    last_R = np.searchsorted(taken.key_P, owner_R * taken.items + met_R)

    def left(value_O: NDArray[np.float64]) -> NDArray[np.float64]:
        all_O1 = np.concatenate([[0.0], value_O.cumsum()])
        gone_P1 = np.concatenate([[0.0], value_O[place_P].cumsum()])
        remaining: NDArray[np.float64] = all_O1[met_R] - (gone_P1[last_R] - gone_P1[first_R])
        return remaining

    return left(pool.mass_O), left((pool.mass_O > 0).astype(np.float64)).astype(np.int64)


def _rejecting(
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    reach_O1: NDArray[np.float64],
    taken: Taken,
    count: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Places drawn for rows of (owner, items met) that took little; rounds of the unlucky ones."""
    owner_N, met_N = (np.repeat(part, count) for part in rows)
    place_N = np.full(len(owner_N), NO_ITEM, np.int64)
    unsure = np.arange(len(owner_N))
    while len(unsure):
        reach = reach_O1[met_N[unsure]]
        # Rounding must not lift a draw to the bound, where the next item begins.
        mark = np.minimum(rng.random(len(unsure)) * reach, np.nextafter(reach, 0))
        place_N[unsure] = np.searchsorted(reach_O1, mark, side="right") - 1
        unsure = unsure[taken.has(owner_N[unsure], place_N[unsure])]
    return place_N.reshape(-1, count)


def _written_out(
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    pool: Pool,
    taken: Taken,
    count: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places drawn for rows of (owner, items met) that took most, and the mass left to each."""
    owner_D, met_D = rows
    place_O = np.arange(len(pool.item_O))
    gone_DO = (place_O >= met_D[:, None]) | taken.has(owner_D[:, None], place_O[None, :])
    reach_DO = np.where(gone_DO, 0.0, pool.mass_O).cumsum(axis=1)
    free_D = reach_DO[:, -1]
    # All rows' tables one behind the other, row d from d to d + 1: one search draws from all.
    row_D1 = np.arange(len(owner_D), dtype=np.float64)[:, None]
    line = (reach_DO / free_D[:, None] + row_D1).ravel()
    mark_DK = np.minimum(row_D1 + rng.random((len(owner_D), count)), np.nextafter(row_D1 + 1, 0))
    found_DK = np.searchsorted(line, mark_DK, side="right") % len(place_O)
    return found_DK.astype(np.int64), free_D


class InBatch(NamedTuple):
    """The positives of a batch as each other's negatives."""

    allowed_RM: NDArray[np.bool_]  # False: the request's own, taken in the window, or not yet met
    log_probability_M: NDArray[np.float64]


def in_batch_negatives(
    asked: Asked,
    item_M: NDArray[np.int64],
    pool: Pool,
    taken: Taken,
    count_V: NDArray[np.int64],
) -> InBatch:
    """Which positive may stand against which request, and how likely it is to be there.

    A batch draws its requests alike, so its positives are items in proportion to how often training
    took them: the correction subtracts ``log(count / all)`` from each logit.

    Args:
        asked: the requests of the batch.
        item_M: ``[M]`` their positives.
        pool: tells when the shop met each item.
        taken: what owners take in the window; it holds the batch's own positives.
        count_V: ``[V]`` how often each item was taken in training.
    """
    place_M = pool.place_V[item_M]
    late_RM = place_M[None, :] >= pool.met_by(asked.at_R)[:, None]
    own_RM = taken.has(asked.owner_R[:, None], place_M[None, :])
    share_M = count_V[item_M] / max(int(count_V.sum()), 1)
    with np.errstate(divide="ignore"):
        return InBatch(~late_RM & ~own_RM, np.log(share_M))
