from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from training.judged_shop import judged_shop, options_of

from shelfwise.ranking.choice import ranker_of
from shelfwise.ranking.config import RankOptions
from shelfwise.ranking.loaded_run import open_run
from shelfwise.ranking.relevance_ranker import RelevanceRanker
from shelfwise.schema.errors import ArtifactError, DataError
from shelfwise.schema.event import Surface
from shelfwise.schema.ranking import RankRequest
from shelfwise.training.config import TrainOptions
from shelfwise.training.train import train


def request(query: str, surface: Surface = Surface.SEARCH, k: int = 5) -> RankRequest:
    return RankRequest("test", surface, datetime(2026, 1, 1, tzinfo=UTC), query, (), k)


@pytest.fixture(scope="module", params=["bi_encoder", "cross_encoder"])
def run(
    request: pytest.FixtureRequest, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    shop = judged_shop(tmp_path_factory.mktemp("judged"))
    out = tmp_path_factory.mktemp("run") / "run"
    options = options_of(tiny_encoder, request.param, words=True)
    train(shop, out, options, TrainOptions(epochs=1, threads=1))
    return out


def test_a_search_is_answered_in_the_order_of_grades(run: Path) -> None:
    ranker = ranker_of(run, RankOptions())
    assert isinstance(ranker, RelevanceRanker)

    ranking = ranker.rank(request("Small  Red lamp"))

    grades = [scored.match for scored in ranking.items]
    assert len(grades) == 5
    assert grades == sorted(grades, reverse=True)
    numbers = np.array([ranker.number_of[scored.item.item_id] for scored in ranking.items])
    asked = ranker.run.grades(["small red lamp"], np.zeros(5, np.int64), numbers)
    np.testing.assert_allclose(grades, asked, atol=1e-5)
    assert all(np.isnan([scored.p_click, scored.p_convert]).all() for scored in ranking.items)
    assert ranking.model_version == ranker.version


def test_only_searches_with_words_are_answered(run: Path) -> None:
    ranker = RelevanceRanker.load(run)

    with pytest.raises(DataError, match="judgements of queries alone"):
        ranker.rank(request("lamp", Surface.RECOMMENDATION))
    with pytest.raises(DataError, match="the query is empty"):
        ranker.rank(request("  "))


def test_it_is_no_run_of_a_log(run: Path) -> None:
    with pytest.raises(ArtifactError, match="judgements alone and knows no shoppers"):
        open_run(run)
