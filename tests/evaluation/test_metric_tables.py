"""Rows become tables: one per task and view, systems by metrics, classes on their own."""

from __future__ import annotations

from dataclasses import replace
from math import nan

from shelfwise.evaluation.metric_tables import (
    Cell,
    class_tables,
    difference_support,
    headline_rows,
    metric_tables,
)
from shelfwise.evaluation.report import DataSummary, Difference, Report, Row

NO_DATA = DataSummary("shop", False, "f", {}, [], {})


def report(rows: list[Row], differences: list[Difference] | None = None) -> Report:
    return Report("protocol", NO_DATA, ["match"], rows, differences or [])


def match(system: str, metric: str, value: float, view: str = "main", support: int = 9) -> Row:
    return Row(system, view, "match", metric, value, value - 0.1, value + 0.1, support)


def of_class(name: str, metric: str, value: float, support: int = 30) -> Row:
    return Row("shelfwise", name, "classification", metric, value, nan, nan, support)


def test_one_table_per_task_and_view_with_gaps_where_nothing_was_computed() -> None:
    tables = metric_tables(
        [
            match("shelfwise", "ndcg@10", 0.5),
            match("shelfwise", "mrr", 0.4),
            match("popularity", "ndcg@10", 0.3),
            match("shelfwise", "ndcg@10", 0.6, view="new"),
        ]
    )
    assert [(table.task, table.view) for table in tables] == [("match", ""), ("match", "new")]
    assert tables[0].metrics == ["ndcg@10", "mrr"]
    assert tables[0].systems == {
        "shelfwise": [Cell("0.500", "[0.400, 0.600]", ""), Cell("0.400", "[0.300, 0.500]", "")],
        "popularity": [Cell("0.300", "[0.200, 0.400]", ""), None],
    }


def test_a_cell_names_its_support_only_where_it_differs_from_the_usual() -> None:
    rows = [match(system, "mrr", 0.5) for system in ("a", "b")]
    (alike,) = metric_tables(rows)
    (mixed,) = metric_tables([*rows, Row("c", "main", "match", "mrr", nan, nan, nan, 0)])
    assert (alike.support, alike.mixed) == ("9 users", False)
    assert (mixed.support, mixed.mixed) == ("9 users", True)
    assert mixed.systems["c"] == [Cell("-", "", "0 users")]


def test_classes_have_a_table_of_their_own_with_averages_and_accuracy_apart() -> None:
    rows = [
        of_class("garden", "precision", nan, support=0),  # never predicted
        of_class("garden", "recall", 0.0),
        of_class("macro", "precision", 0.7),
        of_class("macro", "recall", 0.5),
        of_class("main", "accuracy", 0.9),
    ]
    (table,) = class_tables(rows)
    assert table.metrics == ["precision", "recall"]
    assert [line.name for line in table.classes] == ["garden"]
    assert table.classes[0].cells == [Cell("-", "", ""), Cell("0.000", "", "")]
    assert table.classes[0].support == 30
    assert [line.name for line in table.averages] == ["macro"]
    assert table.accuracy is not None
    assert [cell and cell.value for cell in table.accuracy.cells] == ["0.900"]
    # Accuracy is compared between systems, so it also stands among the metrics.
    (metrics,) = metric_tables(rows)
    assert metrics.metrics == ["accuracy"]


def test_the_headline_is_the_compared_metric_in_the_headline_view() -> None:
    rows = [
        match(system, metric, 0.5, view=view)
        for system in ("shelfwise", "popularity")
        for view in ("all", "new")
        for metric in ("mrr", "ndcg@10")
    ]
    compared = Difference("shelfwise", "popularity", "new", "ndcg@10", 0.1, 0.0, 0.2)
    found = headline_rows(replace(report(rows, [compared]), headline="new"))
    assert [[(row.system, row.view, row.metric) for row in rows] for rows in found] == [
        [("shelfwise", "new", "ndcg@10"), ("popularity", "new", "ndcg@10")]
    ]


def test_one_system_alone_is_no_comparison() -> None:
    alone = [match("shelfwise", "mrr", 0.5), match("popularity", "mrr", nan, support=0)]
    assert headline_rows(report(alone)) == []


def test_a_metric_that_two_tasks_share_lends_a_difference_no_support() -> None:
    rows = [match("shelfwise", "auc", 0.5)]
    assert difference_support(report(rows), "auc", "shelfwise", "main") == "9 users"
    both = [*rows, replace(rows[0], task="click", support=7)]
    assert difference_support(report(both), "auc", "shelfwise", "main") == ""
