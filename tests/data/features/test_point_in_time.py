"""Counts and rates as of a row's moment: by hand, and against a walk over everything that was."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.small_log import HOUR, event, prepared_shop, random_events, write_table
from shelfwise.data.attribution import DAY
from shelfwise.data.features.behaviour import KINDS_OF, TIMES_OF, Log
from shelfwise.data.features.point_in_time import RATES, SCHEMA, Standings, point_in_time
from shelfwise.data.features.shrinkage import fit_prior
from shelfwise.data.history import KINDS
from shelfwise.data.prepared import PreparedShop
from shelfwise.schema.errors import ArtifactError

COUNTS = (*TIMES_OF, *KINDS_OF)
RNG_SEEDS = st.integers(0, 10**6)


def shown(user: str, hours: float, item: str, request: str, **more: Any) -> dict[str, Any]:
    return event("impression", user, hours, item, request_id=request, position=1, **more)


def asked(shop: PreparedShop, user: int, item: str, query: int, hours: float) -> dict[str, Any]:
    """What a row would be told."""
    first = shop.moments.first  # hour 0 of the log
    item_number = shop.items["item_id"].to_list().index(item)
    row = {"owner": user, "item": item_number, "query": query, "at": first + int(hours * HOUR)}
    return point_in_time(shop, pl.DataFrame([row])).row(0, named=True)


@pytest.fixture
def by_hand(tmp_path: Path) -> PreparedShop:
    """One user: three lists on the first day and one on the second, with what came of them."""
    write_table(
        tmp_path / "shop",
        "catalogue",
        [{"item_id": f"i{n}", "title": "thing", "category": "abc"[n // 2]} for n in range(4)],
    )
    rows = [
        event("view", "u0", 0, "i0"),
        shown("u0", 1, "i0", "r1", query="red"),
        event("click", "u0", 2, "i0", request_id="r1"),
        shown("u0", 3, "i0", "r2"),
        shown("u0", 4, "i1", "r3"),
        event("favourite", "u0", 5, "i1"),
        event("purchase", "u0", 26, "i0", request_id="r1"),
        shown("u0", 30, "i0", "r4"),
        event("view", "u0", 99, "i3"),
    ]
    return prepared_shop(tmp_path, rows, fraud={"enabled": False})


def test_a_user_is_known_up_to_the_moment_before(by_hand: PreparedShop) -> None:
    at_4, after_4 = (asked(by_hand, 0, "i0", -1, hours) for hours in (4, 4.5))

    # At hour 4: the lists of hours 1 and 3, not that of hour 4 itself; one click, at hour 2.
    assert [at_4[f"user_{name}"] for name in COUNTS] == [2, 1, 0, 0, 2, 0, 0]
    # searched: the query stands on an impression, which is no search; looked: view 0, click 2.
    assert after_4["user_shown"] == 3
    # Training knows 4 lists and 1 click of one user: the mean is 1/4 and, there being but one
    # user, the prior counts as 10,000: (1 + 2,500) / (2 + 10,000).
    assert at_4["user_click_rate"] == pytest.approx(2501 / 10_002)
    # One click of training, and it sold: no rate of purchases can be told from one outcome.
    assert at_4["user_purchase_rate"] is None
    # Of view, click, favourite and purchase one is a want: 1/4, here (0 + 2,500) / (2 + 10,000).
    assert at_4["user_want_share"] == pytest.approx(2500 / 10_002)


def test_items_categories_and_queries_are_known_up_to_the_day_before(by_hand: PreparedShop) -> None:
    first_day, second_day, third_day = (asked(by_hand, 0, "i0", 0, h) for h in (23, 47, 49))

    for entity in ("item", "category", "query"):
        # All happened on the day itself.
        assert [first_day[f"{entity}_{name}"] for name in TIMES_OF] == [0, 0, 0]
    # Lists of i0: hours 1 and 3 on day 0, hour 30 on day 1; bought at hour 26, on day 1.
    assert [second_day[f"item_{name}"] for name in TIMES_OF] == [2, 1, 0]
    assert [third_day[f"item_{name}"] for name in TIMES_OF] == [3, 1, 1]
    # i1 is of the same category: its list and its favourite of day 0.
    assert [second_day[f"category_{n}"] for n in ("shown", "looked", "wanted")] == [3, 2, 1]
    # Only the list of hour 1 was asked for by a query.
    assert [second_day[f"query_{name}"] for name in TIMES_OF] == [1, 1, 0]
    # Two items, 3 lists with 1 click and 1 with none: m = 1/4, N = 4, K = 2.
    # S / (m (1 - m)) = (3 (1/3 - 1/4)^2 + 1/16) / (3/16) = (1/48 + 3/48) / (9/48) = 4/9
    # below K - 1 = 1, so the rates differ by chance alone: (1 + 2,500) / (2 + 10,000).
    assert second_day["item_click_rate"] == pytest.approx(2501 / 10_002)


def test_a_row_without_query_or_category_is_told_nothing_of_them(tmp_path: Path) -> None:
    shop = prepared_shop(tmp_path, random_events(0, impressions=True))
    told = asked(shop, 0, "i0", -1, 50)

    assert all(told[name] is None for name in SCHEMA if name.startswith(("query_", "category_")))
    assert told["item_shown"] is not None


def walked(shop: PreparedShop, entity: str) -> Iterator[tuple[int, str, int]]:
    """``key, behaviour, at`` of everything that counts."""
    assert shop.requests["fraud"].is_null().all()
    requests = shop.requests.rows(named=True)
    categories = sorted({name for name in shop.items["category"] if name is not None})
    of_item = [-1 if n is None else categories.index(n) for n in shop.items["category"]]
    place = ("user", "item", "category", "query").index(entity)

    def key_of(owner: int, item: int, query: int) -> int:
        return int((owner, item, -1 if item < 0 else of_item[item], query)[place])

    for row in shop.impressions.rows(named=True):
        request = requests[row["request"]]
        key = key_of(request["owner"], row["item"], request["query"])
        for name, time in TIMES_OF.items():
            if row[time] is not None and key >= 0:
                yield key, name, row[time]
    history = shop.history
    for owner in range(len(shop.owners)):
        for e in range(history.offset_U1[owner], history.offset_U1[owner + 1]):
            key = key_of(owner, history.item_E[e], history.query_E[e])
            for name, kinds in KINDS_OF.items():
                if KINDS[history.kind_E[e]] in kinds and key >= 0:
                    yield key, name, int(history.at_E[e])


def reference(shop: PreparedShop, entity: str, key: int, at: int) -> dict[str, float | None]:
    """An entity's figures, event by event."""
    first = shop.moments.first
    limit = at if entity == "user" else first + (at - first) // DAY * DAY
    told = dict.fromkeys(COUNTS, 0)
    trained: dict[int, dict[str, int]] = {}
    for other, name, moment in walked(shop, entity):
        told[name] += other == key and moment < limit
        if moment < shop.moments.validation:
            trained.setdefault(other, dict.fromkeys(COUNTS, 0))[name] += 1
    found: dict[str, float | None] = {f"{entity}_{name}": told[name] for name in COUNTS}
    for rate, (hit, tried) in RATES.items():
        hits = np.array([one[hit] for one in trained.values()], int)
        trials = np.array([sum(one[name] for name in tried) for one in trained.values()], int)
        mean, strength = fit_prior(hits, trials)
        n = sum(told[name] for name in tried)
        value = (told[hit] + strength * mean) / (n + strength)
        found[f"{entity}_{rate}"] = None if np.isnan(value) else value
    return {name: value if key >= 0 else None for name, value in found.items() if name in SCHEMA}


@settings(max_examples=8, deadline=None)
@given(RNG_SEEDS, st.booleans())
def test_against_a_walk(seed: int, impressions: bool) -> None:
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        write_table(
            Path(folder) / "shop",
            "catalogue",
            [
                {"item_id": f"i{n}", "title": "x", "category": ("a", "b", "")[n % 3]}
                for n in range(5)
            ],
        )
        shop = prepared_shop(Path(folder), random_events(seed, impressions=impressions))
        rows = pl.DataFrame(
            {
                "owner": rng.integers(0, len(shop.owners), 6),
                "item": rng.integers(0, 5, 6),
                "query": rng.integers(-1, len(shop.queries), 6),
                "at": shop.moments.first + rng.integers(0, 100, 6) * HOUR,
            }
        )
        found = point_in_time(shop, rows)

        assert found.schema == SCHEMA
        categories = sorted({name for name in shop.items["category"] if name})
        for row, told in zip(rows.rows(named=True), found.rows(named=True), strict=True):
            of_item = shop.items["category"][row["item"]]
            keys = {"user": row["owner"], "item": row["item"], "query": row["query"]}
            keys["category"] = categories.index(of_item) if of_item else -1
            for entity, key in keys.items():
                for name, value in reference(shop, entity, key, row["at"]).items():
                    assert told[name] == (None if value is None else pytest.approx(value, abs=1e-6))


@pytest.mark.parametrize("impressions", [True, False])
def test_the_written_table_is_that_of_the_impressions(tmp_path: Path, impressions: bool) -> None:
    shop = prepared_shop(tmp_path, random_events(3, impressions=impressions))
    moment = shop.requests.select("owner", "query", "at")[shop.impressions["request"]]
    rows = moment.with_columns(shop.impressions["item"])

    written = shop.features().collect()

    assert written.schema == SCHEMA
    assert written.equals(point_in_time(shop, rows), null_equal=True)
    assert (written.height > 0) == impressions
    # A log that does not say what was shown tells no click rate, but what was bought.
    priors = shop.manifest.facts["features"]["priors"]
    assert ("item_click_rate" in priors) == impressions
    assert "item_purchase_share" in priors


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    shop = prepared_shop(tmp_path, random_events(5, impressions=True))
    moment = shop.requests.select("owner", "query", "at")[shop.impressions["request"]]
    rows = moment.with_columns(shop.impressions["item"])
    order = np.random.default_rng(0).permutation(len(rows))

    assert point_in_time(shop, rows[order]).equals(point_in_time(shop, rows)[order])
    assert point_in_time(shop, rows.clear()).schema == SCHEMA


def test_what_comes_after_training_changes_no_prior(tmp_path: Path) -> None:
    rows = random_events(7, impressions=True)
    more = [shown("u1", 70 + n / 9, "i2", f"more{n}") for n in range(9)]
    more += [event("click", "u1", 75, "i2", request_id="more0"), event("purchase", "u0", 85, "i1")]

    one = prepared_shop(tmp_path / "one", rows)
    other = prepared_shop(tmp_path / "other", rows + more)

    priors = [shop.manifest.facts["features"]["priors"] for shop in (one, other)]
    assert priors[0] == priors[1]
    assert len(priors[0]) > 5


def test_nothing_of_a_flagged_owner_is_counted(tmp_path: Path) -> None:
    shop = prepared_shop(tmp_path, random_events(9, impressions=True), fraud={"enabled": False})
    flags = pl.DataFrame({"actor": ["owner"], "id": pl.Series([1], dtype=pl.UInt64)})
    reason = pl.when(pl.col("owner") == 1).then(pl.lit("a robot"))
    log = Log.of(replace(shop, requests=shop.requests.with_columns(reason.alias("fraud"))))
    log = log._replace(fraud=flags)
    last = shop.moments.end + 2 * DAY
    rows = pl.DataFrame(
        {"owner": [0, 1, 2, 3], "item": [0, 1, 2, 3], "query": [-1] * 4, "at": [last] * 4}
    )

    told, before = Standings.of_log(log).figures(rows), point_in_time(shop, rows)

    names = [f"user_{name}" for name in COUNTS]
    assert told.select(names).row(1) == (0,) * len(COUNTS)
    assert told.select(names)[[0, 2, 3]].equals(before.select(names)[[0, 2, 3]])
    assert told["item_looked"].sum() < before["item_looked"].sum()


def test_events_that_follow_a_request_of_a_flagged_visit_are_not_counted(tmp_path: Path) -> None:
    rows = [
        event("view", "u0", 0, "i0"),
        shown("u0", 1, "i0", "good"),
        event("view", "u0", 2, "i1"),
        shown("u0", 10, "i0", "bad"),
        event("view", "u0", 11, "i2"),
        shown("u0", 40, "i0", "good again"),
        event("view", "u0", 41, "i3"),
        event("view", "u0", 99, "i4"),
    ]
    # Else each view would make a request of its own.
    match = {"events": ["purchase"]}
    shop = prepared_shop(tmp_path, rows, fraud={"enabled": False}, match=match)
    reason = pl.when(pl.col("request_id") == "bad").then(pl.lit("a visit"))
    log = Log.of(replace(shop, requests=shop.requests.with_columns(reason.alias("fraud"))))
    row = {"owner": 0, "item": 0, "query": -1, "at": shop.moments.first + 95 * HOUR}

    told = Standings.of_log(log).figures(pl.DataFrame([row])).row(0, named=True)

    # Looked at hours 0, 2 and 41, but not 11; shown at hours 1 and 40.
    assert (told["user_looked"], told["user_shown"]) == (3, 2)


def test_where_the_split_is_not_by_time_only_training_is_counted(tmp_path: Path) -> None:
    options = {"split": {"kind": "leave_last_out"}, "match": {"target": "next"}}
    rows = [event("view", "u0", 0, "i0")]
    rows += [shown("u0", n, "i0", f"r{n}") for n in (1, 2, 3, 4)]
    rows += [event("click", "u0", n + 0.5, "i0", request_id=f"r{n}") for n in (1, 2, 3, 4)]
    rows += [event("view", "u1", 90, "i0")]
    write_table(tmp_path / "shop", "catalogue", [{"item_id": "i0", "title": "x"}])
    shop = prepared_shop(tmp_path, rows, fraud={"enabled": False}, **options)
    assert shop.requests["part"].to_list()[:4] == ["train", "train", "validation", "test"]

    u0 = shop.requests["owner"][0]
    told = asked(shop, u0, "i0", -1, 95)

    assert [told[f"item_{name}"] for name in TIMES_OF] == [2, 2, 0]


def test_a_shop_prepared_without_them_says_how_to_have_them(tmp_path: Path) -> None:
    rows = random_events(1, impressions=True)
    shop = prepared_shop(tmp_path, rows, features={"statistics": False})

    with pytest.raises(ArtifactError, match=r"features\.statistics = true"):
        shop.features()
