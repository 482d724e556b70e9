from __future__ import annotations

from math import nan

from shelfwise.evaluation.best_baseline import best_baseline_notes, strongest
from shelfwise.evaluation.report import Row


def row(system: str, task: str, metric: str, value: float, view: str = "main") -> Row:
    return Row(system, view, task, metric, value, value, value, 10)


ROWS = [
    row("shelfwise", "match", "ndcg@10", 0.3, "new"),
    row("popularity", "match", "ndcg@10", 0.1, "new"),
    row("EASE", "match", "ndcg@10", 0.25, "new"),
    row("popularity", "match", "ndcg@10", 0.9, "all"),
    row("popularity", "match", "recall@10", 0.8, "new"),
    row("shelfwise", "click", "auc", 0.7),
    row("shelfwise/no-position", "click", "auc", 0.95),
    row("oracle", "click", "auc", 0.9),
    row("gradient boosting", "click", "auc", 0.75),
    row("item and position rates", "click", "auc", nan),
    row("gradient boosting", "conversion", "log_loss", 0.2),
]


def test_the_strongest_is_no_model_of_ours_and_no_oracle() -> None:
    best = strongest(ROWS, "click", "auc")

    assert best is not None
    assert best.system == "gradient boosting"


def test_one_sentence_a_task_that_has_a_figure() -> None:
    assert best_baseline_notes(ROWS, "new", "ndcg@10") == [
        "The strongest baseline in view new is EASE, ndcg@10 0.250; shelfwise 0.300.",
        "The strongest baseline of click is gradient boosting, auc 0.750; shelfwise 0.700.",
    ]


def test_what_we_do_not_forecast_is_not_set_beside_it() -> None:
    rows = [row("gradient boosting", "conversion", "cvr_auc", 0.6)]

    assert best_baseline_notes(rows, "main", "ndcg@10") == [
        "The strongest baseline of conversion is gradient boosting, cvr_auc 0.600."
    ]
