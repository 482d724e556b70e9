"""What type of product a shopper has in mind at a moment.

    P(type) ~ ((1 - e) * early interest + e * late interest) * season

with e the share of the log's time gone by: tastes drift in a straight line, seasons come and go.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shelfwise.data.sample_shop.catalogue import Catalogue, Floats, Ints
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.seasons import Seasons
from shelfwise.data.sample_shop.shoppers import Floats32, Shoppers

_DAY_MS = 86_400_000
_ROWS_AT_ONCE = 200_000
_MOST_TRIES = 50  # a shopper all of whose types are out of season takes one of them


@dataclass(frozen=True, slots=True)
class Demand:
    """Cumulated interest of each shopper, and the seasons."""

    early_sum_UT: Floats32
    late_sum_UT: Floats32
    seasons: Seasons
    length_ms: int

    @classmethod
    def of(cls, shoppers: Shoppers, catalogue: Catalogue, options: SampleOptions) -> Demand:
        return cls(
            early_sum_UT=np.cumsum(shoppers.early_UT, axis=1),
            late_sum_UT=np.cumsum(shoppers.late_UT, axis=1),
            seasons=Seasons(catalogue.vocabulary, options.start),
            length_ms=options.days * _DAY_MS,
        )

    def draw(self, user_N: Ints, at_N: Ints, rng: np.random.Generator) -> Ints:
        """A type for each shopper and moment: drawn from interest, kept as often as in season."""
        elapsed_N = np.minimum(at_N / self.length_ms, 1.0)
        drawn_N = np.empty(len(user_N), dtype=np.int64)
        rows = np.arange(len(user_N))
        for _ in range(_MOST_TRIES):
            kind = self._by_interest(user_N[rows], elapsed_N[rows], rng)
            drawn_N[rows] = kind
            kept = rng.random(len(rows)) * self.seasons.highest < self.seasons.of(kind, at_N[rows])
            rows = rows[~kept]
            if not len(rows):
                break
        return drawn_N

    def _by_interest(self, user_N: Ints, elapsed_N: Floats, rng: np.random.Generator) -> Ints:
        """From the late interest with probability ``elapsed``, else from the early one."""
        late_N = rng.random(len(user_N)) < elapsed_N
        below_N = rng.random(len(user_N)).astype(np.float32)
        drawn_N = np.empty(len(user_N), dtype=np.int64)
        for chosen, sum_UT in ((late_N, self.late_sum_UT), (~late_N, self.early_sum_UT)):
            every = np.flatnonzero(chosen)
            for start in range(0, len(every), _ROWS_AT_ONCE):
                rows = every[start : start + _ROWS_AT_ONCE]
                # The last sum may miss 1 by rounding; scaling keeps the draw inside the row.
                sums = sum_UT[user_N[rows]]
                drawn_N[rows] = (sums <= (below_N[rows] * sums[:, -1])[:, None]).sum(axis=1)
        return drawn_N
