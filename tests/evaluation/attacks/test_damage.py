"""What an attack harms most, and what a seller gains, against values by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.attacks.config import AttackOptions
from shelfwise.evaluation.attacks.curve import Attack, Drawing, curve_of
from shelfwise.evaluation.attacks.damage import damaged_slices, harmed_requests
from shelfwise.evaluation.attacks.shop import Harm
from shelfwise.evaluation.attacks.stuffing import stuffing
from shelfwise.evaluation.attacks.victim import Victim
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.errors import DataError

OPTIONS = AttackOptions(most_targets=200, stuffed_words=(2, 8), draws=60, examples=2)


@pytest.fixture(scope="module")
def victim(tiny_run: Path, prepared_sample: PreparedShop) -> Victim:
    return Victim.of(open_run(tiny_run), prepared_sample, OPTIONS)


def _harm(
    targets: MatchTargets,
    clean_T: NDArray[np.float64],
    attacked_T: NDArray[np.float64],
    typed: tuple[list[str], list[str]] = ([], []),
) -> Harm:
    attack, drawing = Attack("some attack", "", ""), Drawing(OPTIONS.draws, 0)
    curve = curve_of(attack, "ndcg@10", clean_T, [(1.0, attacked_T)], drawing)
    return Harm(curve, targets, clean_T, attacked_T, typed)


def test_the_group_that_was_harmed_is_told(victim: Victim) -> None:
    """Searches of two words alone lose most."""
    targets = victim.searches
    many_T = np.array([len(typed.split()) == 2 for typed in victim.typed(targets)])
    assert 20 <= many_T.sum() < len(targets)
    clean_T = np.full(len(targets), 0.8)

    found = damaged_slices(victim, [_harm(targets, clean_T, np.where(many_T, 0.2, 0.8))])

    worst = found[0]
    assert (worst.name, worst.requests) == ("two words typed", many_T.sum())
    assert (worst.clean, worst.attacked, worst.lost) == pytest.approx((0.8, 0.2, 0.6))
    assert {"one word typed", "three words typed or more", "nothing typed"}.isdisjoint(
        group.name for group in found
    )
    assert [group.lost for group in found] == sorted((g.lost for g in found), reverse=True)


def test_nothing_is_told_where_nothing_is_lost(victim: Victim) -> None:
    clean_T = np.linspace(0, 1, len(victim.targets))
    assert damaged_slices(victim, [_harm(victim.targets, clean_T, clean_T)]) == []


def test_the_searches_that_suffered_most_are_told(victim: Victim) -> None:
    targets, typed = victim.searches, victim.typed(victim.searches)
    clean_T = np.full(len(targets), 0.5)
    attacked_T = clean_T.copy()
    attacked_T[3], attacked_T[7], attacked_T[9] = 0.25, 0.0, 0.4

    found = harmed_requests(
        victim, [_harm(targets, clean_T, attacked_T, (typed, [text + "x" for text in typed]))]
    )

    assert [(one.typed, one.attacked, one.left) for one in found] == [
        (typed[7], typed[7] + "x", 0.0),
        (typed[3], typed[3] + "x", 0.25),
    ]
    row = np.flatnonzero(targets.right_target_P == 7)
    titles = victim.prepared.items["title"].to_list()
    assert found[0].right in {titles[item] for item in targets.right_item_P[row].tolist()}


def test_a_seller_writes_what_is_searched_most_and_his_places_are_counted(
    victim: Victim, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[dict[int, str]] = []
    with_titles = Victim.with_titles

    def remembered(self: Victim, text_of: dict[int, str]) -> RunScorer:
        written.append(text_of)
        return with_titles(self, text_of)

    monkeypatch.setattr(Victim, "with_titles", remembered)
    pushes = stuffing(victim)

    words = [word for typed in victim.typed(victim.searches) for word in typed.split()]
    best = max(set(words), key=lambda word: (words.count(word), -words.index(word)))
    for push, text_of in zip(pushes, written, strict=True):
        assert len(text_of) == push.items
        for item, text in text_of.items():
            behind = text.removeprefix(victim.run.items[item].title).replace(",", " ").split()
            assert best == behind[0]
            assert len(set(behind[: push.words])) == push.words
            assert set(behind[: push.words]) <= set(words)
    scorer = with_titles(victim, written[-1])
    view = victim.view(victim.searches)
    top_TK = victim.ranked(scorer.match, victim.searches, view).top_TK
    assert pushes[-1].after == sum(item in written[-1] for item in top_TK.ravel().tolist())


def test_neither_suspected_fraud_nor_strangers_are_asked(
    tiny_run: Path, prepared_sample: PreparedShop
) -> None:
    every = OPTIONS.model_copy(update={"most_targets": 100_000})
    before = Victim.of(open_run(tiny_run), prepared_sample, every)
    stranger, machine = np.unique(before.searches.owner_T)[:2].tolist()
    requests = prepared_sample.requests
    doubted_R = requests["owner"].to_numpy() == machine
    positives = prepared_sample.positives
    doubted_N = doubted_R[positives["request"].to_numpy()]
    weight = np.where(doubted_N, 0.0, positives["weight"].to_numpy())
    shop = replace(
        prepared_sample,
        positives=positives.with_columns(pl.Series("weight", weight.astype(np.float32))),
    )

    name = prepared_sample.owners["owner_id"][stranger]
    after = Victim.of(open_run(tiny_run), shop, every, strangers=[name])

    for found, asked in ((after.targets, before.targets), (after.searches, before.searches)):
        kept_T = ~np.isin(asked.owner_T, [stranger, machine])
        assert found.owner_T.tolist() == asked.owner_T[kept_T].tolist()


def test_a_part_in_which_nobody_is_left_is_refused(
    tiny_run: Path, prepared_sample: PreparedShop
) -> None:
    everybody = prepared_sample.owners["owner_id"].to_list()
    with pytest.raises(DataError, match=r"no request of the test .*suspected fraud"):
        Victim.of(open_run(tiny_run), prepared_sample, OPTIONS, strangers=everybody)
