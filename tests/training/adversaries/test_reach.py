"""An adversary that would move nothing is refused, before anything is learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from shelfwise.data.prepared import PreparedShop
from shelfwise.models.config import (
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
from shelfwise.schema.errors import ConfigError
from shelfwise.training.adversaries.attempt import Attempt
from shelfwise.training.adversaries.choice import Opponent
from shelfwise.training.adversaries.options import Awp, Fgm, FreeLb, Pgd
from shelfwise.training.adversaries.reach import (
    passed_in_judgements,
    passed_in_shop,
    passed_in_texts,
    refuse_unreached,
)
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


def test_by_hand() -> None:
    assert passed_in_shop(ModelOptions(id_embedding=False), learns=False) == {"items", "history"}
    crossed = ModelOptions(relevance=RelevanceModelOptions(kind="cross_encoder"))
    assert passed_in_judgements(ModelOptions(), learns=True) == {"items", "words"}
    assert passed_in_judgements(crossed, learns=True) == {"words"}
    assert passed_in_judgements(crossed, learns=False) == set()
    assert passed_in_texts(learns=True) == {"words"}


def test_all_that_is_wrong_is_said_with_why() -> None:
    passed = passed_in_shop(ModelOptions(history=NoHistory()), learns=False)
    with pytest.raises(ConfigError, match=r"words: .*tuning.*; history: .*Places it has: ids, it"):
        refuse_unreached(Fgm(places=("words", "items", "history")), passed)


def test_what_moves_no_rows_needs_no_place() -> None:
    refuse_unreached(Awp(), frozenset())
    for options in (Fgm(), Pgd(), FreeLb()):
        refuse_unreached(options, frozenset({"words"}))
