from __future__ import annotations

import numpy as np

from shelfwise.data.sample_shop.arrivals import with_arrivals
from shelfwise.data.sample_shop.catalogue import Catalogue

DAY_MS = 86_400_000


def test_a_share_of_the_items_arrives_within_the_log(catalogue: Catalogue) -> None:
    growing = with_arrivals(catalogue, 0.5, 20, np.random.default_rng(0))

    late = growing.added_I[growing.added_I > 0]
    assert abs(len(late) - 200) < 40  # of 400; four standard deviations are 40
    assert late.min() >= 1 * DAY_MS
    assert late.max() <= 19 * DAY_MS
    assert (with_arrivals(catalogue, 0.0, 20, np.random.default_rng(0)).added_I == 0).all()
