from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from training.judged_shop import judged_shop, options_of

from shelfwise.data.prepared import PreparedJudgements
from shelfwise.evaluation.attacks.attack import attack
from shelfwise.evaluation.attacks.config import AttackOptions
from shelfwise.evaluation.attacks.judged import JudgedVictim
from shelfwise.ranking.loaded_relevance import LoadedRelevance
from shelfwise.schema.manifest import open_sealed
from shelfwise.training.adversaries.options import Fgm
from shelfwise.training.config import TrainOptions
from shelfwise.training.train import train

OPTIONS = AttackOptions(
    noise_shares=(0.5,), radii=(0.01, 1.0), gradient_steps=2, gradient_targets=5, draws=50
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> PreparedJudgements:
    return judged_shop(tmp_path_factory.mktemp("judged"))


@pytest.fixture(scope="module", params=["bi_encoder", "cross_encoder"])
def run(
    request: pytest.FixtureRequest,
    shop: PreparedJudgements,
    tiny_encoder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    out = tmp_path_factory.mktemp("run") / "run"
    options = options_of(tiny_encoder, request.param, words=True)
    against = TrainOptions(epochs=1, threads=1, adversary=Fgm(radius=0.2))
    train(shop, out, options, against)
    return out


def test_every_attack_is_told_by_both_figures(run: Path) -> None:
    report = attack(run, OPTIONS)

    assert report.adversary == "fgm"
    told = [(curve.attack, curve.metric) for curve in report.curves]
    assert told == [
        (name, metric)
        for name in ("query noise", "title noise", "gradient on words")
        for metric in ("ndcg@10", "pairwise_accuracy")
    ]
    units = {curve.attack: curve.units for curve in report.curves}
    assert units == {"query noise": 8, "title noise": 8, "gradient on words": 5}
    assert all(np.isfinite(curve.robustness) for curve in report.curves)


def test_without_noise_grades_are_the_runs_own(run: Path, shop: PreparedJudgements) -> None:
    model = LoadedRelevance(run, open_sealed(run, "run"))
    victim = JudgedVictim.of(model, shop, OPTIONS)
    told = model.grades(victim.queries, victim.query_N, victim.item_N)

    same = model.retitled({row: victim.titles[row] for row in victim.shown.tolist()})

    again = same.grades(victim.queries, victim.query_N, victim.item_N)
    np.testing.assert_allclose(again, told, atol=1e-4)
    other = model.retitled({int(victim.shown[0]): "nothing of the kind"})
    changed = other.grades(victim.queries, victim.query_N, victim.item_N)
    hit = victim.item_N == victim.shown[0]
    assert not np.allclose(changed[hit], told[hit], atol=1e-3)


def test_fewer_queries_keep_all_their_judgements(run: Path, shop: PreparedJudgements) -> None:
    victim = JudgedVictim.of(LoadedRelevance(run, open_sealed(run, "run")), shop, OPTIONS)

    few = victim.fewer(3)

    assert few.queries == [victim.queries[query] for query in (0, 3, 7)]
    for place, query in enumerate((0, 3, 7)):
        for mine, whole in ((few.item_N, victim.item_N), (few.grade_N, victim.grade_N)):
            assert mine[few.query_N == place].tolist() == whole[victim.query_N == query].tolist()
    assert victim.fewer(8) is victim


def test_a_gradient_moves_grades_away_from_the_truth(run: Path, shop: PreparedJudgements) -> None:
    model = LoadedRelevance(run, open_sealed(run, "run"))
    victim = JudgedVictim.of(model, shop, OPTIONS)
    from shelfwise.evaluation.attacks.judged import _by_gradient

    plain = model.grades(victim.queries, victim.query_N, victim.item_N)
    far = [np.abs(_by_gradient(victim, radius) - victim.grade_N).mean() for radius in OPTIONS.radii]

    assert np.abs(plain - victim.grade_N).mean() < far[0] < far[1]


def test_validation_is_asked_instead_of_the_test(run: Path, shop: PreparedJudgements) -> None:
    model = LoadedRelevance(run, open_sealed(run, "run"))
    asked = {
        part: set(JudgedVictim.of(model, shop, OPTIONS.model_copy(update={"part": part})).queries)
        for part in ("validation", "test")
    }

    texts = shop.queries["text"].to_list()
    for part, queries in asked.items():
        numbers = shop.judgements.filter(pl.col("part") == part)["query"].unique().to_list()
        assert queries == {texts[number] for number in numbers}
    assert not asked["validation"] & asked["test"]
