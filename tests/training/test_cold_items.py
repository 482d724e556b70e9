from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from shelfwise.data.attribution import DAY
from shelfwise.data.batches import gather
from shelfwise.data.item_facts import first_met
from shelfwise.data.part_rows import TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.models.config import Frozen
from shelfwise.models.inputs import as_requests
from shelfwise.training.cold_items import place_cold, share_of_newcomers

from .small_network import network_of, training_examples


def test_the_share_of_newcomers_is_counted_match_by_match(prepared_sample: PreparedShop) -> None:
    moments = prepared_sample.moments
    until = moments.known_until(["train"])
    horizon = moments.end_of("validation") - moments.start_of("validation")
    first_V = first_met(prepared_sample)
    new = counted = 0
    came, rankings = set(), set()
    for item, at in prepared_sample.positives.select("item", "at").iter_rows():
        ranked = until - horizon  # the last ranking before training ends; earlier ones before it
        while ranked > at:
            ranked -= horizon
        if until - 90 * DAY <= at < until and ranked >= moments.first + horizon:
            counted += 1
            rankings.add(ranked)
            if first_V[item] >= ranked:
                new += 1
                came.add(item)

    many = share_of_newcomers(prepared_sample, TRAINED, 10_000)

    assert counted > 50
    assert many == pytest.approx((new + 0.01 * 50) / (counted + 50))
    # Half as many waiting as came in a horizon are expected half.
    usual = max(len(came) / len(rankings), 1)
    assert share_of_newcomers(prepared_sample, TRAINED, 1) == pytest.approx(many / usual)


def test_suspected_fraud_hides_no_newcomers(prepared_sample: PreparedShop) -> None:
    # Fakes who take the oldest item thousands of times make its share no larger.
    positives = prepared_sample.positives
    oldest = int(first_met(prepared_sample).argmin())
    believed = positives.filter(pl.col("weight") > 0)
    fakes = positives.with_columns(
        pl.lit(oldest).cast(positives["item"].dtype).alias("item"),
        pl.lit(0.0).cast(positives["weight"].dtype).alias("weight"),
    )
    without = replace(prepared_sample, positives=believed)
    pushed = replace(prepared_sample, positives=pl.concat([believed, fakes]))

    share = share_of_newcomers(without, TRAINED, 10_000)

    assert share > 0
    assert share_of_newcomers(pushed, TRAINED, 10_000) == share


def test_items_not_yet_met_are_expected_their_share(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_of(prepared_sample, tiny_encoder, Frozen())
    warm_V = network.warm_V.clone()
    warm_V[::7] = False
    network.warm_V.copy_(warm_V)
    examples = training_examples(prepared_sample)

    place_cold(network, prepared_sample, examples, 0.07)

    rows = np.argsort(examples.at_R, kind="stable")[-512:]
    batch = gather(prepared_sample, examples, rows)
    now = network.moments(batch.at_R)
    asked = as_requests(
        batch.history, batch.query_R, batch.surface_R, torch.device("cpu"), now.moment_R
    )
    with torch.no_grad():
        catalogue = network.catalogue(asked.query_texts, now.trend_KVG)
        request_RD = network.model.request_vectors(asked.requests, catalogue)
        score_RV = network.model.match_scores(request_RD, asked.requests, catalogue)
    odds_R = score_RV[:, ~warm_V].logsumexp(1) - score_RV[:, warm_V].logsumexp(1)
    assert float(odds_R.mean()) == pytest.approx(np.log(0.07 / 0.93), abs=1e-3)


def test_without_items_never_met_nothing_is_placed(
    prepared_sample: PreparedShop, tiny_encoder: Path
) -> None:
    network = network_of(prepared_sample, tiny_encoder, Frozen())
    network.warm_V.fill_(True)

    place_cold(network, prepared_sample, training_examples(prepared_sample), 0.07)

    assert float(network.model.cold_logit) == 0


def test_a_log_of_order_alone_knows_no_newcomers(prepared_sample: PreparedShop) -> None:
    facts = {**prepared_sample.manifest.facts, "clock": "order"}
    manifest = prepared_sample.manifest.model_copy(update={"facts": facts})
    ordered = replace(prepared_sample, manifest=manifest)

    assert share_of_newcomers(ordered, TRAINED, 3) == pytest.approx(0.01)
