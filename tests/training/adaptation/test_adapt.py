from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from shelfwise.data.prepared import PreparedShop
from shelfwise.models.config import EncoderOptions, Frozen, TopLayers
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.progress import Silent
from shelfwise.training.adaptation.adapt import Adapted, adapt
from shelfwise.training.adaptation.options import Adaptation
from shelfwise.training.config import TrainOptions

from .small_shop import shop_of, start_of

QUICK = TrainOptions(device="cpu", threads=1, encoder_learning_rate=1e-3)
SHORT = Adaptation(steps=6, check_steps=3, batch_pairs=8)


def adapted(
    prepared: PreparedShop,
    encoder: Path,
    folder: Path,
    options: Adaptation = SHORT,
    train: TrainOptions = QUICK,
) -> Adapted:
    return adapt(prepared, start_of(prepared, encoder), options, train, folder, Silent())


def test_the_loss_falls_and_the_stage_says_what_it_did(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    options = Adaptation(steps=40, check_steps=10, batch_pairs=16)

    found = adapted(prepared_sample, tiny_encoder, tmp_path, options)

    facts = found.facts
    first, last = facts["losses"][0], facts["losses"][-1]
    assert last["pairs"] < first["pairs"]
    assert last["masked"] < first["masked"]
    assert (facts["steps"], last["step"]) == (40, 40)
    assert set(facts["before"]) == {"query recall@20", "together recall@20"}
    assert min(facts["pairs"].values()) > 0
    # A random encoder knows nothing of this shop: whatever it learns is better.
    assert facts["kept"]
    assert sum(facts["after"].values()) > sum(facts["before"].values())


def test_what_is_kept_opens_as_any_encoder(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    found = adapted(prepared_sample, tiny_encoder, tmp_path, SHORT.model_copy(update={"steps": 20}))

    assert found.facts["kept"]
    assert found.source == tmp_path / "encoder"
    named = EncoderOptions(name="adapted", tuning=Frozen())
    one, other = (load_text_encoder(folder, named) for folder in (found.source, tiny_encoder))
    ids = torch.tensor([[2, 40, 41, 3]])
    assert one.width == other.width
    with torch.no_grad():
        assert not torch.allclose(one(ids, ids > 0), other(ids, ids > 0))


def test_the_same_seed_gives_the_same_weights(
    small_shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    def weights(name: str, seed: int) -> dict[str, torch.Tensor]:
        train = QUICK.model_copy(update={"seed": seed})
        # Validation cannot speak here, so what was learned is kept.
        mute = replace(small_shop, positives=small_shop.positives.filter(pl.col("at") < at))
        found = adapted(mute, tiny_encoder, tmp_path / name, train=train)
        assert found.facts["before"] == {"query recall@20": None, "together recall@20": None}
        assert set(found.facts["support"].values()) == {0}
        assert found.facts["best_step"] == 6
        return load_file(found.source / "model.safetensors")

    at = small_shop.moments.validation
    one, other, third = weights("one", 0), weights("other", 0), weights("third", 1)

    assert all(torch.equal(one[name], other[name]) for name in one)
    assert any(not torch.equal(one[name], third[name]) for name in one)


def test_only_what_is_to_learn_learns(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    options = SHORT.model_copy(update={"tuning": TopLayers(layers=1), "steps": 20})

    found = adapted(prepared_sample, tiny_encoder, tmp_path, options)

    before = load_file(tiny_encoder / "model.safetensors")
    after = load_file(found.source / "model.safetensors")
    moved = [name for name in before if not torch.equal(before[name], after[name])]
    assert moved
    assert all(".layer.1." in name for name in moved)


def test_what_validation_does_not_like_is_not_kept(
    small_shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    # Seven items: all are among the 20 nearest, before and after. A tie is no reason to change.
    found = adapted(small_shop, tiny_encoder, tmp_path)

    assert found.facts["before"] == {"query recall@20": 1.0, "together recall@20": 1.0}
    assert found.facts["support"] == {"query recall@20": 1, "together recall@20": 1}
    assert not found.facts["kept"]
    assert found.source == tiny_encoder
    assert not (tmp_path / "encoder").exists()


def test_a_shop_without_queries_goes_by_items(
    small_shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    nobody_typed = replace(
        small_shop,
        queries=small_shop.queries.clear(),
        requests=small_shop.requests.with_columns(query=pl.lit(-1, pl.Int64)),
    )

    found = adapted(nobody_typed, tiny_encoder, tmp_path)

    # Seen apart from its query, u3's i2 of the first hours stands alone.
    assert found.facts["pairs"] == {"query": 0, "together": 2, "title": 5}
    assert found.facts["before"] == {"query recall@20": None, "together recall@20": 1.0}


def test_the_clock_ends_it(small_shop: PreparedShop, tiny_encoder: Path, tmp_path: Path) -> None:
    options = SHORT.model_copy(update={"minutes": 1e-9})

    assert adapted(small_shop, tiny_encoder, tmp_path, options).facts["steps"] == 1


def test_ids_alone_are_refused(tiny_encoder: Path, tmp_path: Path) -> None:
    shop = shop_of(tmp_path, told=False)

    with pytest.raises(ConfigError, match="no text to learn from"):
        adapted(shop, tiny_encoder, tmp_path / "out")


def test_a_log_that_has_nothing_of_what_is_asked_for_is_refused(
    small_shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    options = Adaptation(pairs=("query",), masked_weight=0)
    nobody_typed = replace(
        small_shop, requests=small_shop.requests.with_columns(query=pl.lit(-1, pl.Int64))
    )

    with pytest.raises(ConfigError, match="query asked for"):
        adapted(nobody_typed, tiny_encoder, tmp_path, options)


def test_the_future_is_not_looked_at(
    small_shop: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    """Whatever happens after training changes neither what is learned nor from what."""
    at = small_shop.moments.validation
    rng = np.random.default_rng(0)
    late = pl.Series(rng.permutation(5), dtype=pl.UInt32)
    positives = small_shop.positives
    others = positives.with_columns(
        item=pl.when(pl.col("at") >= at)
        .then(late.sample(len(positives), with_replacement=True, seed=1))
        .otherwise("item")
    )
    changed = replace(small_shop, positives=others)

    one, other = (
        adapted(shop, tiny_encoder, tmp_path / str(n)).facts
        for n, shop in enumerate((small_shop, changed))
    )

    assert one["pairs"] == other["pairs"]
    assert one["losses"] == other["losses"]
