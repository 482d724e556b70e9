"""The negatives of a prepared shop's requests, drawn anew in every epoch.

Shape suffixes in this file: R = requests, V = items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.batches import Examples
from shelfwise.data.item_facts import first_met
from shelfwise.data.negatives import (
    NEVER,
    Asked,
    NegativeOptions,
    Negatives,
    Pool,
    Taken,
    draw_negatives,
)
from shelfwise.data.part_rows import believed, held_out_after, taken_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part


@dataclass(frozen=True, slots=True)
class NegativeSource:
    """Everything that the draws of all epochs have in common."""

    pool: Pool
    taken: Taken
    count_V: NDArray[np.int64]  # how often each item was taken in the window, fraud aside
    per_request: int

    @classmethod
    def of(
        cls, prepared: PreparedShop, parts: Sequence[Part], options: NegativeOptions
    ) -> NegativeSource:
        """The window is ``parts``: what an owner takes in any of them is no negative for them."""
        matches = taken_of_parts(prepared, parts)
        item_P = matches["item"].to_numpy().astype(np.int64)
        counted = believed(matches)["item"].to_numpy()
        owner_R = prepared.requests["owner"].to_numpy().astype(np.int64)
        count_V = np.bincount(counted, minlength=len(prepared.items)).astype(np.int64)
        # To whoever learns from the window alone, held-out items were never met.
        first_V = np.where(held_out_after(prepared, parts), NEVER, first_met(prepared))
        pool = Pool.of(options.draw, first_V, count_V)
        taken = Taken.of(pool, owner_R[matches["request"].to_numpy()], item_P)
        return cls(pool, taken, count_V, options.per_request)

    def draw(self, examples: Examples, *, seed: int, epoch: int) -> Negatives:
        """``[R, K]`` negatives of requests of the window, in the order of ``examples``."""
        asked = Asked(examples.owner_R, examples.at_R)
        return draw_negatives(
            asked, self.pool, self.taken, self.per_request, seed=seed, epoch=epoch
        )
