from __future__ import annotations

import numpy as np
import pytest
import torch

from shelfwise.training.adaptation.judge import Questions, recall
from shelfwise.training.adaptation.pairs import TextPairs

ITEMS = 42


def pairs_of(*pairs: tuple[int, int]) -> TextPairs:
    left, right = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    return TextPairs(left, right, left * 0)


def test_recall_by_hand() -> None:
    # 42 items on a quarter circle and a query, text 42, that reads like item 0.
    angle = torch.linspace(0, torch.pi / 2, ITEMS)
    angle = torch.cat([angle, angle[:1]])
    vectors_TH = torch.stack([angle.cos(), angle.sin()], dim=1)
    # Of item 0 the 20 nearest others are 1..20: 20 is among them, 21 and 30 are not.
    # Of the query they are 0..19: 0 and 19 are, 20 is not. A pair told twice counts once.
    questions = Questions.of(
        pairs_of((0, 20), (0, 30), (0, 21), (42, 19), (42, 20), (42, 0), (42, 0))
    )

    found = recall(questions, vectors_TH, ITEMS)

    assert found.support == 2
    assert found.value == pytest.approx((1 / 3 + 2 / 3) / 2)


def test_without_questions_nothing_is_known() -> None:
    nothing = np.empty(0, np.int64)
    found = recall(Questions.of(TextPairs(nothing, nothing, nothing)), torch.eye(3), 3)

    assert np.isnan(found.value)
    assert found.support == 0


def test_many_questions_are_asked_in_parts_and_the_most_are_spread_evenly() -> None:
    rng = np.random.default_rng(0)
    vectors = torch.nn.functional.normalize(torch.from_numpy(rng.normal(size=(3_000, 4))), dim=-1)
    every = pairs_of(*((n, (n * 7 + 1) % 3_000) for n in range(3_000) if (n * 7 + 1) % 3_000 != n))
    questions = Questions.of(every)

    assert len(questions.left_A) == 2_000
    assert questions.left_A[0] == every.left_P.min()
    assert questions.left_A[-1] == every.left_P.max()
    score = (vectors @ vectors.T).fill_diagonal_(-2)
    left, right = questions.left_A, questions.right_P  # one answer each
    nearer = (score[left] > score[left, right][:, None]).sum(1)
    expected = (nearer < 20).double().mean().item()
    assert recall(questions, vectors, 3_000).value == pytest.approx(expected)
