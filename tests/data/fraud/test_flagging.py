from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from pydantic import ValidationError
from tests.data.fraud.small_log import act, crowd, metronome, numbered

from shelfwise.data.fraud.features import actor_features
from shelfwise.data.fraud.flagging import FLAGS, flag
from shelfwise.data.fraud.options import ActorKind, FraudOptions

_CATEGORY_V = pl.Series([item // 20 for item in range(200)], dtype=pl.Int64)
_PLAIN = FraudOptions(forest=False)


def _flags(
    rows: list[dict[str, Any]], options: FraudOptions = _PLAIN, actor: ActorKind = "owner"
) -> pl.DataFrame:
    return flag(actor_features(numbered(rows), actor, category_V=_CATEGORY_V), options)


def _of(flags: pl.DataFrame, actor: int) -> dict[str, Any]:
    return flags.row(by_predicate=pl.col("id") == actor, named=True)


def test_people_are_not_flagged() -> None:
    flags = _flags(crowd(60), FraudOptions())

    assert len(flags) == 60
    assert not flags["flagged"].any()
    assert flags.schema == FLAGS


def test_a_metronome_is_flagged_and_told_why() -> None:
    found = _of(_flags(crowd(60) + metronome(99)), 99)

    assert found["flagged"]
    assert found["score"] > 0.9
    # 200 acts within 500 s; gaps of .5 and 4.5 s in turn, so half of them are equal; every click
    # half a second after its list.
    assert {"too fast", "no dwell", "steady gaps", "buys nothing"} <= set(found["rules"])
    assert "up to 200 acts an hour" in found["reason"]
    assert "100% of clicks within a second" in found["reason"]
    assert found["rows"] == 100 * 12


def test_a_person_with_few_acts_is_never_flagged() -> None:
    flags = _flags(crowd(60) + metronome(99, lists=9))  # 18 acts of the 20 needed

    assert 99 not in flags["id"]


def test_who_never_sleeps_is_flagged() -> None:
    # One view every half hour for a day: slow, but in 24 different hours of it.
    sleepless = [act("view", 99, 86_400 + 1_800 * step, step) for step in range(48)]

    found = _of(_flags(crowd(60) + sleepless), 99)

    assert found["flagged"]
    assert "active in 24 different hours of one day" in found["reason"]


def test_a_clock_that_only_knows_the_day_makes_nobody_odd() -> None:
    # All events of a day share midnight: gaps, dwell and hours are the same for everybody.
    rows = [row | {"at": row["at"] // (86_400 * 10**6) * 86_400 * 10**6} for row in crowd(60)]

    assert not _flags(rows, FraudOptions())["flagged"].any()


def test_an_order_without_a_clock_makes_nobody_odd() -> None:
    rng = np.random.default_rng(5)
    rows = [
        act("view", owner, step, int(rng.integers(200)))
        for owner in range(60)
        for step in range(int(20 * (1 + rng.pareto(1.2))))
    ]
    features = actor_features(numbered(rows), "owner", timed=False)

    assert not flag(features, FraudOptions())["flagged"].any()


def test_large_invoices_are_no_haste() -> None:
    # A wholesaler's 400 lines of one moment, among people.
    invoices = [act("purchase", 99, 3_600 * hour, item) for hour in (9, 40) for item in range(200)]

    assert not _of(_flags(crowd(60) + invoices), 99)["flagged"]


def test_too_few_people_make_no_usual_behaviour() -> None:
    # Five actors, four of them machines: only what holds without a comparison is asked.
    rows = crowd(1) + [row for owner in range(1, 5) for row in metronome(owner)]

    assert not _of(_flags(rows), 0)["flagged"]


def test_an_address_of_many_users_needs_a_second_reason() -> None:
    # Twelve persons share an address: a crowd, but one that reads and buys.
    shared = [row | {"ip": 1_000} if row["owner"] < 12 else row for row in crowd(60)]

    found = _of(_flags(shared, actor="ip"), 1_000)

    assert "crowded address" in found["rules"]
    assert not found["flagged"]


def test_the_forest_alone_flags_nobody() -> None:
    with_forest = _flags(crowd(80), FraudOptions(forest_from=0.51))

    assert with_forest["score"].max() < FraudOptions().flag_from
    assert "stands alone" in with_forest["rules"].explode().to_list()


def test_seed_and_order_of_rows_decide_nothing_but_the_forest() -> None:
    rows = crowd(60) + metronome(99)
    features = actor_features(numbered(rows), "owner", category_V=_CATEGORY_V)

    assert_frame_equal(flag(features, _PLAIN, seed=1), flag(features, _PLAIN, seed=2))
    once, again = (flag(features, FraudOptions(), seed=3) for _ in range(2))
    assert_frame_equal(once, again)
    assert_frame_equal(once, flag(features.reverse(), FraudOptions(), seed=3))


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_scores_lie_between_0_and_1_and_decide(share: float) -> None:
    options = FraudOptions(flag_from=share)
    flags = _flags(crowd(60) + metronome(99), options)

    assert flags["score"].is_between(0, 1).all()
    assert (flags["flagged"] == (flags["score"] >= share)).all()


def test_nobody_to_judge() -> None:
    for options in (_PLAIN, FraudOptions()):
        assert _flags([], options).is_empty()
        assert _flags([act("view", 1, 0, 5)], options).is_empty()


def test_a_log_in_which_no_figure_can_be_told() -> None:
    # Purchases alone, and no clock: nothing is known of anybody but how much was bought.
    rows = [act("purchase", owner, step, step) for owner in range(60) for step in range(30)]

    flags = flag(actor_features(numbered(rows), "owner", timed=False), FraudOptions())

    assert len(flags) == 60
    assert flags["score"].to_list() == [0.0] * 60
    assert flags["reason"].is_null().all()


def _company(**columns: Any) -> pl.DataFrame:
    told = {"crowd": None, "crowd_text": None, "replay_text": None, **columns}
    schema = {"id": pl.UInt64, "crowd": pl.Float64, "crowd_text": pl.String}
    return pl.DataFrame([told], schema=schema | {"replay_text": pl.String}, orient="row")


@pytest.mark.parametrize("forest", [False, True])
def test_company_speaks_against_somebody_of_few_acts(forest: bool) -> None:
    options = FraudOptions(forest=forest)
    features = actor_features(
        numbered(crowd(60) + metronome(99, lists=2)), "owner", category_V=_CATEGORY_V
    )
    company = _company(id=99, crowd=0.9, crowd_text="took what 40 users took")

    found = _of(flag(features, options, company=company), 99)

    # Its own four acts, however steady, are too few to say anything.
    assert found["rules"] == ["hired crowd"]
    assert found["score"] == pytest.approx(0.98 * 0.9)
    assert found["flagged"]
    assert found["reason"] == "took what 40 users took"


@pytest.mark.parametrize("forest", [False, True])
def test_company_is_not_forgiven_to_somebody_who_buys(forest: bool) -> None:
    options = FraudOptions(forest=forest)
    features = actor_features(numbered(crowd(60)), "owner", category_V=_CATEGORY_V)
    before = flag(features, options)
    company = _company(id=3, replay_text="asked for pages in the very rhythm of another")

    after = flag(features, options, company=company)

    found = _of(after, 3)
    assert found["score"] == pytest.approx(1 - 0.1 * (1 - _of(before, 3)["score"]))
    assert "repeats another" in found["rules"]
    others = pl.col("id") != 3
    assert_frame_equal(after.filter(others), before.filter(others))


def test_less_weight_begins_below_none() -> None:
    FraudOptions(soft_from=0.4, flag_from=0.5)
    with pytest.raises(ValidationError, match=r"soft_from \(0.5\) must be below flag_from \(0.5\)"):
        FraudOptions(soft_from=0.5)
