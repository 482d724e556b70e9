"""Rows, columns, labels, judgements, tasks, flags and parts, worked out by hand."""

from __future__ import annotations

import polars as pl
import pytest

from shelfwise.data.report.columns import table_fill
from shelfwise.data.report.flagged import FlaggedKind, FlagRule, flagged
from shelfwise.data.report.labels import judgements, labels
from shelfwise.data.report.parts import part_rows
from shelfwise.data.report.rows import rows
from shelfwise.data.report.tasks import tasks_of_events, tasks_of_tables
from shelfwise.data.report.weighing import weighing
from shelfwise.data.source import TableCounts
from shelfwise.schema.columns import CATALOGUE


def test_rows_add_up_and_reasons_have_examples() -> None:
    counts = [TableCounts("a.csv", 10, 7, 2, 1), TableCounts("b.csv", 5, 4, 1, 0)]
    rejects = pl.DataFrame(
        {
            "file": ["a.csv", "b.csv", "a.csv"],
            "row": [3, None, 5],
            "column": ["price", "price", "user_id"],
            "code": ["not-a-number", "not-a-number", "control-character"],
            "found": ["ch\x07eap", "x" * 200, "secret"],
            "rule": ["a price is a number", "a price is a number", "an id is plain"],
        }
    )

    found = rows(counts, rejects)

    assert (found.rows_in, found.kept, found.rejected, found.duplicates) == (15, 11, 3, 1)
    assert found.rows_in == found.kept + found.rejected + found.duplicates
    number, personal = found.reasons
    assert (number.code, number.column, number.rows) == ("not-a-number", "price", 2)
    assert [(one.file, one.row) for one in number.examples] == [("a.csv", 3), ("b.csv", None)]
    assert number.examples[0].found == "ch\\x07eap"
    assert number.examples[1].found == "x" * 119 + "…"
    assert "secret" not in personal.examples[0].found


def test_missing_values_by_hand() -> None:
    table = pl.DataFrame(
        {"colour": ["red", None], "title": ["a", None], "item_id": ["1", "2"], "brand": [None] * 2},
        schema_overrides={"brand": pl.String},
    ).with_columns(pl.lit(1).alias("row"), pl.lit("f").alias("file"))

    found = table_fill("catalogue", table.lazy(), CATALOGUE)

    assert [(c.name, c.rows, c.missing, c.known) for c in found.columns] == [
        ("item_id", 2, 0, True),
        ("title", 2, 1, True),
        ("brand", 2, 2, True),
        ("colour", 2, 1, False),
    ]
    assert [column.absent for column in found.columns] == [False, False, True, False]


def test_labels_by_hand() -> None:
    pairs = pl.DataFrame(
        {"text": ["ab", "ab", "ab", "abcd"], "label": ["x", "y", "x", "x"]},
    )

    found = labels(pairs)

    assert found is not None
    assert (found.rows, found.distinct_texts, found.class_count) == (4, 2, 2)
    assert found.classes == {"x": 3, "y": 1}
    assert (found.contradicted, found.examples) == (1, (("ab", ("x", "y")),))
    assert found.letters.mean == 2.5
    assert labels(pairs.clear()) is None


def test_judgements_by_hand() -> None:
    table = pl.DataFrame(
        {
            "query": ["mug", "mug", "cup"],
            "item_id": ["i1", None, "i1"],
            "title": [None, "Big mug", None],
            "grade": [2.0, 0.5, 2.0],
        }
    )

    found = judgements(table)

    assert found is not None
    assert (found.rows, found.queries, found.items, found.one_grade) == (3, 2, 2, 1)
    assert found.grades == {"0.5": 1, "2": 2}
    assert found.per_query.mean == 1.5
    assert judgements(table.clear()) is None


def test_tasks_need_their_events() -> None:
    kinds = {"impression": 500, "click": 90, "cart": 9, "purchase": 7, "view": 1}
    tasks = tasks_of_events(kinds, {"query": 300, "position": 500})

    assert [(task.examples, task.thin) for task in tasks] == [
        (107, False),  # 1 + 90 + 9 + 7
        (99, True),  # 90 + 9
        (7, True),
        (300, False),
        (0, False),  # no propensity
        (500, False),
        (0, False),  # no return
    ]
    unseen = tasks_of_events({"click": 90, "purchase": 7}, {"propensity": 3, "position": 3})
    assert [task.examples for task in unseen] == [97, 0, 0, 0, 0, 0, 0]


def test_one_campaign_is_enough_and_one_label_is_not() -> None:
    ads, graded, classes = tasks_of_tables(campaigns=1, pairs=1, judged=0)

    assert (ads.examples, ads.thin) == (1, False)
    assert (graded.examples, graded.thin) == (0, False)
    assert (classes.examples, classes.thin) == (1, True)


def test_flags_by_hand() -> None:
    flags = pl.DataFrame(
        {
            "actor": ["owner", "owner", "ip"],
            "score": [0.9, 0.95, 0.8],
            "reason": ["too fast", "too fast; all night", None],
            "rules": [["fast"], ["fast", "night"], ["fast"]],
            "rows": [40, 60, 9],
        }
    )
    requests = pl.DataFrame(
        {"part": ["train", "train", "test"], "fraud": ["owner: too fast", None, "ip: too fast"]}
    )

    found = flagged(flags, requests)

    assert found.kinds == (FlaggedKind("owner", 2, 100), FlaggedKind("ip", 1, 9))
    assert found.rules == (
        FlagRule("owner", "fast", 2, 100),
        FlagRule("owner", "night", 1, 60),
        FlagRule("ip", "fast", 1, 9),
    )
    assert [(one.score, one.rows, one.reason) for one in found.examples] == [
        (0.95, 60, "too fast; all night"),
        (0.9, 40, "too fast"),
        (0.8, 9, ""),
    ]
    assert (found.requests.hits, found.requests.of) == (1, 2)  # of training alone


REQUESTS = pl.DataFrame(
    {
        "part": ["train", "test", "train"],
        "at": [0, 120_000_000, 60_000_000],
        "owner": [1, 1, 1],
        "surface": ["search"] * 3,
    }
)


def test_parts_by_hand() -> None:
    impressions = pl.DataFrame(
        {
            "request": [0, 0, 1],
            "clicked_at": [1, None, None],
            "purchased_at": [2, None, None],
        },
        schema_overrides={"purchased_at": pl.Int64},
    )
    positives = pl.DataFrame({"request": [2, 2, 1]})

    train, test = part_rows(REQUESTS, impressions, positives)

    assert (train.part, train.first, train.last) == (
        "train",
        "1970-01-01 00:00",
        "1970-01-01 00:01",
    )
    assert (train.requests, train.owners, train.impressions) == (2, 1, 2)
    assert (train.clicked, train.purchased, train.positives) == (1, 1, 2)
    assert (test.part, test.impressions, test.clicked, test.positives) == ("test", 1, 0, 1)


def test_weighing_looks_at_training_alone() -> None:
    # Training rows: two of item 7 with weight 1/2 each and one of item 8 with weight 2. The head
    # is one of the two items: 2/3 of the rows and 1/3 of the weight.
    positives = pl.DataFrame(
        {"request": [0, 2, 0, 1], "item": [7, 7, 8, 9], "weight": [0.5, 0.5, 2.0, 9.0]}
    )

    shares = {(one.of, one.group): one for one in weighing(REQUESTS, positives)}

    head, tail = shares["item", "head"], shares["item", "tail"]
    assert (head.size, head.rows) == (1, 2)
    assert (head.before, head.after) == pytest.approx((2 / 3, 1 / 3))
    assert (tail.before, tail.after) == pytest.approx((1 / 3, 2 / 3))
    assert weighing(REQUESTS, positives.drop("weight")) == ()
