"""Histories read as text, from training to an answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from shelfwise.data.batches import examples_between, gather
from shelfwise.data.prepared import PreparedShop, open_prepared_shop
from shelfwise.models.config import FlatTextHistory
from shelfwise.models.inference import match_scores
from shelfwise.models.inputs import as_requests
from shelfwise.ranking.loaded_run import open_run
from shelfwise.ranking.ranker import Ranker

from .small_run import TITLES, small_run
from .test_ranker import as_online

FLAT = FlatTextHistory(last=3, tokens=40)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Path:
    made = tmp_path_factory.mktemp("flat")
    small_run(made, tiny_encoder, reader=FLAT)
    return made


@pytest.fixture(scope="module")
def prepared(folder: Path) -> PreparedShop:
    return open_prepared_shop(folder / "prepared")


def test_a_history_is_the_text_of_its_items_and_searches(folder: Path) -> None:
    run = open_run(folder / "run")
    queries = run.encode_queries(["lamp"])
    item = list(TITLES).index
    written = run.catalogue(queries).written
    assert written is not None

    found = written.written(
        np.array([item("i2"), item("i0"), -1, item("i5")]), np.array([-1, -1, 0, -1])
    )

    # Three events are written: item i5, the search, item i0.
    assert run.tokenizer.decode(found, skip_special_tokens=False) == (
        "[CLS] tea [SEP] lamp [SEP] red shoe [SEP]"
    )
    # Its vector is that of the same text read at once.
    vector = written(torch.tensor([[item("i0")]]), torch.tensor([[-1]]))
    torch.testing.assert_close(vector, run.encode_queries(["red shoe"]).vector_QH)


def test_a_logged_request_scores_the_same_offline_and_online(
    folder: Path, prepared: PreparedShop
) -> None:
    ranker = Ranker.load(folder / "run")
    run = ranker.run
    moments = prepared.moments
    examples = examples_between(prepared, moments.validation, moments.end)
    rows = np.arange(len(examples))
    batch = gather(prepared, examples, rows)
    assert batch.history.valid_RL.any(1).sum() > 5
    queries = run.encode_queries(prepared.queries["text"].to_list())
    asked = as_requests(batch.history, batch.query_R, batch.surface_R, torch.device("cpu"))

    offline = match_scores(
        run.model, asked.requests, run.catalogue(queries.chosen(asked.query_texts))
    )

    for row in rows.tolist():
        online = ranker.score(as_online(prepared, examples, row), run.items)
        assert [s.match for s in online] == pytest.approx(offline[row], abs=1e-3)
