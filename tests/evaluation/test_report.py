from __future__ import annotations

import json
from math import inf, nan

import numpy as np
import pytest

from shelfwise.evaluation.report import DataSummary, Difference, Report, Row

DATA = DataSummary("shop", True, "f", {"items": 3}, [], {})


def row(metric: str, view: str = "main", system: str = "shelfwise", value: float = 0.5) -> Row:
    return Row(system, view, "match", metric, value, 0.4, 0.6, 10)


def test_json_has_null_for_what_cannot_be_computed() -> None:
    report = Report(
        "protocol",
        DATA,
        ["match"],
        [Row("shelfwise", "main", "match", "ndcg@10", nan, nan, inf, 0)],
        [Difference("a", "b", "main", "ndcg@10", float(np.float64(0.1)), nan, nan)],
        curve={"checks": [{"figures": {"auc": nan}}]},
    )

    text = json.dumps(report.as_json(), allow_nan=False)

    found = json.loads(text)
    assert found["benchmark"] == "evaluate"
    assert found["rows"][0]["value"] is None
    assert found["rows"][0]["high"] is None
    assert found["differences"][0]["value"] == 0.1
    assert found["curve"] == {"checks": [{"figures": {"auc": None}}]}
    assert found["data"]["counts"] == {"items": 3}


def test_a_row_is_looked_up_in_the_headline_or_where_asked() -> None:
    rows = [row("ndcg@10", "all", value=0.1), row("ndcg@10", "new", value=0.2), row("auc")]
    report = Report("p", DATA, [], [*rows, row("auc", system="rival")], [], headline="new")

    assert report.row("ndcg@10") == rows[1]
    assert report.row("ndcg@10", view="all") == rows[0]
    assert report.row("auc") == rows[2]
    assert report.row("auc", system="rival") is not None
    assert report.row("auc", view="new") is None
    assert report.row("recall@10") is None


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.2, "a is better"),
        (-0.2, -0.01, "b is better"),
        (-0.1, 0.1, "no difference can be told"),
        (0, 0.1, "no difference can be told"),
        (nan, nan, "cannot be told"),
    ],
)
def test_a_verdict_follows_the_interval(low: float, high: float, verdict: str) -> None:
    assert Difference("a", "b", "main", "auc", 0.05, low, high).verdict == verdict


def test_the_classification_report_as_text() -> None:
    def figure(view: str, metric: str, value: float) -> Row:
        return Row("shelfwise", view, "classification", metric, value, 0, 1, 1_200)

    rows = [
        figure(view, metric, value)
        for view, values in (("no", (0.5, 1, 0.667)), ("macro", (0.25, 0.5, 0.333)))
        for metric, value in zip(("precision", "recall", "f1"), values, strict=True)
    ]
    report = Report("p", DATA, [], [*rows, figure("main", "accuracy", 0.9)], [])

    # Columns of ten; the first is as wide as its longest name and two.
    assert report.classification_text().splitlines() == [
        "        precision    recall        f1   support",
        "no          0.500     1.000     0.667     1,200",
        "macro       0.250     0.500     0.333     1,200",
    ]
    assert Report("p", DATA, [], [row("auc")], []).classification_text() == ""
