"""Values of systems on the same units become rows and differences."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from benchmarks.board import Board, Figure

NDCG = Figure("new", "match", "ndcg@10")
COLD = Figure("cold", "match", "recall@100")


def values(*of_units: float) -> dict[Figure, np.ndarray]:
    return {NDCG: np.array(of_units)}


def test_a_units_mean_over_seeds_counts() -> None:
    board = Board()
    board.add("shelfwise", values(0.2, 0.4, np.nan))
    board.add("shelfwise", values(0.4, 0.8, np.nan))

    (row,) = board.rows()

    # Units .3 and .6; the third has no answer in this view.
    assert row["value"] == pytest.approx(0.45)
    assert (row["system"], row["view"], row["metric"]) == ("shelfwise", "new", "ndcg@10")
    assert (row["support"], row["seeds"]) == (2, 2)
    assert row["low"] == pytest.approx(0.3)
    assert row["high"] == pytest.approx(0.6)


def test_seeds_are_told_one_by_one_with_their_spread() -> None:
    board = Board()
    board.add("shelfwise", values(0.2, 0.4))
    assert board.seed_figures(NDCG) == {}  # one run has no spread

    board.add("shelfwise", values(0.4, 0.8))

    # Means .3 and .6: sd = sqrt(2 * .15^2 / 1)
    assert board.seed_figures(NDCG) == {
        "ndcg@10 of seed 0": pytest.approx(0.3),
        "ndcg@10 of seed 1": pytest.approx(0.6),
        "ndcg@10 sd over seeds": pytest.approx(sqrt(2 * 0.15**2)),
    }


def test_a_run_like_the_last_one_is_not_counted_again() -> None:
    board = Board()

    assert board.add("EASE", values(0.2, np.nan))
    assert not board.add("EASE", values(0.2, np.nan))

    assert board.rows()[0]["seeds"] == 1


def test_differences_are_paired_unit_by_unit() -> None:
    board = Board()
    board.add("shelfwise", values(0.1, 0.5, 0.9))
    board.add("EASE", values(0.0, 0.4, 0.8))
    board.add("kNN", {Figure("all", "match", "ndcg@10"): np.array([1.0, 1.0, 1.0])})
    board.fail("lightfm", "did not install")

    (gap,) = board.differences(["ndcg@10"])

    # .1 for every unit, so every draw gives .1: far narrower than the two single intervals.
    assert (gap["a"], gap["b"]) == ("shelfwise", "EASE")
    assert [gap[name] for name in ("value", "low", "high")] == pytest.approx([0.1, 0.1, 0.1])
    # Of eight ways to flip three signs two are as far from 0; there is one comparison to correct.
    assert gap["p"] == gap["p_holm"] == pytest.approx(2 / 8)
    assert board.differences(["mrr"]) == []
    assert board.differences(["ndcg@10"], a="nobody") == []
    assert board.rows()[-1] == {"system": "lightfm", "failed": "did not install"}


def test_many_comparisons_are_corrected_in_their_own_view_and_metric() -> None:
    board = Board()
    board.add("shelfwise", values(0.1, 0.5, 0.9))
    board.add("EASE", values(0.0, 0.4, 0.8))
    board.add("popularity", values(0.0, 0.0, 0.0))

    one, other = board.differences(["ndcg@10"])

    # Both have p = 2/8, so both are multiplied by two.
    assert (one["p_holm"], other["p_holm"]) == (pytest.approx(0.5), pytest.approx(0.5))


def test_units_weigh_as_their_view_says() -> None:
    board = Board({"cold": np.array([3.0, 1.0])})
    board.add("shelfwise", {COLD: np.array([1.0, 0.0])})

    # Three pairs of the first item, one of the second.
    assert board.rows()[0]["value"] == pytest.approx(0.75)
