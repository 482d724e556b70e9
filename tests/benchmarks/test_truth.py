"""Figures against a known truth, by hand; and the small sample shop's truth found row by row."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.truth_contest import judged, true_rows
from benchmarks.truth_figures import (
    Known,
    auc_of_oracle,
    bias,
    from_clicks,
    less_biased,
    quintile_rows,
    task_rows,
    tasks_of,
)
from benchmarks.truth_mechanisms import delay_figures, fraud_figures, position_figures

from shelfwise.data.batches import examples_of
from shelfwise.data.prepared import PreparedShop
from shelfwise.schema.errors import DataError

RNG = np.random.default_rng(0)
CLICK = RNG.uniform(0.05, 0.6, 4_000)
CONVERT = RNG.uniform(0.1, 0.3, 4_000)
CLICKED = RNG.random(4_000) < CLICK
KNOWN = Known(
    owner_N=np.arange(4_000) % 300,
    clicked_N=CLICKED,
    purchased_N=CLICKED & (RNG.random(4_000) < CONVERT),
    settled_N=np.arange(4_000) < 3_000,
    click_N=CLICK,
    convert_N=CONVERT,
)
ALL = np.ones(4_000, bool)


def test_the_oracle_knows_all_and_a_constant_nothing() -> None:
    assert auc_of_oracle([CLICK], KNOWN).value == pytest.approx(1)
    assert auc_of_oracle([np.full(4_000, 0.3)], KNOWN).value == pytest.approx(0)
    # Over two seeds the mean.
    assert auc_of_oracle([CLICK, np.full(4_000, 0.3)], KNOWN).value == pytest.approx(0.5)


def test_bias_is_mean_predicted_over_mean_true() -> None:
    half = np.arange(4_000) < 2_000
    predicted = np.where(half, 3 * CONVERT, CONVERT)

    assert bias([predicted], KNOWN, half).value == pytest.approx(3)
    assert bias([predicted, CONVERT], KNOWN, half).value == pytest.approx((3 + 1) / 2)
    assert bias([CONVERT], KNOWN, ALL)[:3] == pytest.approx((1, 1, 1))


def test_what_clicks_can_teach_at_best() -> None:
    # The model tells nothing apart; half of the rows are clicked and bought three times as often.
    good = np.arange(4_000) % 2 == 0
    drawn = replace(KNOWN, click_N=np.where(good, 0.6, 0.2), convert_N=np.where(good, 0.3, 0.1))
    alike = np.zeros(4_000)

    found = from_clicks((alike, alike), drawn)

    # Equal scores stand in order of rows, so every cell holds as many of either kind:
    # (.6 * .3 + .2 * .1) / (.6 + .2) = .25, where the mean over all rows is .2.
    assert found == pytest.approx(0.25)


def test_less_biased_counts_the_distance_from_one_on_either_side() -> None:
    # 1.5 is off by .5, a half by .5, three by 2.
    gap = less_biased([1.5 * CONVERT], [3 * CONVERT], KNOWN, ALL)
    assert gap[:3] == pytest.approx((1.5, 1.5, 1.5))
    assert less_biased([1.5 * CONVERT], [CONVERT / 2], KNOWN, ALL).value == pytest.approx(0)


def test_every_fifth_of_the_scores() -> None:
    task = tasks_of(KNOWN)[0]

    rows = quintile_rows("ours", task, [2 * CLICK], KNOWN)

    true = [row for row in rows if row["metric"] == "to_truth"]
    assert [row["value"] for row in true] == pytest.approx([2] * 5)
    assert [row["view"] for row in true] == [f"fifth {n}" for n in range(1, 6)]
    assert sum(row["support"] for row in true) == CLICKED.sum()
    by_score = np.sort(CLICK)[:800]
    observed = CLICKED[np.argsort(CLICK)][:800]
    first = next(row for row in rows if row["metric"] == "pcoc")
    assert first["value"] == pytest.approx(2 * by_score.sum() / observed.sum())


def test_tasks_are_judged_on_their_own_rows() -> None:
    click, convert, both = tasks_of(KNOWN)

    assert (click.kept_N.sum(), both.kept_N.sum()) == (4_000, 3_000)
    assert (convert.kept_N == (CLICKED & KNOWN.settled_N)).all()
    (pcoc,) = (r for r in task_rows("o", both, [CLICK * CONVERT], KNOWN) if r["metric"] == "pcoc")
    assert pcoc["value"] == pytest.approx(
        (CLICK * CONVERT)[:3_000].sum() / KNOWN.purchased_N[:3_000].sum()
    )
    nobody = task_rows("o", click._replace(happened_N=~ALL), [CLICK], KNOWN)
    assert nobody == []


def test_truth_is_found_row_by_row(sample_shop: Path, prepared_sample: PreparedShop) -> None:
    shown = prepared_sample.impressions
    request_N, item_N = shown["request"].to_numpy(), shown["item"].to_numpy()

    found = true_rows(sample_shop, prepared_sample, request_N[::-1], item_N[::-1])
    human_N, known = judged(sample_shop, prepared_sample, examples_of(prepared_sample, ["test"]))

    names = prepared_sample.requests["request_id"].gather(request_N[::-1])
    assert found["request_id"].equals(names, check_names=False)
    assert human_N.all()
    # What is clicked was likelier to be: a shift by one row would show.
    assert known.click_N[known.clicked_N].mean() > 2 * known.click_N.mean()
    assert known.click_N.mean() == pytest.approx(known.clicked_N.mean(), rel=0.15)
    with pytest.raises(DataError, match="impressions of the shop have no row in it"):
        true_rows(sample_shop, prepared_sample, request_N[:5], (item_N[:5] + 1) % 300)
    with pytest.raises(DataError, match="`shelfwise sample` writes it"):
        true_rows(sample_shop / "nowhere", prepared_sample, request_N, item_N)


def test_mechanisms_of_a_small_shop(sample_shop: Path, prepared_sample: PreparedShop) -> None:
    shown = prepared_sample.impressions
    truth = true_rows(
        sample_shop, prepared_sample, shown["request"].to_numpy(), shown["item"].to_numpy()
    )

    rows, figures = position_figures(prepared_sample, truth)
    delay = delay_figures(prepared_sample)

    # docs/reference/sample-shop.md: 1 / place ** .7 on search, .45 on the shelf, .5 beside it.
    decay = {"search": 0.7, "recommendation": 0.45, "ads": 0.5}
    for row in rows:
        place, surface = int(row["view"].split()[1]), row["task"].removeprefix("position on ")
        assert row["true"] == pytest.approx(place ** -decay[surface], rel=1e-4)
    assert figures["position_places_with_enough_clicks"] == 0
    assert figures["position_furthest_from_truth"] is None
    assert 0 < (delay["delay_furthest_from_truth"] or 0) < 0.2
    assert fraud_figures(prepared_sample, truth) == {}


def test_the_filter_is_judged_by_impressions(prepared_sample: PreparedShop) -> None:
    # Of the impressions of four requests, flagged are those of the first two, bots' of 1 and 2.
    request_N = np.repeat(np.arange(4), [10, 20, 30, 40])
    requests = prepared_sample.requests.head(4).with_columns(
        pl.Series("fraud", ["fast", "fast", None, None], dtype=pl.String)
    )
    shown = prepared_sample.impressions.head(100).with_columns(pl.Series("request", request_N))
    shop = replace(prepared_sample, requests=requests, impressions=shown)
    truth = pl.DataFrame({"bot": np.isin(request_N, [1, 2])})

    found = fraud_figures(shop, truth)

    assert found == {"fraud_precision": pytest.approx(20 / 30), "fraud_recall": 20 / 50}


@pytest.mark.long
def test_the_whole_benchmark_on_a_small_shop(sample_shop: Path) -> None:
    words = ["model.encoder.keep_layers=1", "model.encoder.tuning.mode=frozen", "model.width=16"]
    words += ["train.threads=1", "train.epochs=1"]
    script = Path(__file__).parents[2] / "benchmarks" / "run.py"
    done = subprocess.run(
        [sys.executable, script, "truth", "--data", sample_shop, "--json"]
        + [word for setting in words for word in ("--set", setting)],
        stdout=subprocess.PIPE,
        check=True,
    )

    found = json.loads(done.stdout.splitlines()[-1])

    systems = {row["system"] for row in found["rows"] if row["metric"] == "cvr_to_truth"}
    ours = {"shelfwise", "shelfwise/clicked-only", "shelfwise/leave-out"}
    assert systems == {*ours, "oracle/from-clicks"}
    assert {"click_ece", "auc_of_oracle", "delay_furthest_from_truth"} <= set(found["figures"])
    oracle = [r for r in found["rows"] if (r["system"], r["metric"]) == ("oracle", "auc")]
    learned = [r for r in found["rows"] if (r["system"], r["metric"]) == ("shelfwise", "auc")]
    assert oracle[0]["value"] > learned[0]["value"]
