"""The whole report: its parts agree with each other and with the tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from data.small_log import event, moment, random_events, write_table
from shelfwise.data.config import DataOptions
from shelfwise.data.report.of_shop import report_of_shop
from shelfwise.data.report.report import data_report, report_tables
from shelfwise.data.report.thin_log import KINDS
from shelfwise.data.source import read_shop

from .events import did
from .small_report import BARE, log_table, small_report, small_tables

EVENT = st.builds(
    lambda kind, user, hours, item: did(kind, f"u{user}", hours, item and f"i{item}"),
    st.sampled_from(KINDS),
    st.integers(0, 3),
    st.none() | st.floats(0, 300),
    st.none() | st.integers(1, 4),
)


@settings(deadline=None, max_examples=30)
@given(st.lists(EVENT, min_size=1, max_size=40))
def test_totals_equal_the_rows_of_the_table(log: list[dict[str, object]]) -> None:
    behaviour = data_report(replace(BARE, events=log_table(log)), DataOptions()).behaviour

    assert behaviour is not None
    assert sum(kind.rows for kind in behaviour.kinds) == len(log)
    for kind in behaviour.kinds:
        assert sum(kind.by_surface.values()) == kind.rows
    timed = [row for row in log if row["timestamp"] is not None]
    if timed:
        assert behaviour.days is not None
        assert sum(map(sum, behaviour.days.rows.values())) == len(timed)
        assert sum(behaviour.days.hours) == len(timed)
    acts = [row for row in log if row["event"] != "impression"]
    assert behaviour.owners.rows == len(acts or log)
    if behaviour.visits is not None:
        shoppers = {row["user_id"] for row in acts if row["timestamp"] is not None}
        assert behaviour.visits.history.count == len(shoppers)
        assert sum(behaviour.visits.history_lengths.values()) == len(shoppers)
    for step in behaviour.funnel:
        if step.went_on is not None:
            assert step.went_on.hits + step.without_before == step.pairs


@settings(deadline=None, max_examples=10)
@given(st.permutations(random_events(0, impressions=True)))
def test_the_order_of_rows_changes_nothing(rows: list[dict[str, object]]) -> None:
    def of(log: list[dict[str, object]]) -> object:
        timed = [{**row, "timestamp": datetime.fromisoformat(str(row["timestamp"]))} for row in log]
        return data_report(replace(BARE, events=log_table(timed)), DataOptions()).behaviour

    assert of(rows) == of(random_events(0, impressions=True))


def test_items_against_the_log() -> None:
    report = data_report(small_tables(), DataOptions())

    assert report.catalogue is not None
    assert (report.catalogue.items, report.catalogue.never) == (3, 1)
    assert report.catalogue.near_duplicates is not None
    assert report.catalogue.near_duplicates.groups == 1


def test_what_is_not_there_has_no_section() -> None:
    report = data_report(BARE, DataOptions())

    assert report.behaviour is None
    assert report.catalogue is None
    assert report.labels is None
    assert report.judgements is None
    assert report.fills == ()
    assert all(task.examples == 0 for task in report.tasks)


def test_the_windows_of_the_shop_are_used() -> None:
    options = DataOptions.model_validate(
        {"sessions": {"gap_minutes": 7}, "attribution": {"purchase_window_days": 2}}
    )

    behaviour = data_report(small_tables(), options).behaviour

    assert behaviour is not None
    assert behaviour.visits is not None
    assert behaviour.visits.gap_minutes == 7
    assert behaviour.delays is not None
    assert behaviour.delays.window_days == 2


def test_an_empty_log_is_none() -> None:
    assert data_report(replace(BARE, events=log_table([])), DataOptions()).behaviour is None


def test_judgements_and_pairs_alone_are_reported() -> None:
    whole = small_tables()
    alone = replace(BARE, judgements=whole.judgements, pairs=whole.pairs)

    report = data_report(alone, DataOptions())

    assert report.judgements is not None
    assert report.labels is not None
    assert {task.name for task in report.tasks if task.examples} == {
        "How well items answer queries, as people judged it",
        "Which class a text belongs to",
    }


def test_the_whole_report_has_everything() -> None:
    report = small_report()

    assert report.behaviour is not None
    assert report.behaviour.days is not None
    assert report.prepared is not None


def shop_report(folder: Path, **split: object) -> tuple[object, object]:
    options = DataOptions.model_validate({"split": split})
    report = report_of_shop(folder, read_shop(folder, options), options)
    return report.prepared, report.unprepared


def test_a_shop_is_prepared_for_its_report_and_leaves_nothing(tmp_path: Path) -> None:
    rows = [
        event("impression", "u1", 1, "a", request_id="r", surface="search"),
        event("click", "u1", 2, "a", request_id="r"),
        event("purchase", "u1", 3, "a"),
        event("click", "u1", 70, "b"),
        event("click", "u2", 99, "a"),
    ]
    write_table(tmp_path / "shop", "events", rows)
    options = DataOptions.model_validate(
        {"split": {"validation_start": moment(60), "test_start": moment(80)}}
    )

    report = report_of_shop(tmp_path / "shop", read_shop(tmp_path / "shop", options), options)

    assert report.prepared is not None
    assert report.unprepared == ""
    (search,) = [one for one in report.prepared.surfaces if one.surface == "search"]
    assert (search.shown, search.clicked.hits, search.purchased.hits) == (1, 1, 1)
    assert [part.part for part in report.prepared.parts] == ["train", "validation", "test"]
    assert [one.name for one in tmp_path.iterdir()] == ["shop"]


def test_a_shop_that_cannot_be_prepared_says_why(tmp_path: Path) -> None:
    write_table(tmp_path / "shop", "events", [event("click", "u1", 1, "a")])

    prepared, why = shop_report(tmp_path / "shop")

    assert prepared is None
    assert "part empty" in str(why)


def test_the_tables_of_a_shop_are_handed_on(tmp_path: Path) -> None:
    write_table(tmp_path / "shop", "events", [event("click", "u1", 1, "a")] * 2)
    write_table(tmp_path / "shop", "catalogue", [{"item_id": "a"}])
    tables = report_tables(read_shop(tmp_path / "shop", DataOptions()))

    assert tables.events is not None
    assert tables.catalogue is not None
    assert [(c.rows_in, c.kept, c.duplicates) for c in tables.counts] == [(1, 1, 0), (2, 1, 1)]
