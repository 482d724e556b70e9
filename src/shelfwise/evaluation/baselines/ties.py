"""What nobody has evidence for stands behind the rest, the popular first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rest_by_popularity(
    score_BV: NDArray[np.float32], popularity_V: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Scores in which each 0 gives way to popularity, below every positive score.

    Args:
        score_BV: ``[B, V]`` 0 where nothing speaks for an item.
        popularity_V: ``[V]`` in [0, 1).
    """
    found: NDArray[np.float32] = np.where(score_BV == 0, popularity_V - 1, score_BV)
    return found
