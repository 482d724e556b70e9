"""An adversary that would move nothing is refused, before anything is learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pytest
import torch

from shelfwise.data.prepared import PreparedJudgements, PreparedShop
from shelfwise.models.config import (
    EncoderOptions,
    FlatTextHistory,
    Frozen,
    HistoryEncoderOptions,
    MeanPoolHistory,
    ModelOptions,
    NoHistory,
    RelevanceModelOptions,
    TopLayers,
    TransformerHistory,
    TuningOptions,
)
from shelfwise.models.places import Nudges, PlaceName
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.progress import Silent
from shelfwise.training.adversaries.attempt import Attempt
from shelfwise.training.adversaries.choice import Opponent
from shelfwise.training.adversaries.options import Awp, Fgm, FreeLb, Pgd
from shelfwise.training.adversaries.reach import (
    PASSED_IN_JUDGEMENTS,
    PASSED_IN_TEXTS,
    passed_in_shop,
    refuse_unreached,
    unmoved,
)
from shelfwise.training.config import TrainOptions
from shelfwise.training.judged_lesson import JudgedLesson
from shelfwise.training.judged_pairs import JudgedPairs
from shelfwise.training.pair_readers import Source, reader_of
from shelfwise.training.remembered import Remembered
from shelfwise.training.train import train
from training.judged_shop import judged_shop
from training.small_network import network_of
from training.test_step import batches_of, learner_of

HISTORIES = (
    TransformerHistory(heads=2),
    MeanPoolHistory(),
    NoHistory(),
    FlatTextHistory(tokens=48),
)


class Prober:
    """Looks at which places a batch's loss has a gradient."""

    def __init__(self) -> None:
        self.felt: set[str] = set()

    def learn(self, attempt: Attempt) -> None:
        for name in get_args(PlaceName):
            nudges = Nudges(frozenset({name}))
            loss = attempt.loss(nudges)
            gradients = attempt.gradients(loss, list(nudges.added.values()))
            if any(gradient is not None and gradient.any() for gradient in gradients):
                self.felt.add(name)


@pytest.mark.parametrize("tuning", [Frozen(), TopLayers(layers=1)], ids=lambda o: o.mode)
@pytest.mark.parametrize("history", HISTORIES, ids=lambda o: o.kind)
def test_places_that_are_told_are_those_that_the_loss_feels(
    prepared_sample: PreparedShop,
    tiny_encoder: Path,
    history: HistoryEncoderOptions,
    tuning: TuningOptions,
) -> None:
    network = network_of(prepared_sample, tiny_encoder, tuning, history)
    prober = Prober()
    learner = replace(learner_of(prepared_sample, network), opponent=Opponent(prober))

    learner.take(1, batches_of(learner, 1))

    told = passed_in_shop(network.model.options, learns=network.bank.learns)
    assert prober.felt == told


@pytest.fixture(scope="module")
def judgements(tmp_path_factory: pytest.TempPathFactory) -> PreparedJudgements:
    return judged_shop(tmp_path_factory.mktemp("judged"))


@pytest.mark.parametrize("kind", ["bi_encoder", "cross_encoder"])
@pytest.mark.parametrize("tuning", [Frozen(), TopLayers(layers=1)], ids=lambda o: o.mode)
def test_places_of_judgements_are_those_that_the_loss_feels(
    judgements: PreparedJudgements,
    tiny_encoder: Path,
    kind: Literal["bi_encoder", "cross_encoder"],
    tuning: TuningOptions,
) -> None:
    encoder = EncoderOptions(name=str(tiny_encoder), tuning=tuning)
    options = ModelOptions(encoder=encoder, relevance=RelevanceModelOptions(kind=kind))
    pairs = JudgedPairs.of(judgements)
    source = Source(
        judgements,
        pairs,
        options,
        load_text_encoder(tiny_encoder, encoder),
        tiny_encoder / "tokenizer.json",
        torch.device("cpu"),
        Silent(),
        Remembered(),
    )
    reader = reader_of(source)
    reader.model.train()
    prober = Prober()

    lesson = JudgedLesson(reader, pairs, TrainOptions(), 1, np.arange(8))
    prober.learn(lesson.attempt([]))

    assert prober.felt == PASSED_IN_JUDGEMENTS


def test_a_place_that_is_nowhere_is_refused() -> None:
    passed = passed_in_shop(ModelOptions(history=NoHistory(), id_embedding=False), learns=False)
    assert passed == {"items"}
    with pytest.raises(ConfigError, match=r"words: .*tuning.*; history: .*Places it has: items"):
        refuse_unreached(Fgm(places=("words", "history")), passed)


def test_beside_others_it_is_told() -> None:
    passed = passed_in_shop(ModelOptions(history=NoHistory()), learns=True)
    options = Pgd(places=("words", "history"))
    refuse_unreached(options, passed)
    (told,) = unmoved(options, passed)
    assert told.startswith("train.adversary.places: nothing is moved at history: no events")
    assert unmoved(Pgd(places=("words",)), passed) == []


def test_a_training_refuses_it_or_says_it(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    model = ModelOptions(
        width=16,
        history=NoHistory(),
        encoder=EncoderOptions(name=str(tiny_encoder), tuning=Frozen()),
    )
    learned = TrainOptions(epochs=1, live_texts=4, refit=False, threads=1, adversary=Fgm())

    with pytest.raises(ConfigError, match="nothing of this training passes words"):
        train(prepared_sample, tmp_path / "refused", model, learned)
    options = learned.model_copy(update={"adversary": Fgm(places=("items", "history"))})
    facts = train(prepared_sample, tmp_path / "run", model, options).facts

    assert any("nothing is moved at history" in warning for warning in facts["warnings"])


def test_what_moves_no_rows_needs_no_place() -> None:
    refuse_unreached(Awp(), frozenset())
    assert unmoved(Awp(), frozenset()) == []
    for options in (Fgm(), Pgd(), FreeLb()):
        refuse_unreached(options, PASSED_IN_TEXTS)
