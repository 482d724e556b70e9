from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from shelfwise.data.prepared import PreparedJudgements
from shelfwise.schema.errors import DataError
from shelfwise.training.judged_pairs import JudgedPairs, places_of, query_batches

from .judged_shop import judged_shop

QUERIES = np.array([4, 4, 4, 7, 1, 1, 1, 1, 1, 9, 9])


def test_every_row_comes_once_and_queries_stay_whole() -> None:
    rows = np.arange(len(QUERIES))

    for seed in range(20):
        batches = list(query_batches(QUERIES, rows, 6, np.random.default_rng(seed)))

        assert sorted(np.concatenate(batches)) == rows.tolist()
        for batch in batches:
            assert len(batch) <= 6
            for query in set(QUERIES[batch].tolist()):
                assert QUERIES[batch].tolist().count(query) == QUERIES.tolist().count(query)


def test_a_query_longer_than_a_batch_is_cut() -> None:
    batches = list(query_batches(QUERIES, np.arange(11), 2, np.random.default_rng(0)))

    assert max(map(len, batches)) == 2
    assert sorted(np.concatenate(batches)) == list(range(11))


def test_only_the_rows_asked_for_and_in_another_order_each_time() -> None:
    rows = np.array([10, 3, 0, 2])

    orders = {
        tuple(np.concatenate(list(query_batches(QUERIES, rows, 100, np.random.default_rng(s)))))
        for s in range(10)
    }

    assert all(set(order) == {0, 2, 3, 10} for order in orders)
    assert len(orders) > 1
    assert list(query_batches(QUERIES, rows[:0], 100, np.random.default_rng(0))) == []


def test_places_of_rows_in_a_table_of_queries() -> None:
    row, place, shape = places_of(np.array([7, 4, 7, 7, 4]))

    # Query 4 is the first row of the table, 7 the second with three places.
    assert row.tolist() == [1, 0, 1, 1, 0]
    assert place.tolist() == [0, 0, 1, 2, 1]
    assert shape == (2, 3)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> PreparedJudgements:
    return judged_shop(tmp_path_factory.mktemp("judged"))


def test_grades_are_places_between_the_lowest_and_the_highest(shop: PreparedJudgements) -> None:
    pairs = JudgedPairs.of(shop)

    assert (pairs.lowest, pairs.highest) == (0, 2)
    rows = np.arange(len(pairs.grade_N))
    np.testing.assert_allclose(pairs.share_of(rows), pairs.grade_N / 2)
    parts = [pairs.rows_of(part) for part in ("train", "validation", "test")]
    # 40 queries with four items each: 28 train, 4 validate, 8 are the test.
    assert [len(part) for part in parts] == [112, 16, 32]
    assert sorted(np.concatenate(parts)) == rows.tolist()


def test_one_grade_teaches_nothing(shop: PreparedJudgements) -> None:
    alike = replace(shop, judgements=shop.judgements.with_columns(pl.lit(1.0).alias("grade")))

    with pytest.raises(DataError, match="112 judgements of the training part have no two"):
        JudgedPairs.of(alike)
