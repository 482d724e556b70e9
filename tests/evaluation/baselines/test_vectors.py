from __future__ import annotations

from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
import torch

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import match_targets
from shelfwise.data.tokens import open_tokenizer
from shelfwise.evaluation.baselines.choose import baselines
from shelfwise.evaluation.baselines.vectors import LastMean, TextVectors, near_texts
from shelfwise.models.config import EncoderOptions, Frozen
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.schema.progress import Silent

from .small import ALL_ROWS, LEARNED, TARGETS, VECTORS, ints


def scores(last: int, query: int = -1) -> np.ndarray:
    fitted = next(near_texts(VECTORS).fit(LEARNED, [LastMean(last)]))
    return fitted.scores(replace(TARGETS, query_T=ints(query, -1, -1)), ALL_ROWS)


def test_the_mean_of_the_last_items_by_hand() -> None:
    found = scores(last=2)

    # Owner 0 ended with items 1 and 0: their mean is (1, 1, 0) / 2, of length 1 / sqrt(2).
    half = 1 / sqrt(2)
    assert found[0] == pytest.approx([half, half, 0, (0.6 + 0.8) * half])
    # Owner 1 with items 2 and 0; owner 2 with nothing: popularity.
    assert found[1] == pytest.approx([half, 0, half, 0.6 * half])
    assert found[2] == pytest.approx([2 / 3, 2 / 3, 1 / 3, 0])


def test_a_search_asks_its_own_vector() -> None:
    found = scores(last=2, query=0)

    assert found[0] == pytest.approx([0, 0.6, 0.8, 0.48])
    assert found[1] == pytest.approx(scores(last=2)[1])


@pytest.fixture(scope="module")
def options(tiny_encoder: Path) -> EncoderOptions:
    return EncoderOptions(name=str(tiny_encoder), item_prefix="red ", query_prefix="tea ")


@pytest.fixture(scope="module")
def prepared(prepared_sample: PreparedShop) -> PreparedShop:
    """The sample shop, asked for each next item, so that searches are among its targets."""
    match = prepared_sample.options.match.model_copy(update={"target": "next"})
    return replace(
        prepared_sample, options=prepared_sample.options.model_copy(update={"match": match})
    )


def test_vectors_are_the_encoders_own(prepared: PreparedShop, options: EncoderOptions) -> None:
    found = TextVectors.of(prepared, options, Silent())

    file = Path(options.name) / "tokenizer.json"
    tokenizer = open_tokenizer(file, prepared.options.text.max_tokens)
    encoder = load_text_encoder(Path(options.name), EncoderOptions(tuning=Frozen())).eval()

    def read(text: str) -> np.ndarray:
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.no_grad():
            vector: np.ndarray = encoder(ids, torch.ones_like(ids, dtype=torch.bool))[0].numpy()
        return vector

    assert found.item_VH[5] == pytest.approx(read("red " + prepared.items["text"][5]), abs=1e-4)
    asked = np.unique(match_targets(prepared, "test").query_T)
    query = int(asked[asked >= 0][0])
    text = prepared.queries["text"][query]
    assert found.query_QH[query] == pytest.approx(read("tea " + text), abs=1e-4)


def test_every_judged_query_has_a_vector(prepared: PreparedShop, options: EncoderOptions) -> None:
    found = TextVectors.of(prepared, options, Silent())

    length_Q = np.linalg.norm(found.query_QH, axis=1)
    for part in ("validation", "test"):
        query_T = match_targets(prepared, part).query_T
        assert length_Q[query_T[query_T >= 0]] == pytest.approx(1, abs=1e-5)
    assert set(length_Q.round(4)) == {0, 1}


def test_an_encoder_that_is_gone_is_told(prepared: PreparedShop, tmp_path: Path) -> None:
    gone = EncoderOptions(name=str(tmp_path))

    found = baselines(prepared, encoder=gone)

    assert "BM25 of texts" in {rival.name for rival in found.found}
    assert len(found.notes) == 1
    assert "frozen encoder was left out as a baseline" in found.notes[0]
    assert "lacks config.json" in found.notes[0]


def test_a_protocol_without_queries_encodes_none(
    prepared_sample: PreparedShop, options: EncoderOptions
) -> None:
    match = prepared_sample.options.match.model_copy(update={"target": "period"})
    shop = prepared_sample.options.model_copy(update={"match": match})

    found = TextVectors.of(replace(prepared_sample, options=shop), options, Silent())

    assert (found.query_QH == 0).all()
