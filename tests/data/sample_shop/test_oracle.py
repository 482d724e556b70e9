from __future__ import annotations

import json
from math import log, log2

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss, ndcg_score, roc_auc_score

from shelfwise.data.sample_shop.oracle import list_figures, probability_figures
from shelfwise.metrics.calibration_error import calibration_error

from .conftest import WrittenShop


def test_figures_by_hand() -> None:
    # Pairs (.8, .5), (.8, .2), (.2, .5), (.2, .2): won, won, lost, tied: 2.5 of 4.
    figures = probability_figures(
        np.array([0.8, 0.2, 0.5, 0.2]), np.array([True, True, False, False])
    )

    assert figures["auc"] == pytest.approx(2.5 / 4)
    assert figures["log_loss"] == pytest.approx(-(log(0.8) + log(0.2) + log(0.5) + log(0.8)) / 4)
    assert figures["pcoc"] == pytest.approx(1.7 / 2)
    assert figures["base_rate"] == 0.5
    # Four rows fill four of twenty bins: gaps .2, .8, .5, .2.
    assert figures["ece"] == pytest.approx((0.2 + 0.8 + 0.5 + 0.2) / 4)


def test_what_cannot_be_computed_is_none() -> None:
    figures = probability_figures(np.array([0.1, 0.2]), np.array([False, False]))

    assert figures["auc"] is None
    assert figures["pcoc"] is None
    assert probability_figures(np.zeros(0), np.zeros(0, bool)) == {"rows": 0, "positives": 0}


def test_figures_agree_with_other_implementations() -> None:
    rng = np.random.default_rng(0)
    p = np.round(rng.beta(1, 6, 4_000), 3)  # with ties
    happened = rng.random(4_000) < p

    figures = probability_figures(p, happened)

    assert figures["auc"] == pytest.approx(roc_auc_score(happened, p))
    assert figures["log_loss"] == pytest.approx(log_loss(happened, p.clip(1e-12)))
    distinct = rng.beta(1, 6, 4_000)
    assert probability_figures(distinct, happened)["ece"] == pytest.approx(
        calibration_error(distinct, happened).value
    )


def test_lists_by_hand() -> None:
    shown = pl.DataFrame(
        {
            "request_id": [1, 1, 1, 2, 2, 3, 3],
            "clicked": [True, False, False, False, False, True, True],
            "p_click": [0.4, 0.5, 0.1, 0.2, 0.3, 0.2, 0.1],
            "relevance": [0.4, 0.5, 0.1, 0.2, 0.3, 0.2, 0.1],
        }
    )

    figures = list_figures(shown)

    # Request 1: .4 beats .1 and not .5; request 2 has no click, request 3 nothing else.
    assert figures["gauc"] == pytest.approx(0.5)
    assert figures["gauc_requests"] == 1
    # Request 1 has its click in second place: 1 / log2 3; request 3 is in the best order.
    assert figures["ndcg@10"] == pytest.approx((1 / log2(3) + 1) / 2)
    assert figures["ndcg@10_requests"] == 2


def test_the_oracle_of_a_written_shop(shop: WrittenShop) -> None:
    said = json.loads((shop.folder / "truth" / "metrics.json").read_text())
    click = said["impressions_of"]["all"]["click"]
    impressions = shop.of_kind("impression").with_columns(shop.truth["p_click", "relevance"])
    judged = impressions.filter(
        pl.col("timestamp") >= pl.lit(said["judged_from"]).str.to_datetime(time_zone="UTC")
    )
    place = ["request_id", "item_id"]
    clicked = shop.of_kind("click").select(*place, pl.lit(value=True).alias("clicked"))
    judged = judged.join(clicked, on=place, how="left").with_columns(
        pl.col("clicked").fill_null(value=False)
    )

    assert click["rows"] == len(judged)
    assert click["positives"] == judged["clicked"].sum()
    p, happened = judged["p_click"].to_numpy(), judged["clicked"].to_numpy()
    assert click["auc"] == pytest.approx(roc_auc_score(happened, p))
    assert click["log_loss"] == pytest.approx(log_loss(happened, p))
    scores = [
        ndcg_score([rows["clicked"].to_list()], [rows["relevance"].to_list()], k=10)
        for rows in judged.partition_by("request_id")
        if rows["clicked"].any()
    ]
    assert click["ndcg@10"] == pytest.approx(np.mean(scores))
    # Clicks are independent draws: four standard deviations of their number.
    assert abs(p.sum() - happened.sum()) < 4 * np.sqrt((p * (1 - p)).sum())
    assert click["pcoc"] == pytest.approx(p.sum() / happened.sum())
    both = said["impressions_of"]["all"]["click and purchase"]
    assert both["rows"] < click["rows"]
    assert both["pcoc"] == pytest.approx(1, abs=4 / np.sqrt(both["positives"]))
