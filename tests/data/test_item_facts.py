from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.data.item_facts import NUMBERS, item_facts, met_before, met_in, price_numbers
from shelfwise.data.numbers import Scale, fit_scale
from shelfwise.data.part_rows import TRAINED
from shelfwise.data.split import PARTS

from .small_log import event, prepared_shop, write_table

NAN = float("nan")


def test_the_numbers_of_a_price_by_hand() -> None:
    # On a log scale around 2: (3 - 2) / 1.4826; 9 lies (9 - 2) / 1.4826 = 4.7 away, and 20 more
    # than 5, which is the most.
    numbers = price_numbers(np.expm1(np.array([3.0, 9, 20, NAN])), Scale("log", 2.0, 1.4826))

    assert numbers[:, 0] == pytest.approx([1 / 1.4826, 7 / 1.4826, 5, 0])
    assert numbers[:, 1].tolist() == [0, 0, 0, 1]


@given(st.lists(st.floats(0, 1e12) | st.just(NAN), max_size=20))
def test_numbers_are_finite_and_within_five(prices: list[float]) -> None:
    array = np.array(prices)

    numbers = price_numbers(array, fit_scale(array))

    assert numbers.shape == (len(prices), NUMBERS)
    assert (np.abs(numbers) <= 5).all()


def test_only_what_was_met_before_the_end_makes_the_scale(tmp_path: Path) -> None:
    # Hour 70 is after the end; seen i0 (view) and i1 (shown), not i2, and i3 never.
    rows = [
        event("view", "u1", 1, "i0"),
        event("search", "u1", 1, query="shoe"),
        event("impression", "u1", 50, "i1", request_id="r"),
        event("click", "u1", 70, "i2"),
        event("view", "u1", 99, "i2"),
    ]
    items = [{"item_id": f"i{n}", "price": price} for n, price in enumerate([1, 3, 1e6, ""])]
    write_table(tmp_path / "shop", "catalogue", items)
    prepared = prepared_shop(tmp_path, rows)

    facts = item_facts(prepared, ["train"])

    assert facts.warm_V.tolist() == [True, True, False, False]
    # 1 and 3 lean to neither side: their middle is 2, each lies 1 away.
    assert facts.price_scale == ("plain", 2.0, pytest.approx(1.4826))
    assert facts.number_VF[:, 1].tolist() == [0, 0, 0, 1]
    assert facts.number_VF[2, 0] == 5
    assert met_before(prepared, prepared.moments.end).tolist() == [True, True, True, False]
    # An event at the very end is not before it.
    assert not met_before(prepared, prepared.moments.first).any()


def test_a_match_that_histories_leave_out_was_met_too(tmp_path: Path) -> None:
    rows = [event("purchase", "u1", hour, f"i{hour % 2}") for hour in (0, 1, 99)]
    prepared = prepared_shop(tmp_path, rows, history={"behaviours": ["search"]})

    assert met_before(prepared, prepared.moments.validation).tolist() == [True, True]


def test_what_suspected_fraud_alone_has_met_was_not_met(tmp_path: Path) -> None:
    """A bot meets i9 first, and i8; what is told of items is as without it."""
    honest = [event("click", "u1", hour, f"i{place}") for place, hour in enumerate((5, 30, 80))]
    bot = [event("click", "u2", 1 + hour, f"i{9 - hour % 2}") for hour in range(60)]
    both, without = (
        prepared_shop(tmp_path / name, [*honest, *rows], fraud={"enabled": False})
        for name, rows in (("both", bot), ("one", []))
    )
    is_bots_R = both.requests["owner"] == both.requests["owner"][-2]
    assert is_bots_R.sum() == len(bot)
    reasons = [("a bot" if its else None) for its in is_bots_R]
    honest_P = ~is_bots_R.gather(both.positives["request"])
    with_bot = replace(
        both,
        requests=both.requests.with_columns(pl.Series("fraud", reasons, pl.String)),
        positives=both.positives.with_columns(pl.col("weight") * honest_P),
    )
    names = with_bot.items["item_id"].to_list()

    assert [names[item] for item in np.flatnonzero(met_in(with_bot, PARTS))] == ["i0", "i1", "i2"]
    told, expected = item_facts(with_bot, TRAINED), item_facts(without, TRAINED)
    here = [names.index(name) for name in without.items["item_id"]]
    assert told.warm_V[here].tolist() == expected.warm_V.tolist()
    assert told.first_V[here].tolist() == expected.first_V.tolist()
    assert told.price_scale == expected.price_scale
