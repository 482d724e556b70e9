from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest

from shelfwise.data.attribution import DAY
from shelfwise.data.history import History
from shelfwise.evaluation.baselines.item_knn import Choice, ItemKnn
from shelfwise.evaluation.baselines.markov import Markov
from shelfwise.evaluation.baselines.own_counts import OwnCounts
from shelfwise.evaluation.baselines.popularity import Popularity
from shelfwise.evaluation.baselines.role import Baseline, Taken, past_counts

from .small import ALL_ROWS, HISTORY, ITEMS, KIND_NUMBERS, TAKEN, TARGETS, VIEW, ints

Maker = Callable[[History, Taken], Baseline]
MAKERS: dict[str, Maker] = {
    "popularity": lambda _h, taken: Popularity.of(taken, "popularity", 0),
    "knn": lambda history, taken: ItemKnn.of(history, KIND_NUMBERS, taken, Choice(20, False)),
    "knn itself": lambda history, taken: ItemKnn.of(history, KIND_NUMBERS, taken, Choice(20, True)),
    "markov": Markov.of,
    "own": lambda history, taken: OwnCounts.of(history, KIND_NUMBERS, taken),
}


@pytest.fixture(params=MAKERS)
def maker(request: pytest.FixtureRequest) -> Maker:
    return MAKERS[request.param]


def test_every_baseline_scores_the_chosen_rows(maker: Maker) -> None:
    baseline = maker(HISTORY, TAKEN)

    everything = baseline.scores(TARGETS, ALL_ROWS)

    assert everything.shape == (3, ITEMS)
    assert everything.dtype == np.float32
    assert np.isfinite(everything).all()
    assert baseline.name
    for rows in ([2], [0, 2], []):
        some = baseline.scores(TARGETS, ints(*rows))
        assert some.shape == (len(rows), ITEMS)
        assert np.array_equal(some, everything[ints(*rows)])


def test_every_baseline_bears_a_log_in_which_nothing_was_taken(maker: Maker) -> None:
    none = Taken(ints(), ints(), ints(), 3, ITEMS)
    nothing_yet = HISTORY._replace(
        offset_U1=ints(0, 0, 0, 0),
        **{name: getattr(HISTORY, name)[:0] for name in ("item_E", "query_E", "kind_E", "at_E")},
    )
    start = TARGETS.chosen(ALL_ROWS)
    empty = type(start)(
        **{
            name: getattr(start, name) if name != "end_T" else ints(0, 0, 0)
            for name in start.__dataclass_fields__
        }
    )

    assert (maker(nothing_yet, none).scores(empty, ALL_ROWS) == 0).all()


def test_past_counts_by_hand() -> None:
    bought = past_counts(HISTORY, TARGETS, ALL_ROWS, KIND_NUMBERS).toarray()
    viewed = past_counts(HISTORY, TARGETS, ALL_ROWS, np.array([VIEW], np.uint8)).toarray()

    # Item 3 stands nowhere in the log, and owner 2's purchase comes after the request.
    assert bought.tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 0]]
    assert viewed.tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 0]]


def test_popularity_by_hand() -> None:
    ever = Popularity.of(TAKEN, "popularity", since=0).scores(TARGETS, ALL_ROWS)
    late = Popularity.of(TAKEN, "late", since=2 * DAY).scores(TARGETS, ALL_ROWS)

    assert ever.tolist() == [[2, 2, 1, 0]] * 3
    assert late.tolist() == [[1, 0, 1, 0]] * 3


def test_item_knn_by_hand() -> None:
    # Item 0 was taken by owner 0, item 1 by both, item 2 by owner 1:
    # cos(0, 1) = 1 / (sqrt(1) sqrt(2)) = cos(1, 2), cos(0, 2) = 0.
    near = 1 / sqrt(2)

    others = ItemKnn.of(HISTORY, KIND_NUMBERS, TAKEN, Choice(20, False))
    itself = ItemKnn.of(HISTORY, KIND_NUMBERS, TAKEN, Choice(20, True))

    # Owner 0 took {0, 1}, however often; owner 1 {1, 2}.
    expected = np.array([[near, near, near, 0], [near, near, near, 0], [0, 0, 0, 0]])
    assert others.scores(TARGETS, ALL_ROWS) == pytest.approx(expected, abs=1e-6)
    own = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]])
    assert itself.scores(TARGETS, ALL_ROWS) == pytest.approx(expected + own, abs=1e-6)


def test_item_knn_keeps_the_nearest() -> None:
    # One neighbour for each item: 0 has 1, 2 has 1, and of item 1's two equal ones the first.
    one = ItemKnn.of(HISTORY, KIND_NUMBERS, TAKEN, Choice(1, False))

    near = 1 / sqrt(2)
    assert one.similar_VV.toarray() == pytest.approx(
        np.array([[0, near, 0, 0], [near, 0, 0, 0], [0, near, 0, 0], [0, 0, 0, 0]]), abs=1e-6
    )


def test_markov_by_hand() -> None:
    # Owner 0: 0 -> 1 -> 0; owner 1: 1 -> 2. Popularity 2, 2, 1, 0 over 3 breaks ties.
    found = Markov.of(HISTORY, TAKEN).scores(TARGETS, ALL_ROWS)

    popularity = np.array([2, 2, 1, 0]) / 3
    # Owner 0 ended with item 0, owner 1 with a view of item 0; owner 2 has no past.
    after_0 = popularity + np.array([0, 1, 0, 0])
    assert found == pytest.approx(np.array([after_0, after_0, popularity]), abs=1e-6)


def test_markov_passes_over_a_search() -> None:
    # Up to the search owner 1's last item is item 1, which item 0 and item 2 followed once each.
    earlier = TARGETS.chosen(ints(1))
    earlier.end_T[0] = 5

    found = Markov.of(HISTORY, TAKEN).scores(earlier, ints(0))

    assert found[0] == pytest.approx([2 / 3 + 1, 2 / 3, 1 / 3 + 1, 0], abs=1e-6)


def test_own_counts_by_hand() -> None:
    found = OwnCounts.of(HISTORY, KIND_NUMBERS, TAKEN).scores(TARGETS, ALL_ROWS)

    popularity = np.array([2, 2, 1, 0]) / 3
    own = np.array([[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]])
    assert found == pytest.approx(own + popularity, abs=1e-6)
