from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shelfwise.data.sample_shop.bots import (
    EASY,
    HARD,
    MIDDLE,
    NO_BOTS,
    Bots,
    click_times,
    draw_bots,
    with_habits,
)
from shelfwise.data.sample_shop.catalogue import Catalogue
from shelfwise.data.sample_shop.config import STRENGTHS, SampleOptions
from shelfwise.data.sample_shop.generate import write_sample_shop
from shelfwise.data.sample_shop.outcomes import Truth
from shelfwise.data.sample_shop.requests import DAY_MS, Requests, draw_visits
from shelfwise.data.sample_shop.shoppers import Shoppers

OPTIONS = SampleOptions(users=50, items=400, days=30, visits_per_month=20, bot_share=0.2)
ONE_OF_EACH = Bots(
    strength_B=np.array([EASY, MIDDLE, HARD]),
    farm_B=np.array([0, 1, 2]),
    targets_BX=np.array([[7, 8, 9]] * 3),
)


@pytest.fixture(scope="module")
def visits(catalogue: Catalogue, shoppers: Shoppers) -> Requests:
    return draw_visits(shoppers, catalogue, OPTIONS, np.random.default_rng(0))


def test_habits_by_hand() -> None:
    # A shopper and a bot of each strength see item 1; then each bot sees its target 7.
    bot = np.array([-1, 0, 1, 2, 0, 1, 2])
    item = np.array([1, 1, 1, 1, 7, 7, 7])
    usual = Truth(*(np.full(7, p) for p in (0.5, 0.2, 0.1, 0.04)))

    truth = with_habits(usual, ONE_OF_EACH, bot, item)

    assert truth.p_click_N.tolist() == [0.1, 0.5, 0.3, 0.1, 0.9, 0.6, 0.5]
    assert truth.p_convert_N.tolist() == [0.04, 0, 0, 0.04, 0, 0, 0.04]
    assert truth.p_click_N == pytest.approx(truth.examination_N * truth.relevance_N)
    assert usual.p_click_N.tolist() == [0.1] * 7
    assert with_habits(usual, NO_BOTS, np.full(7, -1), item) is usual


def test_only_simple_bots_click_in_their_own_time() -> None:
    reading, position = np.array([9_000] * 4), np.array([3] * 4)

    times = click_times(
        reading, position, ONE_OF_EACH, np.array([-1, 0, 1, 2]), np.random.default_rng(0)
    )

    assert times[[0, 3]].tolist() == [9_000, 9_000]
    assert times[1] == 1_400  # 500 + 3 * 300
    assert times[2] >= 200


def test_easy_bots_go_in_equal_steps_round_the_clock(
    visits: Requests, catalogue: Catalogue
) -> None:
    options = OPTIONS.model_copy(update={"bot_strength": "easy", "bot_share": 0.3})

    bots, requests = draw_bots(visits, 12, catalogue, options, np.random.default_rng(1))

    one = np.flatnonzero(requests.visitor_R == requests.visitor_R[0])
    gaps = np.diff(np.sort(requests.at_R[one]))
    # Ten requests five seconds apart, then two hours from burst to burst.
    assert set(gaps.tolist()) == {5_000, 2 * 3_600_000 - 9 * 5_000}
    hours = requests.at_R[one] // 3_600_000 % 24
    assert len(set(hours.tolist())) >= 10
    assert (bots.strength_B == EASY).all()


def test_hard_bots_replay_a_shoppers_steps(visits: Requests, catalogue: Catalogue) -> None:
    options = OPTIONS.model_copy(update={"bot_strength": "hard"})

    bots, requests = draw_bots(visits, 12, catalogue, options, np.random.default_rng(1))

    assert len(bots) > 3
    for bot in range(len(bots)):
        mine = np.flatnonzero(requests.visitor_R == bot)
        model = requests.user_R[mine[0]]
        theirs = np.flatnonzero(visits.user_R == model)
        moved = requests.at_R[mine][:, None] - visits.at_R[theirs][None, :]
        # One shift fits all of the bot's requests, by no more than two days and an hour.
        shifts, counts = np.unique(moved, return_counts=True)
        assert counts.max() == len(mine)
        assert abs(shifts[counts.argmax()]) <= 2 * DAY_MS + 3_600_000
        assert (requests.user_R[mine] == model).all()
    # A quarter looks for a target; four standard deviations.
    pushed = np.isin(requests.intent_R, catalogue.type_I[bots.targets_BX.ravel()])
    named = requests.named_R[requests.is_search_R] >= 0
    assert named.mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / len(named)))
    assert pushed[requests.named_R >= 0].all()


@pytest.mark.parametrize("strength", [*STRENGTHS, "mixed"])
def test_bots_make_about_their_share_of_the_events(tmp_path: Path, strength: str) -> None:
    options = SampleOptions.model_validate(
        {"users": 200, "items": 400, "bot_share": 0.1, "bot_strength": strength}
    )

    summary = write_sample_shop(tmp_path, options)

    assert summary.bot_events / summary.events == pytest.approx(0.1, rel=0.25)
    bots = pl.read_parquet(tmp_path / "truth" / "bots.parquet")
    events = pl.read_parquet(tmp_path / "events.parquet")
    assert len(bots) == summary.bots
    assert set(bots["strength"]) == (set(STRENGTHS) if strength == "mixed" else {strength})
    mine = events.filter(pl.col("user_id").is_in(bots["user_id"].implode()))
    assert len(mine) == summary.bot_events
    assert set(mine["ip"]) <= set(bots["ips"].explode())
    assert set(bots["targets"].explode()) <= set(events["item_id"])
    buyers = set(mine.filter(pl.col("event") == "purchase")["user_id"])
    hard = set(bots.filter(pl.col("strength") == "hard")["user_id"])
    assert buyers <= hard
    truth = pl.read_parquet(tmp_path / "truth" / "impressions.parquet")
    assert truth["bot"].sum() == (mine["event"] == "impression").sum()


def test_shoppers_do_the_same_with_bots_and_without(tmp_path: Path) -> None:
    options = SampleOptions(users=60, items=300, days=20)
    pages = {}
    for share in (0.0, 0.2):
        folder = tmp_path / str(share)
        write_sample_shop(folder, options.model_copy(update={"bot_share": share}))
        events = pl.read_parquet(folder / "events.parquet")
        bots = pl.read_parquet(folder / "truth" / "bots.parquet")["user_id"]
        # Advertising is shared by all: a budget that bots have used up is gone.
        shoppers = events.filter(
            ~pl.col("user_id").is_in(bots.implode()), pl.col("surface") != "ads"
        )
        what = ["timestamp", "event", "item_id", "query", "position", "propensity"]
        pages[share] = shoppers.select(what).sort(what)

    assert pages[0.0].equals(pages[0.2])


def test_ids_of_bots_stand_among_those_of_shoppers(tmp_path: Path) -> None:
    write_sample_shop(tmp_path, SampleOptions(users=400, items=300, days=20, bot_share=0.3))
    events = pl.read_parquet(tmp_path / "events.parquet")
    bots = set(pl.read_parquet(tmp_path / "truth" / "bots.parquet")["user_id"])

    users = events["user_id"].unique().sort().to_list()
    place = np.array([n for n, user in enumerate(users) if user in bots]) / len(users)

    # The mean place of n ids at random is 1/2, with standard deviation sqrt(1 / 12 n).
    assert abs(place.mean() - 0.5) < 4 * np.sqrt(1 / 12 / len(place))
