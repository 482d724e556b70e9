"""New items: a share of the catalogue is first sold at some moment within the log's time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shelfwise.data.sample_shop.catalogue import Catalogue

_EARLIEST, _LATEST = 0.05, 0.95  # share of the log's time gone by
_DAY_MS = 86_400_000


def with_arrivals(
    catalogue: Catalogue, share: float, days: int, rng: np.random.Generator
) -> Catalogue:
    """Each item arrives late with probability ``share``, at a uniform moment of the log."""
    late_I = rng.random(len(catalogue)) < share
    moment_I = rng.uniform(_EARLIEST, _LATEST, len(catalogue)) * days * _DAY_MS
    return replace(catalogue, added_I=np.where(late_I, moment_I.astype(np.int64), 0))
