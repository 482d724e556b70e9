from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.off_policy.policies import Logged, Softmax, Uniform
from shelfwise.evaluation.off_policy.slots import LoggedSlots, Pool, logged_slots
from shelfwise.schema.event import Surface


def ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


# Items 0..4 first shown at moments 0, 0, 0, 50, never. Request 7 at moment 10 shows items 1, 0;
# request 9 at moment 60 shows 3, 2, 1.
POOL = Pool(ints(0, 0, 0, 50, 2**62), ints(0, 1, 2, 3, 4))
SLOTS = LoggedSlots(
    request_N=ints(7, 7, 9, 9, 9),
    owner_N=ints(1, 1, 2, 2, 2),
    at_N=ints(10, 10, 60, 60, 60),
    place_N=ints(1, 2, 1, 2, 3),
    item_N=ints(1, 0, 3, 2, 1),
    propensity_N=np.array([0.2, 0.4, 0.1, 0.5, 0.5]),
    reward_N=np.array([1.0, 0, 0, 1, 0]),
    above_NL=np.array([[-1, -1], [1, -1], [-1, -1], [3, -1], [3, 2]]),
    pool=POOL,
    left_out={},
    unpriced=0,
)


def test_the_uniform_policy_by_hand() -> None:
    filled = Uniform().fill(SLOTS, np.random.default_rng(0))

    # three items by moment 10, four by 60, less those above
    assert filled.target_N == pytest.approx([1 / 3, 1 / 2, 1 / 4, 1 / 3, 1 / 2])
    assert set(filled.drawn_SN[:, 1].tolist()) <= {0, 2}
    assert set(filled.drawn_SN[:, 4].tolist()) <= {0, 1}


def test_an_item_first_shown_now_is_not_in_its_own_pool() -> None:
    now = replace(SLOTS, at_N=ints(10, 10, 50, 50, 50))

    filled = Uniform().fill(now, np.random.default_rng(0))

    # item 3 is outside at moment 50, and shrinks no pool that it is not in
    assert filled.target_N[2:] == pytest.approx([0, 1 / 3, 1 / 2])


def test_a_softmax_by_hand() -> None:
    score = np.log(np.array([1.0, 2, 3, 4, 100], dtype=np.float32))

    def scores_of(requests: np.ndarray):  # type: ignore[no-untyped-def]
        yield np.arange(len(requests)), np.tile(score, (len(requests), 1))

    filled = Softmax(scores_of, 1.0, "a score").fill(SLOTS, np.random.default_rng(0))
    hot = Softmax(scores_of, 1e9, "a score").fill(SLOTS, np.random.default_rng(0))

    # item 4 was never shown, item 3 not by moment 10: 2 / 6, 1 / 4; then 4 / 10, 3 / 6, 2 / 3
    assert filled.target_N == pytest.approx([1 / 3, 1 / 4, 4 / 10, 1 / 2, 2 / 3])
    uniform = Uniform().fill(SLOTS, np.random.default_rng(0))
    assert hot.target_N == pytest.approx(uniform.target_N)
    assert set(filled.drawn_SN[:, 4].tolist()) <= {0, 1}


def test_draws_follow_the_policy() -> None:
    """Of many slots like the fourth, the draws' shares are the policy's probabilities."""
    score = np.log(np.array([1.0, 2, 3, 4, 100], dtype=np.float32))

    def scores_of(requests: np.ndarray):  # type: ignore[no-untyped-def]
        yield np.arange(len(requests)), np.tile(score, (len(requests), 1))

    many = SLOTS.chosen(np.full(500, 3))
    drawn = Softmax(scores_of, 1.0, "a score").fill(many, np.random.default_rng(0)).drawn_SN

    # 4,000 draws over items 0, 1, 2 with weights 1, 2, 3
    share = np.bincount(drawn.ravel(), minlength=5) / drawn.size
    assert share == pytest.approx([1 / 6, 2 / 6, 3 / 6, 0, 0], abs=0.03)


def test_the_logs_own_policy_weighs_every_row_one() -> None:
    filled = Logged().fill(SLOTS, np.random.default_rng(0))

    assert (filled.target_N / SLOTS.propensity_N).tolist() == [1] * 5


@pytest.fixture(scope="module")
def shelves(prepared_sample: PreparedShop) -> LoggedSlots:
    return logged_slots(prepared_sample, ("test",), Surface.RECOMMENDATION, "click")


def test_slots_are_those_of_the_log(prepared_sample: PreparedShop, shelves: LoggedSlots) -> None:
    asked = prepared_sample.requests.with_row_index("request").filter(
        (pl.col("surface") == "recommendation") & (pl.col("part") == "test")
    )
    shown = prepared_sample.impressions.join(
        asked.select(pl.col("request").cast(prepared_sample.impressions["request"].dtype)),
        on="request",
        how="semi",
    )

    assert len(shelves) + sum(shelves.left_out.values()) == len(shown)
    assert shelves.reward_N.sum() > 0
    first = shelves.place_N == 1
    assert (shelves.above_NL[first] == -1).all()
    depth = (shelves.above_NL >= 0).sum(axis=1)
    assert depth.tolist() == (shelves.place_N - 1).tolist()


def test_weights_of_the_uniform_policy_average_to_one(shelves: LoggedSlots) -> None:
    filled = Uniform().fill(shelves, np.random.default_rng(0))
    weight = filled.target_N / shelves.propensity_N

    # Explored slots are a tenth: no weight is above ten times the pools' ratio.
    assert weight.mean() == pytest.approx(1, abs=4 * weight.std() / np.sqrt(len(weight)) + 0.05)


def test_purchases_wait_for_their_window(prepared_sample: PreparedShop) -> None:
    slots = logged_slots(prepared_sample, ("test",), Surface.SEARCH, "purchase")
    money = logged_slots(prepared_sample, ("test",), Surface.SEARCH, "revenue")

    assert slots.left_out["purchase window still open"] > 0
    bought = slots.reward_N > 0
    price = prepared_sample.items["price"].to_numpy()
    assert money.reward_N[bought] == pytest.approx(price[money.item_N[bought]])
    assert (money.reward_N[~bought] == 0).all()


def test_rows_that_lack_something_are_counted(prepared_sample: PreparedShop) -> None:
    shown = prepared_sample.impressions.with_row_index("n").with_columns(
        pl.when(pl.col("n") % 2 == 0).then("propensity").alias("propensity"),
        pl.when(pl.col("n") % 3 > 0).then("position").alias("position"),
        pl.when(pl.col("n") % 5 == 0).then(0).otherwise("weight").alias("weight"),
    )
    partly = replace(prepared_sample, impressions=shown.drop("n"))
    whole = logged_slots(prepared_sample, ("test",), Surface.SEARCH, "click")

    slots = logged_slots(partly, ("test",), Surface.SEARCH, "click")

    assert set(slots.left_out) == {
        "no place in the list",
        "no propensity",
        "a suspected machine",
    }
    everything = len(whole) + sum(whole.left_out.values())
    assert len(slots) + sum(slots.left_out.values()) == everything
