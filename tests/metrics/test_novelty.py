from __future__ import annotations

import numpy as np
import pytest

from shelfwise.metrics.novelty import novelty


def test_by_hand() -> None:
    # Of 8 owners item 0 was taken by 8 (0 bits), item 1 by 2 (2 bits), item 2 by nobody, which
    # counts as one (3 bits).
    owners = np.array([8, 2, 0])

    found = novelty(np.array([[0, 1], [2, -1], [-1, -1]]), owners, 8)

    assert found == pytest.approx([1, 3, np.nan], nan_ok=True)


def test_half_as_many_owners_are_one_bit_more() -> None:
    top = np.array([[0, 1, 2]])

    few, many = novelty(top, np.array([1, 2, 4]), 8), novelty(top, np.array([2, 4, 8]), 8)
    assert few == pytest.approx(many + 1)
    assert novelty(top[:, ::-1], np.array([1, 2, 4]), 8) == pytest.approx(few)


def test_more_owners_of_an_item_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="9 owners of an item, of 8 in all"):
        novelty(np.array([[0]]), np.array([9]), 8)
    assert np.isnan(novelty(np.array([[0]]), np.array([0]), 0)).all()
