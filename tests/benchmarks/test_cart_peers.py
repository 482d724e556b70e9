"""Carts as peers are given them, and the two probabilities that they answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from benchmarks.peer_process import PeerError

if TYPE_CHECKING:
    from benchmarks.cart_pairs import CartPairs


@pytest.fixture
def pairs() -> CartPairs:
    """One user's cart of each part, the first two bought; four non-carts follow each."""
    from benchmarks.cart_pairs import CartPairs

    cart_N = np.tile([True, False, False, False, False], 3)
    bought_N = np.zeros(15, bool)
    bought_N[[0, 5]] = True
    items = [str(number) for number in range(15)]
    none = np.zeros(15, np.int64)
    return CartPairs(
        ["u"], items, none, np.arange(15), cart_N, bought_N, np.repeat([0, 1, 2], 5), 0
    )


def test_the_tests_labels_stay_behind(pairs: CartPairs, tmp_path: Path) -> None:
    from benchmarks.cart_peers import write_pairs

    task = write_pairs(pairs, "carts", tmp_path / "task")

    train = pl.read_parquet(task / "train.parquet")
    assert train["item"].to_list() == [0, 1, 2, 3, 4]
    assert train["cart"].to_list() == train["bought"].to_list() == [1, 0, 0, 0, 0]
    test = pl.read_parquet(task / "test.parquet")
    assert test.columns == ["user", "item"]
    assert test["item"].to_list() == [10, 11, 12, 13, 14]


def test_another_label_of_the_test_is_another_task(pairs: CartPairs, tmp_path: Path) -> None:
    from benchmarks.cart_peers import digest_of, write_pairs

    one, same = (write_pairs(pairs, "carts", tmp_path / name) for name in ("one", "same"))
    digest = digest_of(one, pairs)
    assert digest_of(same, pairs) == digest
    pairs.bought_N[10] = True
    assert digest_of(one, pairs) != digest


def test_answers_belong_to_the_rows_of_the_test(pairs: CartPairs, tmp_path: Path) -> None:
    from benchmarks.cart_peers import forecast_of, read_forecast

    answer_T2 = np.linspace(0, 0.9, 10, dtype=np.float32).reshape(5, 2)
    answer_T2[:, 0] = np.nan  # no forecast of carts
    np.save(tmp_path / "forecast.npy", answer_T2)

    found = forecast_of(pairs, "a/b", read_forecast(tmp_path, 5), {})

    assert np.isnan(found.cart_N).all()
    assert np.isnan(found.convert_N[:10]).all()
    np.testing.assert_allclose(found.convert_N[10:], [0.1, 0.3, 0.5, 0.7, 0.9], rtol=1e-6)


def test_what_is_no_probability_is_refused(tmp_path: Path) -> None:
    from benchmarks.cart_peers import read_forecast

    np.save(tmp_path / "forecast.npy", np.full((5, 2), 1.5, np.float32))

    with pytest.raises(PeerError, match="no probability"):
        read_forecast(tmp_path, 5)
    with pytest.raises(PeerError, match=r"\(5, 2\); the test has 4 rows"):
        read_forecast(tmp_path, 4)
