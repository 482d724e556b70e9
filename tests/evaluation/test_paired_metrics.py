from __future__ import annotations

from math import log, log2, nan

import numpy as np
import polars as pl
import pytest

from shelfwise.evaluation.paired_metrics import MeanMetric, Metric, RowMetric, metrics_of
from shelfwise.evaluation.stored_answers import ShopAnswers, TextAnswers
from shelfwise.metrics.grouped_auc import grouped_auc


def shop(first: list[int], p_click: list[float] | None = None) -> ShopAnswers:
    """Two owners; ann is asked for twice. Each target has one right item, at place ``first``."""
    shown = 6 if p_click is not None else 0
    return ShopAnswers(
        items=20,
        views=("main", "cold"),
        targets=pl.DataFrame({"owner": ["bob", "ann", "ann"], "at": [1, 2, 3]}),
        ranks=pl.DataFrame(
            {
                "view": ["main", "main", "main", "cold", "cold"],
                "target": [0, 1, 2, 0, 2],
                "item": [7, 3, 9, 7, 9],
                "first": [*first, 2, 101],
                "last": [*first, 2, 101],
            }
        ),
        impressions=pl.DataFrame(
            {
                "request_id": ["r1", "r1", "r2", "r2", "r2", "r3"][:shown],
                "item_id": ["i"] * shown,
                "position": [1] * shown,
                "owner": ["ann", "ann", "bob", "bob", "bob", "ann"][:shown],
                "p_click": p_click or [],
                "p_convert": [0.5] * shown,
                "clicked": [True, False, True, False, False, True][:shown],
                "purchased": [True, False, False, False, False, False][:shown],
                "known": [True, True, True, True, True, False][:shown],
            },
            schema_overrides={"p_click": pl.Float64, "p_convert": pl.Float64},
        ),
    )


P = [0.8, 0.2, 0.5, 0.5, 0.1, 0.6]


def named(metrics: list[Metric], task: str, metric: str, view: str = "main") -> Metric:
    found = [
        one
        for one in metrics
        if (one.place.task, one.place.metric, one.place.view) == (task, metric, view)
    ]
    assert len(found) == 1
    return found[0]


def test_a_users_figure_is_the_mean_over_its_requests() -> None:
    # ann (first by name) at places 3 and 20: ndcg@10 (1/log2(4) + 0)/2 = .25; bob at place 1: 1.
    # The other seed puts everything first.
    metrics = metrics_of([shop([1, 3, 20]), shop([1, 1, 1])], k=10)

    ndcg = named(metrics, "match", "ndcg@10")
    assert isinstance(ndcg, MeanMetric)
    assert ndcg.value_SU.tolist() == [[pytest.approx(0.5 / log2(4)), 1], [1, 1]]
    mrr = named(metrics, "match", "mrr")
    assert isinstance(mrr, MeanMetric)
    assert mrr.value_SU[0].tolist() == pytest.approx([(1 / 3 + 1 / 20) / 2, 1])
    names = [one.place.metric for one in metrics if one.place.view == "main"]
    assert names == ["ndcg@10", "recall@10", "hr@10", "map@10", "mrr"]


def test_cold_items_are_units_of_their_own() -> None:
    # Item 7 stands at place 2, item 9 at place 101, beyond the 100 that count.
    cold = named(metrics_of([shop([1, 1, 1])], k=10), "match", "recall@100", "cold")

    assert isinstance(cold, MeanMetric)
    assert cold.value_SU.tolist() == [[1, 0]]
    assert cold.weight_U.tolist() == [1, 1]
    assert cold.place.unit == "items"


def test_impressions_by_hand() -> None:
    metrics = metrics_of([shop([1, 1, 1], P)], k=10)

    auc = named(metrics, "click", "auc")
    assert isinstance(auc, RowMetric)
    # Clicked .8 .5 .6 against .2 .5 .1: 9 pairs, the tie of .5 counts a half.
    assert auc.prepared(auc.p_SN[0], auc.label_N)(np.ones(6)) == pytest.approx(8.5 / 9)
    loss = named(metrics, "click", "log_loss")
    assert isinstance(loss, MeanMetric)
    ann = -(log(0.8) + log(0.8) + log(0.6)) / 3
    bob = -(log(0.5) + log(0.5) + log(0.9)) / 3
    assert loss.value_SU[0].tolist() == pytest.approx([ann, bob])
    assert loss.weight_U.tolist() == [3, 3]
    pcoc = named(metrics, "click", "pcoc")
    assert isinstance(pcoc, RowMetric)
    ratio = pcoc.prepared(pcoc.p_SN[0], pcoc.label_N)(np.ones(6))
    assert ratio == pytest.approx(2.7 / 3)
    assert pcoc.loss is not None
    assert pcoc.loss(ratio) == pytest.approx(-log(0.9))
    assert np.isnan(pcoc.loss(0.0))


def test_purchases_are_judged_where_they_are_known() -> None:
    metrics = metrics_of([shop([1, 1, 1], P)], k=10)

    conversion = named(metrics, "conversion", "cvr_auc")
    assert isinstance(conversion, RowMetric)
    assert conversion.label_N.tolist() == [True, False]  # r3 is not known yet
    both = named(metrics, "click and purchase", "ctcvr_auc")
    assert isinstance(both, RowMetric)
    assert both.p_SN[0] == pytest.approx(np.array(P[:5]) / 2)


def test_gauc_is_that_of_the_metric_however_requests_are_put_together() -> None:
    # r1: 1, two rows; r2: .75, three rows; r3 has one row and no AUC. (2 + 2.25) / 5 = .85
    gauc = named(metrics_of([shop([1, 1, 1], P)], k=10), "click", "gauc")

    assert isinstance(gauc, MeanMetric)
    value = float(np.average(gauc.value_SU[0], weights=gauc.weight_U))
    assert value == pytest.approx(0.85)
    request_N = np.array([1, 1, 2, 2, 2, 3])
    clicked_N = np.array([1, 0, 1, 0, 0, 1], dtype=bool)
    assert value == pytest.approx(grouped_auc(np.array(P), clicked_N, request_N).value)


def test_a_system_without_probabilities_has_no_figures_of_them() -> None:
    assert {one.place.task for one in metrics_of([shop([1, 1, 1])], k=10)} == {"match"}
    # Purchases are foretold, clicks are not: neither clicks nor the product have figures.
    without_clicks = metrics_of([shop([1, 1, 1], [nan] * 6)], k=10)
    assert {one.place.task for one in without_clicks} == {"match", "conversion"}


def test_texts_by_hand() -> None:
    rows = pl.DataFrame(
        {"label": [0, 1, 1], "predicted": [0, 1, 0], "p": [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]}
    )
    metrics = metrics_of([TextAnswers(("no", "yes"), rows)], k=10)

    accuracy = named(metrics, "classification", "accuracy")
    loss = named(metrics, "classification", "log_loss")
    area = named(metrics, "classification", "auc")
    assert isinstance(accuracy, MeanMetric)
    assert isinstance(loss, MeanMetric)
    assert isinstance(area, RowMetric)
    assert accuracy.value_SU.tolist() == [[1, 1, 0]]
    assert loss.value_SU[0].tolist() == pytest.approx([-log(0.9), -log(0.8), -log(0.3)])
    assert area.prepared(area.p_SN[0], area.label_N)(np.ones(3)) == 1
    assert accuracy.place.unit == "texts"


@pytest.mark.parametrize("metric", ["auc", "ece", "pcoc"])
def test_the_quick_way_to_a_swap_is_the_long_one(metric: str) -> None:
    # The long one: exchange the rows, measure both anew, by the loss where the figure has no order.
    random = np.random.default_rng(0)
    found = named(metrics_of([shop([1, 1, 1], P)], k=10), "click", metric)
    assert isinstance(found, RowMetric)
    assert found.swapped is not None
    label_N = random.random(300) < 0.3
    a_N, b_N = random.random((2, 300)).round(2)
    gap, loss = found.swapped(a_N, b_N, label_N), found.loss or (lambda value: value)
    for share in (0, 0.3, 1):
        swapped_N = random.random(300) < share
        first, second = (
            loss(found.prepared(np.where(swapped_N, x, y), label_N)(np.ones(300)))
            for x, y in ((b_N, a_N), (a_N, b_N))
        )

        assert gap(swapped_N) == pytest.approx(first - second, abs=1e-12)
