from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics.pairwise import cosine_similarity

from shelfwise.metrics import diversity as module
from shelfwise.metrics.diversity import diversity

VECTORS = arrays(np.float32, (5, 3), elements=st.integers(-2, 2).map(float))
LISTS = arrays(np.int64, (4, 4), elements=st.integers(-1, 4))


def test_by_hand() -> None:
    # Cosines: (0, 1) is 0, (0, 2) and (1, 2) are 1/sqrt(2).
    vectors = np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 3.0]])

    found = diversity(np.array([[0, 1, -1], [0, 1, 2], [2, -1, -1], [1, 1, -1]]), vectors)

    three = 1 - 2 / np.sqrt(2) / 3
    assert found == pytest.approx([1, three, np.nan, 0], nan_ok=True)


@given(LISTS, VECTORS)
def test_agrees_with_scikit_learn_pair_by_pair(top: np.ndarray, vectors: np.ndarray) -> None:
    found = diversity(top, vectors)

    cosine = cosine_similarity(vectors)
    for row, value in zip(top, found, strict=True):
        pairs = list(combinations(row[row >= 0], 2))
        expected = 1 - np.mean([cosine[a, b] for a, b in pairs]) if pairs else np.nan
        assert value == pytest.approx(expected, nan_ok=True, abs=1e-5)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    top, vectors = random.integers(-1, 9, size=(7, 3)), random.normal(size=(9, 4))
    whole = diversity(top, vectors)
    monkeypatch.setattr(module, "_BLOCK_CELLS", 24)

    assert diversity(top, vectors) == pytest.approx(whole, nan_ok=True)
