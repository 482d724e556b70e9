from __future__ import annotations

import numpy as np
import pytest

from shelfwise.metrics.auc import auc
from shelfwise.metrics.swapped_auc import SwappedAuc


def test_by_hand() -> None:
    # a puts the positive first: 1; b ties it with one of two negatives: (.5 + 1)/2 = .75.
    a, b = np.array([0.9, 0.2, 0.1]), np.array([0.5, 0.5, 0.4])
    gap = SwappedAuc.of(a, b, np.array([True, False, False]))

    assert gap(np.zeros(3, bool)) == pytest.approx(0.25)
    assert gap(np.ones(3, bool)) == pytest.approx(-0.25)
    # The positive's predictions alone: a' .5 above .2 and .1: 1; b' .9 above .5 and .4: 1.
    assert gap(np.array([True, False, False])) == 0


def test_it_is_the_difference_of_two_aucs_whatever_is_swapped() -> None:
    random = np.random.default_rng(0)
    for decimals in (1, 6):  # many ties, then hardly any
        label = random.random(200) < 0.3
        a, b = random.random((2, 200)).round(decimals)
        gap = SwappedAuc.of(a, b, label)
        for share in (0, 0.2, 0.5, 1):
            swapped = random.random(200) < share
            first, second = np.where(swapped, b, a), np.where(swapped, a, b)

            assert gap(swapped) == pytest.approx(auc(first, label).value - auc(second, label).value)


@pytest.mark.parametrize("label", [[], [True, True], [False]])
def test_without_pairs_there_is_none(label: list[bool]) -> None:
    score = np.arange(float(len(label)))

    assert np.isnan(SwappedAuc.of(score, score, np.array(label, bool))(np.zeros(len(label), bool)))
