from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from data.small_log import event, prepared_shop, random_events, write_table
from torch import Tensor

from shelfwise.data.batches import examples_of
from shelfwise.data.part_rows import LEARNED, TRAINED
from shelfwise.data.period_examples import period_examples
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.tokens import tokenise
from shelfwise.data.trend import trend_at
from shelfwise.models.calibration import NOT_CALIBRATED, load_calibration
from shelfwise.models.config import Frozen, Full, TopLayers, TuningOptions
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.models.weights import load_tensors
from shelfwise.ranking.loaded_run import open_run
from shelfwise.retrieval.neighbours import neighbour_arrays
from shelfwise.retrieval.taken import taken_in
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import open_sealed
from shelfwise.schema.run_files import CALIBRATION, CURVE, ITEMS, MODEL, TABLES
from shelfwise.training.config import TrainOptions
from shelfwise.training.course import Course
from shelfwise.training.remembered import Remembered
from shelfwise.training.step import TrainingError
from shelfwise.training.train import taken_counts, tasks_of, train

from .small_network import options_of

SHORT = TrainOptions(epochs=2, batch_requests=16, threads=1, device="cpu")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    """Thirty requests; item i8 is met first in validation and i9 first in the test."""
    rows = random_events(5, impressions=True)
    rows += [event("click", "u1", 70, "i8"), event("click", "u1", 90, "i9")]
    return prepared_shop(tmp_path_factory.mktemp("train"), rows)


def test_a_run_says_what_it_learned_and_from_what(
    tiny_run: Path, prepared_sample: PreparedShop
) -> None:
    facts = open_sealed(tiny_run, "run").facts

    assert facts["tasks"] == [
        *("match (click/purchase)", "click", "conversion"),
        *("interest", "intent", "attributes", "relevance"),
    ]
    assert facts["tasks_left_out"] == {}
    assert facts["match_kinds"] == ["click", "purchase"]
    assert facts["shape"] == "shop"
    assert facts["trained_until"] == prepared_sample.moments.validation
    assert facts["queries"] == len(prepared_sample.queries)
    manifest = open_sealed(tiny_run, "run")
    assert manifest.data_fingerprint == prepared_sample.manifest.data_fingerprint
    curve = json.loads((tiny_run / CURVE).read_text(), parse_constant=pytest.fail)
    # Two passes, a check after each.
    assert [2 * check["step"] for check in curve["checks"]] == [facts["steps"], 2 * facts["steps"]]
    best = next(c for c in curve["checks"] if c["step"] == facts["best_step"])
    assert best["figures"] == facts["validation"]
    assert best["score"] == max(check["score"] for check in curve["checks"])


def test_a_run_knows_its_items(tiny_run: Path, prepared_sample: PreparedShop) -> None:
    items = pl.read_parquet(tiny_run / ITEMS)
    until = prepared_sample.moments.validation

    assert items["item_id"].to_list() == prepared_sample.items["item_id"].to_list()
    early = prepared_sample.positives.filter(pl.col("at") < until)
    assert items["taken"].sum() == len(early) > 0
    best = int(items["taken"].arg_max() or 0)
    assert items["taken"][best] == len(early.filter(item=best))
    assert np.array_equal(items["taken"].to_numpy(), taken_counts(prepared_sample, ["train"]))
    tables = load_tensors(tiny_run / TABLES)
    trend = trend_at(prepared_sample, prepared_sample.moments.test)
    assert np.array_equal(tables["trend_VG"].numpy(), trend)


def test_the_same_seed_gives_the_same_bytes(
    shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    options = options_of(tiny_encoder)

    one, other = (train(shop, tmp_path / name, options, SHORT) for name in ("one", "other"))
    third = train(shop, tmp_path / "third", options, SHORT.model_copy(update={"seed": 1}))

    assert one.sha256 == other.sha256
    assert one.sha256[MODEL] != third.sha256[MODEL]
    assert one.sha256["encoder/model.safetensors"] != third.sha256["encoder/model.safetensors"]


def test_a_refit_learns_from_validation_too(
    shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    def warm(refit: bool) -> dict[str, bool]:
        out = tmp_path / str(refit)
        options = SHORT.model_copy(update={"refit": refit})
        manifest = train(shop, out, options_of(tiny_encoder), options)
        ends = shop.moments.test if refit else shop.moments.validation
        assert manifest.facts["trained_until"] == ends
        tables = load_tensors(out / TABLES)
        taken = pl.read_parquet(out / ITEMS)["taken"]
        assert np.array_equal(taken.to_numpy(), taken_counts(shop, LEARNED if refit else TRAINED))
        return dict(
            zip(shop.items["item_id"].to_list(), tables["item_warm_V"].tolist(), strict=True)
        )

    plain, refitted = warm(False), warm(True)
    assert (plain["i8"], plain["i9"]) == (False, False)
    assert (refitted["i8"], refitted["i9"]) == (True, False)
    # What is its own has learned in the refit alone.
    number = shop.items["item_id"].to_list().index("i8")
    rows = [
        load_tensors(tmp_path / name / MODEL)["item_bias.weight"][number]
        for name in ("False", "True")
    ]
    assert rows[0] == 0
    assert rows[1] != 0


def test_a_log_without_impressions_learns_no_clicks(tiny_encoder: Path, tmp_path: Path) -> None:
    shop = prepared_shop(tmp_path, random_events(3, impressions=False))

    manifest = train(shop, tmp_path / "run", options_of(tiny_encoder), SHORT)

    assert manifest.facts["tasks"] == tasks_of(shop, ["match", "interest"])
    assert manifest.facts["tasks"] == ["match (purchase)", "interest"]
    assert "log impressions" in manifest.facts["tasks_left_out"]["click"]
    assert set(manifest.facts["validation"]) == {"ndcg@10"}
    calibration = manifest.facts["calibration"]
    assert calibration["fitted_on"].startswith("nothing")
    assert calibration["click"]["rows"] == calibration["conversion"]["rows"] == 0
    assert load_calibration(tmp_path / "run" / CALIBRATION) == NOT_CALIBRATED


def test_without_anything_to_judge_by_the_last_state_stays(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    # Nothing is taken between hours 60 and 80: a validation score cannot be computed.
    rows = [event("view", f"u{n % 3}", n, f"i{n % 4}") for n in range(50)]
    shop = prepared_shop(tmp_path, [*rows, event("view", "u1", 90, "i1")])
    options = SHORT.model_copy(update={"epochs": 9, "patience": 1})

    manifest = train(shop, tmp_path / "run", options_of(tiny_encoder), options)

    assert manifest.facts["validation"] == {"ndcg@10": None}
    assert manifest.facts["best_step"] == manifest.facts["steps"] == 9 * 4
    assert "NaN" not in (tmp_path / "run" / CURVE).read_text()
    assert "NaN" not in (tmp_path / "run" / "manifest.json").read_text()


def test_a_run_appears_whole_or_not_at_all(shop: PreparedShop, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a folder nor a model"):
        train(shop, tmp_path / "run", options_of(tmp_path / "nowhere"), SHORT)

    assert list(tmp_path.iterdir()) == []


def test_prefixes_stand_before_what_is_read(tiny_encoder: Path, tmp_path: Path) -> None:
    write_table(
        tmp_path / "shop",
        "catalogue",
        [{"item_id": "i0", "title": "red shoe"}, {"item_id": "i1", "title": "lamp"}],
    )
    rows = [event("view", "u0", n, f"i{n % 2}") for n in range(95)]
    shop = prepared_shop(tmp_path, rows, fraud={"enabled": False})  # one who clicks like a clock
    plain = options_of(tiny_encoder)
    encoder = plain.encoder.model_copy(update={"item_prefix": "book ", "query_prefix": "tea "})
    short = SHORT.model_copy(update={"epochs": 1, "learning_rate": 1e-9})
    short = short.model_copy(update={"encoder_learning_rate": 1e-9})

    train(shop, tmp_path / "plain", plain, short)
    train(shop, tmp_path / "told", plain.model_copy(update={"encoder": encoder}), short)

    tokens = tokenise(["book red shoe", "book lamp"], tiny_encoder / "tokenizer.json", 48)
    ids, mask = tokens.padded(np.arange(2))
    with torch.no_grad():
        expected = load_text_encoder(tiny_encoder, encoder).eval()(
            torch.from_numpy(ids), torch.from_numpy(mask)
        )
    told = load_tensors(tmp_path / "told" / TABLES)["item_text_VH"]
    torch.testing.assert_close(told, expected, atol=0.02, rtol=0)
    unlike = load_tensors(tmp_path / "plain" / TABLES)["item_text_VH"]
    assert not torch.allclose(unlike, expected, atol=0.02)
    run = open_run(tmp_path / "told")
    plain_run = open_run(tmp_path / "plain")
    # The tiny encoder learned nothing at such a rate, so both runs hold the same one.
    torch.testing.assert_close(
        run.encode_queries(["red shoe"]).vector_QH,
        plain_run.encode_queries(["tea red shoe"]).vector_QH,
        atol=1e-4,
        rtol=0,
    )


def test_whole_periods_are_learned_from_where_asked_for(
    shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    moments = shop.moments
    period = moments.end_of("validation") - moments.start_of("validation")
    whole = sum(len(one) for one in period_examples(shop, TRAINED, period))
    usual = len(examples_of(shop, TRAINED))
    assert whole > 0
    options = SHORT.model_copy(update={"epochs": 1, "batch_requests": 2})

    plain, told = (
        train(
            shop,
            tmp_path / str(asked),
            options_of(tiny_encoder),
            options.model_copy(update={"period_requests": asked}),
        )
        for asked in (False, True)
    )

    assert shop.options.match.target == "period"
    assert plain.facts["steps"] == math.ceil(usual / 2)
    assert told.facts["steps"] == math.ceil((usual + whole) / 2)


def test_a_run_keeps_the_tables_of_all_shoppers(
    shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    train(shop, tmp_path / "run", options_of(tiny_encoder), SHORT)

    kept = open_run(tmp_path / "run").known.neighbours

    items = len(shop.items)
    expected = neighbour_arrays(taken_in(shop, TRAINED), items)
    assert kept is not None
    for found, whole in zip(kept, expected, strict=True):
        assert np.array_equal(found.numpy(), whole[:, :items])


def test_what_an_earlier_training_asked_frozen_layers_changes_nothing(
    shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    def weights(
        name: str, view: PreparedShop, tuning: TuningOptions, remembered: Remembered
    ) -> dict[str, Tensor]:
        course = Course(remembered=remembered)
        train(view, tmp_path / name, options_of(tiny_encoder, tuning), SHORT, course=course)
        return load_tensors(tmp_path / name / MODEL)

    shared = Remembered()
    # Of one name, but nobody is believed: what goes with what is to be counted anew.
    doubted = replace(shop, positives=shop.positives.with_columns(weight=pl.lit(0.0, pl.Float32)))
    asked = [
        (shop, TopLayers(layers=1)),
        (shop, TopLayers(layers=1)),
        (doubted, TopLayers(layers=1)),
        (shop, Frozen()),
        (shop, Full()),
    ]
    for at, (view, tuning) in enumerate(asked):
        alone = weights(f"alone-{at}", view, tuning, Remembered())
        after = weights(f"after-{at}", view, tuning, shared)
        assert alone.keys() == after.keys()
        assert all(torch.equal(alone[name], after[name]) for name in alone)


def test_a_log_of_bots_alone_teaches_nothing(tiny_encoder: Path, tmp_path: Path) -> None:
    rows = [event("view", "u0", n, f"i{n % 2}") for n in range(95)]  # one who clicks like a clock
    shop = prepared_shop(tmp_path, rows)

    with pytest.raises(TrainingError, match=r"suspected fraud.*fraud\.enabled = false"):
        train(shop, tmp_path / "run", options_of(tiny_encoder), SHORT)
