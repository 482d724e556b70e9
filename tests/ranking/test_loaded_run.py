from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from data.small_log import write_table
from numpy.typing import NDArray
from scipy.special import expit, logit

from shelfwise.data.config import DataOptions
from shelfwise.data.history import NONE, HistoryWindow
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedShop
from shelfwise.models.calibration import NOT_CALIBRATED, Calibration, Platt, TaskCalibration
from shelfwise.models.inference import pair_probabilities
from shelfwise.models.inputs import as_requests
from shelfwise.models.requests import Requests
from shelfwise.models.weights import load_tensors
from shelfwise.ranking.loaded_run import LoadedRun, open_run
from shelfwise.schema.errors import ArtifactError
from shelfwise.schema.event import Surface
from shelfwise.schema.manifest import MANIFEST, seal
from shelfwise.schema.run_files import CALIBRATION, CAMPAIGNS, ITEMS, MODEL, TABLES


@pytest.fixture
def copied(tiny_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_run, tmp_path / "run"))


def test_a_run_holds_the_catalogue_in_order(tiny_run: Path, prepared_sample: PreparedShop) -> None:
    run = open_run(tiny_run)

    ids = prepared_sample.items["item_id"].to_list()
    assert [item.item_id for item in run.items] == ids
    assert list(run.item_texts) == prepared_sample.items["text"].to_list()
    assert run.number_of == {item: number for number, item in enumerate(ids)}
    assert run.has_heads
    assert run.knows_queries
    assert len(run.campaigns) == len(prepared_sample.campaigns) > 0
    assert run.known.item_VD.shape == (len(ids), 32)
    text = load_tensors(tiny_run / TABLES)["item_text_VH"]
    assert torch.equal(run.known.item_text_VH, text)


def test_queries_are_encoded_like_the_items(tiny_run: Path, prepared_sample: PreparedShop) -> None:
    # The same text as an item gives the item's own vector, up to the bf16 that it was kept in.
    run = open_run(tiny_run)
    texts = list(run.item_texts[:9])

    found = run.encode_queries(texts).vector_QH

    torch.testing.assert_close(found, run.known.item_text_VH[:9], atol=0.02, rtol=0)
    # 300 in two blocks, each padded to its own longest.
    many = run.encode_queries([*texts, *prepared_sample.items["text"].head(291)])
    torch.testing.assert_close(many.vector_QH[:9], found, atol=1e-5, rtol=0)
    assert run.encode_queries([]).vector_QH.shape == (0, 32)
    some = many.chosen(torch.tensor([299, 4]))
    assert torch.equal(some.vector_QH, many.vector_QH[[299, 4]])
    assert some.tokens[1].tolist() == run.tokenizer.encode(texts[4]).ids
    assert not found.requires_grad


def test_a_catalogue_with_queries_beside_it(tiny_run: Path) -> None:
    run = open_run(tiny_run)
    queries = run.encode_queries(["red shoe"])

    found = run.catalogue(queries)

    assert torch.equal(found.query_text_QH, queries.vector_QH)
    assert torch.equal(found.item_VD, run.known.item_VD)
    assert len(run.known.query_QD) == 0


def asked_of(run: LoadedRun) -> tuple[Requests, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Two requests without a past, a search and a shelf, for the first five items each."""
    history = HistoryWindow(
        item_RL=np.full((2, 1), NONE, np.int32),
        query_RL=np.full((2, 1), NONE, np.int32),
        kind_RL=np.zeros((2, 1), np.uint8),
        age_RL=np.zeros((2, 1), np.float32),
        valid_RL=np.zeros((2, 1), bool),
    )
    nothing_typed, device = np.full(2, NONE, np.int64), run.known.item_VD.device
    asked = as_requests(history, nothing_typed, np.array([0, 1]), device)
    return asked.requests, (np.repeat([0, 1], 5), np.tile(np.arange(5), 2))


def test_probabilities_are_calibrated_by_surface(tiny_run: Path) -> None:
    own = TaskCalibration(surfaces={Surface.RECOMMENDATION: Platt(slope=2, shift=1)})
    run = replace(open_run(tiny_run), calibration=Calibration(click=own))
    requests, pairs = asked_of(run)

    found = run.probabilities(requests, run.known, pairs)
    raw = run.probabilities(requests, run.known, pairs, calibrated=False)

    network = pair_probabilities(run.model, requests, run.known, pairs, None)
    assert raw.click_N == pytest.approx(network.click_N, rel=1e-5)
    assert raw.convert_N == pytest.approx(network.convert_N, rel=1e-5)
    assert found.convert_N.tolist() == raw.convert_N.tolist()
    assert found.click_N[:5].tolist() == raw.click_N[:5].tolist()
    assert found.click_N[5:] == pytest.approx(expit(2 * logit(raw.click_N[5:]) + 1))


def test_a_run_from_before_calibration_says_what_its_network_says(copied: Path) -> None:
    facts = json.loads((copied / MANIFEST).read_text())["facts"]
    (copied / CALIBRATION).unlink()
    seal(copied, "run", seed=0, data_fingerprint="x", facts=facts)

    assert open_run(copied).calibration == NOT_CALIBRATED


@pytest.mark.parametrize(
    "name",
    [
        MODEL,
        TABLES,
        ITEMS,
        CAMPAIGNS,
        CALIBRATION,
        "encoder/model.safetensors",
        "encoder/config.json",
    ],
)
def test_an_altered_file_is_named(copied: Path, name: str) -> None:
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)

    with pytest.raises(ArtifactError, match=rf"{name}: altered"):
        open_run(copied)


def test_all_missing_files_are_named(copied: Path) -> None:
    for name in (MODEL, "encoder/tokenizer.json"):
        (copied / name).unlink()

    with pytest.raises(ArtifactError) as caught:
        open_run(copied)

    assert f"{MODEL}: missing" in str(caught.value)
    assert "encoder/tokenizer.json: missing" in str(caught.value)


def test_no_folder_another_kind_another_version(
    copied: Path, tmp_path: Path, prepared_sample: PreparedShop
) -> None:
    with pytest.raises(ArtifactError, match=r"no manifest\.json found"):
        open_run(tmp_path / "nowhere")
    with pytest.raises(ArtifactError, match="this is a prepared folder, a run folder is needed"):
        open_run(prepared_sample.folder)
    manifest = json.loads((copied / MANIFEST).read_text())
    (copied / MANIFEST).write_text(json.dumps(manifest | {"format_version": 99}))
    with pytest.raises(ArtifactError, match="format_version 99 found"):
        open_run(copied)


def test_the_network_of_another_version_is_refused(copied: Path) -> None:
    # A run that is whole in itself, written by a version with fewer items' worth of network.
    facts = json.loads((copied / MANIFEST).read_text())["facts"]
    (copied / MANIFEST).unlink()
    items = pl.read_parquet(copied / ITEMS)
    items.head(len(items) - 1).write_parquet(copied / ITEMS)
    seal(copied, "run", seed=0, data_fingerprint="x", facts=facts)

    with pytest.raises(ArtifactError, match="not those of this version's network"):
        open_run(copied)


def test_a_classifier_cannot_rank(tiny_encoder: Path, tmp_path: Path) -> None:
    from shelfwise.models.config import EncoderOptions, Frozen, ModelOptions
    from shelfwise.training.config import TrainOptions
    from shelfwise.training.train import train

    rng = np.random.default_rng(0)
    rows = [{"text": f"red {n} {rng.integers(99)}", "label": n % 2} for n in range(60)]
    write_table(tmp_path / "shop", "pairs", rows)
    prepared = prepare(tmp_path / "shop", tmp_path / "prepared", DataOptions())
    encoder = EncoderOptions(name=str(tiny_encoder), tuning=Frozen())
    options = TrainOptions(epochs=1, threads=1, device="cpu")
    train(prepared, tmp_path / "run", ModelOptions(encoder=encoder), options)

    with pytest.raises(ArtifactError, match="a classifier of texts; it cannot rank"):
        open_run(tmp_path / "run")
