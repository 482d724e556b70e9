from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
import torch.nn.functional as F

from shelfwise.data.prepared import PreparedJudgements
from shelfwise.models.config import AdaLora, EncoderOptions, Frozen, TopLayers
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.ranking.loaded_relevance import LoadedRelevance
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import open_sealed
from shelfwise.schema.progress import Silent
from shelfwise.schema.run_files import CURVE, TABLES
from shelfwise.training.config import TrainOptions
from shelfwise.training.course import Course
from shelfwise.training.judged_lesson import relevance_loss
from shelfwise.training.judged_pairs import JudgedPairs
from shelfwise.training.pair_readers import PairReader, Source, reader_of
from shelfwise.training.relevance import judged_figures
from shelfwise.training.relevance_options import RelevanceOptions
from shelfwise.training.remembered import Remembered
from shelfwise.training.train import train

from .judged_shop import judged_shop, options_of

KINDS = ["bi_encoder", "cross_encoder"]
SHORT = TrainOptions(
    epochs=2,
    threads=1,
    device="cpu",
    learning_rate=5e-3,
    encoder_learning_rate=2e-3,
    relevance=RelevanceOptions(batch_pairs=16),
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> PreparedJudgements:
    return judged_shop(tmp_path_factory.mktemp("judged"))


def reader(shop: PreparedJudgements, encoder: Path, kind: str, words: bool = True) -> PairReader:
    options = options_of(encoder, kind, words=words)
    loaded = load_text_encoder(encoder, options.encoder)
    files = (encoder / "tokenizer.json", torch.device("cpu"), Silent())
    found = reader_of(Source(shop, JudgedPairs.of(shop), options, loaded, *files, Remembered()))
    torch.manual_seed(1)
    torch.nn.init.normal_(found.model.head.graded.layers[-1].weight)
    found.model.eval()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_logit_does_not_depend_on_order_or_company(
    shop: PreparedJudgements, tiny_encoder: Path, kind: str
) -> None:
    found = reader(shop, tiny_encoder, kind)
    rows = JudgedPairs.of(shop).rows_of("train")[:40]

    with torch.no_grad():
        together = found.logits(rows)
        backwards = found.logits(rows[::-1].copy())
        alone = torch.cat([found.logits(rows[[row]]) for row in range(0, 40, 7)])

    torch.testing.assert_close(backwards.flip(0), together, atol=2e-2, rtol=0)
    torch.testing.assert_close(alone, together[::7], atol=2e-2, rtol=0)


def test_the_losses_are_added_by_their_weights(shop: PreparedJudgements) -> None:
    pairs, rows = JudgedPairs.of(shop), np.arange(12)
    logit = torch.linspace(-1, 1, 12)

    def loss(**weights: float) -> float:
        return relevance_loss(logit, rows, pairs, RelevanceOptions(**weights)).item()

    none = {"grade_weight": 0.0, "list_net_weight": 0.0, "lambda_weight": 0.0}
    grade, lists, swaps = (loss(**(none | {name: 1.0})) for name in none)
    expected = F.binary_cross_entropy_with_logits(logit, torch.from_numpy(pairs.share_of(rows)))
    assert grade == pytest.approx(expected.item())
    assert min(lists, swaps) > 0
    assert len({grade, lists, swaps}) == 3
    mixed = loss(grade_weight=2.0, list_net_weight=0.5, lambda_weight=0.25)
    assert mixed == pytest.approx(2 * grade + lists / 2 + swaps / 4, rel=1e-5)


def test_lists_are_those_of_queries_whatever_the_order_of_rows(shop: PreparedJudgements) -> None:
    pairs, rows = JudgedPairs.of(shop), np.arange(12)
    logit = torch.linspace(-1, 1, 12)
    mixed = np.random.default_rng(0).permutation(12)
    options = RelevanceOptions(list_net_weight=1.0, lambda_weight=1.0)

    one = relevance_loss(logit, rows, pairs, options)
    other = relevance_loss(logit[torch.from_numpy(mixed)], rows[mixed], pairs, options)

    torch.testing.assert_close(one, other)


def test_nothing_to_learn_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing would be learned"):
        RelevanceOptions(grade_weight=0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_the_words_in_common_is_learned(
    shop: PreparedJudgements, tiny_encoder: Path, tmp_path: Path, kind: str
) -> None:
    options = SHORT.model_copy(update={"epochs": 12, "patience": 12})

    manifest = train(shop, tmp_path / "run", options_of(tiny_encoder, kind), options)

    facts = manifest.facts
    assert (facts["shape"], facts["tasks"], facts["grades"]) == ("relevance", ["relevance"], [0, 2])
    model = LoadedRelevance(tmp_path / "run", open_sealed(tmp_path / "run", "run"))
    pairs = JudgedPairs.of(shop)
    rows = pairs.rows_of("test")
    queries = shop.queries["text"].to_list()
    grade = model.grades(queries, pairs.query_N[rows], pairs.item_N[rows])
    true = pairs.grade_N[rows]
    # A random order puts half of the pairs of a query right.
    assert grade[true == 2].mean() > grade[true == 1].mean() > grade[true == 0].mean()
    assert np.sqrt(np.square(grade - true).mean()) < true.std()
    curve = json.loads((tmp_path / "run" / CURVE).read_text(), parse_constant=pytest.fail)
    best = max(curve["checks"], key=lambda check: check["score"])
    assert best["step"] == facts["best_step"]
    assert best["figures"] == facts["validation"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_answers_what_training_saw(
    shop: PreparedJudgements, tiny_encoder: Path, tmp_path: Path, kind: str
) -> None:
    manifest = train(shop, tmp_path / "run", options_of(tiny_encoder, kind, words=True), SHORT)

    model = LoadedRelevance(tmp_path / "run", manifest)

    pairs = JudgedPairs.of(shop)
    rows = pairs.rows_of("validation")
    queries = shop.queries["text"].to_list()
    grade = model.grades(queries, pairs.query_N[rows], pairs.item_N[rows])
    rmse = float(np.sqrt(np.square(grade - pairs.grade_N[rows]).mean()))
    # Training may look at it in half precision.
    assert rmse == pytest.approx(manifest.facts["validation"]["rmse"], abs=0.02)
    assert ((grade >= 0) & (grade <= 2)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_grades_are_as_high_as_validation_s(
    shop: PreparedJudgements, tiny_encoder: Path, tmp_path: Path, kind: str
) -> None:
    # Training's judges were stricter: what is half right was nothing to them.
    strict = pl.when(pl.col("part") == "train").then((pl.col("grade") - 1).clip(0) * 2)
    parts = shop.judgements.with_columns(strict.otherwise("grade").alias("grade"))
    validation = parts.filter(pl.col("part") == "validation")
    many = replace(shop, judgements=pl.concat([parts, *[validation] * 20]))

    manifest = train(many, tmp_path / "run", options_of(tiny_encoder, kind), SHORT)

    model = LoadedRelevance(tmp_path / "run", manifest)
    query, item = (validation[name].to_numpy().astype(int) for name in ("query", "item"))
    grade = model.grades(shop.queries["text"].to_list(), query, item)
    # Training may look at it in half precision.
    assert grade.mean() == pytest.approx(validation["grade"].mean(), abs=0.02)
    assert validation["grade"].mean() > parts.filter(pl.col("part") == "train")["grade"].mean()


def test_the_same_seed_gives_the_same_bytes(
    shop: PreparedJudgements, tiny_encoder: Path, tmp_path: Path
) -> None:
    options = options_of(tiny_encoder, "bi_encoder")

    one, other = (train(shop, tmp_path / name, options, SHORT) for name in ("one", "other"))
    third = train(shop, tmp_path / "third", options, SHORT.model_copy(update={"seed": 1}))

    assert one.sha256 == other.sha256
    assert one.sha256 != third.sha256


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_last_training_found_changes_nothing_in_the_next(
    shop: PreparedJudgements, tiny_encoder: Path, tmp_path: Path, kind: str
) -> None:
    shared = Remembered()
    few = shop.judgements.filter(pl.col("part") != "train")
    fewer = replace(shop, judgements=pl.concat([few, shop.judgements.head(8)]))
    top = EncoderOptions(name=str(tiny_encoder), tuning=TopLayers(layers=1))
    told = options_of(tiny_encoder, kind, words=True).model_copy(update={"encoder": top})
    # The same again, other rows, and the first ones once more.
    for at, (view, options) in enumerate([(shop, told), (shop, told), (fewer, told), (shop, told)]):
        one, other = (
            train(view, tmp_path / f"{at}-{name}", options, SHORT, None, Course(remembered=memory))
            for name, memory in (("shared", shared), ("alone", Remembered()))
        )

        assert one.sha256 == other.sha256


def test_a_run_that_is_only_judged_keeps_no_vectors_of_items(
    shop: PreparedJudgements, tiny_encoder: Path, tmp_path: Path
) -> None:
    options = options_of(tiny_encoder, "bi_encoder")
    judged = Course(answers=False)

    whole = train(shop, tmp_path / "whole", options, SHORT)
    short = train(shop, tmp_path / "short", options, SHORT, None, judged)

    assert set(whole.sha256) - set(short.sha256) == {TABLES}
    assert all(short.sha256[name] == whole.sha256[name] for name in short.sha256)


@pytest.mark.parametrize("tuning", [Frozen(), AdaLora(rank=1, first_rank=2)])
def test_every_way_of_tuning_trains(
    shop: PreparedJudgements, tiny_encoder: Path, tmp_path: Path, tuning: Frozen | AdaLora
) -> None:
    options = options_of(tiny_encoder, "bi_encoder", words=True)
    encoder = EncoderOptions(name=str(tiny_encoder), tuning=tuning)

    train(shop, tmp_path / "run", options.model_copy(update={"encoder": encoder}), SHORT)

    before = load_text_encoder(tiny_encoder, EncoderOptions(name="tiny", tuning=Frozen()))
    after = load_text_encoder(tmp_path / "run" / "encoder", EncoderOptions(tuning=Frozen()))
    moved = any(
        not torch.equal(p, q) for p, q in zip(before.parameters(), after.parameters(), strict=True)
    )
    assert moved == (not isinstance(tuning, Frozen))


def test_the_clock_ends_it(shop: PreparedJudgements, tiny_encoder: Path, tmp_path: Path) -> None:
    hurried = SHORT.model_copy(update={"minutes": 1e-9, "epochs": 50})

    manifest = train(shop, tmp_path / "run", options_of(tiny_encoder, "bi_encoder"), hurried)

    assert manifest.facts["steps"] == 1


def test_without_validation_nothing_is_chosen(shop: PreparedJudgements, tiny_encoder: Path) -> None:
    found = judged_figures(
        reader(shop, tiny_encoder, "bi_encoder"), JudgedPairs.of(shop), np.empty(0, np.int64)
    )

    assert all(np.isnan(value) for value in found.values())


def test_what_takes_a_log_is_refused(
    shop: PreparedJudgements, tiny_encoder: Path, tmp_path: Path
) -> None:
    course = Course(begin=tmp_path / "other", profile=True)

    with pytest.raises(ConfigError, match="no log of behaviour, and --from, --profile is for"):
        train(shop, tmp_path / "run", options_of(tiny_encoder, "bi_encoder"), SHORT, None, course)

    assert not (tmp_path / "run").exists()
