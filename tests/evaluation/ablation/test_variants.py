from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import pytest

from shelfwise.config import ShopConfig, validated
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.ablation.variants import (
    FULL,
    chosen_variants,
    softened,
    unfiltered,
    unweighted,
)
from shelfwise.evaluation.pieces import Setting
from shelfwise.schema.errors import ConfigError
from shelfwise.training.course import Course


def configured(*full: str) -> object:
    def setting(changes: Sequence[str]) -> Setting:
        config = validated(validated({}, full, "here").model_dump(mode="json"), changes, "here")
        course = Course(tasks=config.tasks, adaptation=config.adaptation)
        return Setting(config.model, config.train, config.evaluate, course)

    return setting


def test_a_shop_with_searches_and_clicks_allows_what_needs_them(
    prepared_sample: PreparedShop,
) -> None:
    chosen = chosen_variants(prepared_sample, configured(), ("text", "ids", "history", "losses"))

    names = [variant.name for variant, _ in chosen.variants]
    assert names[0] == FULL
    assert {"without text", "without ids", "without past searches", "with gbce"} < set(names)
    assert chosen.skipped == []
    by_name = {variant.name: setting for variant, setting in chosen.variants}
    assert by_name[FULL] == Setting(ShopConfig().model, ShopConfig().train, ShopConfig().evaluate)
    assert not by_name["without text"].model.text
    assert by_name["with gbce"].train.match_loss.kind == "gbce"


def test_what_changes_nothing_and_what_the_options_forbid_is_told(
    prepared_sample: PreparedShop,
) -> None:
    full = configured("model.id_embedding=false", "train.match_loss.kind=gbce")

    chosen = chosen_variants(prepared_sample, full, ("ids", "losses", "defences"))

    told = {one.name: one.why for one in chosen.skipped}
    assert told["without ids"] == told["with gbce"] == "the full model is so already"
    assert "label_smoothing" in told["with label smoothing"]


def test_an_adversary_that_would_move_nothing_is_not_tried(prepared_sample: PreparedShop) -> None:
    full = configured("model.encoder.tuning.mode=frozen")

    chosen = chosen_variants(prepared_sample, full, ("adversaries",))

    (skipped,) = (one for one in chosen.skipped if one.name == "against fgm on words")
    assert "nothing of this training passes words" in skipped.why
    tried = {variant.name for variant, _ in chosen.variants}
    assert {"against fgm everywhere", "against fgm on items"} <= tried


def test_a_log_of_matches_alone_has_no_use_for_clicks(prepared_sample: PreparedShop) -> None:
    from dataclasses import replace

    silent = replace(prepared_sample, impressions=prepared_sample.impressions.head(0))

    chosen = chosen_variants(silent, configured(), ("experts",))

    assert [variant.name for variant, _ in chosen.variants] == [FULL]
    assert {one.name for one in chosen.skipped} == {"with mmoe", "with ple"}
    assert {one.why for one in chosen.skipped} == {
        "the log does not say what was shown; log impressions"
    }


def test_a_task_that_is_off_already_is_not_switched_off_again(
    prepared_sample: PreparedShop,
) -> None:
    chosen = chosen_variants(prepared_sample, configured("tasks.click=false"), ("tasks",))

    told = {one.name: one.why for one in chosen.skipped}
    assert told["without clicks"] == "it is switched off"
    assert "without matches" in [variant.name for variant, _ in chosen.variants]


def test_an_unknown_part_is_refused_with_those_there_are(prepared_sample: PreparedShop) -> None:
    with pytest.raises(ConfigError, match=r"no part is called colour; there are: text, ids"):
        chosen_variants(prepared_sample, configured(), ("colour",))


def told_of(shop: PreparedShop, request: int, reason: str | None, score: float) -> PreparedShop:
    """The shop in which one request alone is suspected, or no more than suspicious."""
    here = pl.int_range(pl.len()) == request
    requests = shop.requests.with_columns(
        pl.when(here).then(pl.lit(reason)).alias("fraud"),
        pl.when(here).then(score).otherwise(0.0).cast(pl.Float32).alias("suspicion"),
    )
    return replace(shop, requests=requests)


def test_who_is_a_little_suspicious_counts_less_where_that_is_asked_for(
    prepared_sample: PreparedShop,
) -> None:
    request = prepared_sample.impressions["request"][0]
    shop = told_of(prepared_sample, request, None, 0.25)

    found = softened(shop)

    is_theirs = shop.impressions["request"] == request
    whole = unfiltered(shop).impressions["weight"]
    left = found.impressions["weight"]
    assert (left.filter(~is_theirs) == whole.filter(~is_theirs)).all()
    assert (left.filter(is_theirs) == 0.75 * whole.filter(is_theirs)).all()
    chosen = chosen_variants(shop, configured(), ("defences",))
    assert "with less weight for suspicious rows" in [one.name for one, _ in chosen.variants]


def test_where_nobody_is_suspicious_weights_cannot_be_softer(prepared_sample: PreparedShop) -> None:
    shop = told_of(prepared_sample, 0, None, 0.0)

    chosen = chosen_variants(shop, configured(), ("defences",))

    told = {one.name: one.why for one in chosen.skipped}
    expected = "nobody who is not flagged is suspicious"
    assert told["with less weight for suspicious rows"] == expected


def test_unweighted_rows_count_alike_but_for_machines(prepared_sample: PreparedShop) -> None:
    both = set(prepared_sample.positives["request"]) & set(prepared_sample.impressions["request"])
    machine = min(both)
    shop = told_of(prepared_sample, machine, "owner: too fast", 0.9)

    found = unweighted(shop)

    assert (prepared_sample.impressions["weight"].n_unique()) > 2
    for table in (found.impressions, found.positives):
        is_machine = table["request"] == machine
        assert is_machine.any()
        assert (table["weight"].filter(is_machine) == 0).all()
        assert (table["weight"].filter(~is_machine) == 1).all()
    assert found.impressions.drop("weight").equals(prepared_sample.impressions.drop("weight"))
    assert found.options.weights.sides == ()
    assert isinstance(found.positives, pl.DataFrame)
