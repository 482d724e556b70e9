from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from shelfwise.data.prepared import PreparedShop
from shelfwise.losses.contrastive import contrastive_loss
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.schema.progress import Silent
from shelfwise.training.adaptation.adapt import material_of
from shelfwise.training.adaptation.lesson import Drawn, Teacher
from shelfwise.training.adaptation.masked_words import words_of
from shelfwise.training.adaptation.options import Adaptation
from shelfwise.training.adaptation.pairs import TextPairs
from shelfwise.training.text_bank import TextBank

from .small_shop import start_of

CPU = torch.device("cpu")


def teacher_of(
    prepared: PreparedShop, folder: Path, matryoshka: tuple[int, ...] = (), **options: object
) -> Teacher:
    chosen = Adaptation.model_validate(options)
    start = start_of(prepared, folder, matryoshka=matryoshka, tuning=chosen.tuning)
    torch.manual_seed(0)
    material = material_of(prepared, start, chosen, 0)
    bank = TextBank(load_text_encoder(folder, start.encoder), start.tokens, CPU, Silent())
    words = words_of(material.variations.tokenizer) if chosen.masked_weight else None
    return Teacher(bank, material, chosen, words)


def plain(left: list[int], right: list[int]) -> Drawn:
    owner = np.full(len(left), -1)
    return Drawn(TextPairs(np.array(left), np.array(right), owner), np.zeros(len(left), bool))


def loss_of(teacher: Teacher, drawn: Drawn) -> Tensor:
    return teacher.pair_loss(drawn, np.random.default_rng(0))


def test_each_kind_has_its_share_of_a_batch(small_shop: PreparedShop, tiny_encoder: Path) -> None:
    material = teacher_of(small_shop, tiny_encoder).material
    items = len(small_shop.items)

    drawn = material.drawn(10, np.random.default_rng(0))

    assert drawn is not None
    left_B, right_B, owner_B = drawn.pairs
    # 10 in three parts: 4 queries, 3 of items taken together, 3 titles.
    assert (left_B >= items).tolist() == [True] * 4 + [False] * 6
    assert drawn.varied_B.tolist() == [False] * 7 + [True] * 3
    assert (left_B == right_B).tolist() == [False] * 7 + [True] * 3
    assert (owner_B >= 0).tolist() == [True] * 7 + [False] * 3


def test_the_loss_is_that_of_the_plain_vectors(
    small_shop: PreparedShop, tiny_encoder: Path
) -> None:
    # Nothing belongs together but the pairs (i0, i4) and (i2, i3), which are no pairs of the log.
    teacher = teacher_of(small_shop, tiny_encoder, hard_negatives=0, temperature=0.5)
    vectors_TH = teacher.bank.vectors_TH

    found = loss_of(teacher, plain([0, 2], [4, 3]))

    expected = contrastive_loss(vectors_TH[[0, 2]], vectors_TH[[4, 3]], scale=2.0)
    assert found.item() == pytest.approx(expected.item(), rel=0.02)  # bf16, where the CPU has it


def test_shorter_vectors_count_as_much_as_whole_ones(
    small_shop: PreparedShop, tiny_encoder: Path
) -> None:
    teacher = teacher_of(small_shop, tiny_encoder, (8, 4), hard_negatives=0, temperature=0.5)
    vectors_TH = teacher.bank.vectors_TH

    found = loss_of(teacher, plain([0, 2], [4, 3]))

    cut = [F.normalize(vectors_TH[:, :width], dim=-1) for width in (32, 8, 4)]
    expected = sum(contrastive_loss(v[[0, 2]], v[[4, 3]], scale=2.0).item() for v in cut)
    assert found.item() == pytest.approx(expected, rel=0.02)


def test_what_may_be_right_is_no_negative(small_shop: PreparedShop, tiny_encoder: Path) -> None:
    teacher = teacher_of(small_shop, tiny_encoder, hard_negatives=0)

    # i0 and i1 were taken together, so (i0, i0) and (i1, i1) have nothing to be told apart from.
    assert loss_of(teacher, plain([0, 1], [0, 1])).item() == 0
    assert loss_of(teacher, plain([0, 4], [0, 4])).item() > 0


def test_hard_negatives_join_the_softmax(small_shop: PreparedShop, tiny_encoder: Path) -> None:
    drawn = plain([0, 4], [1, 3])

    without = loss_of(teacher_of(small_shop, tiny_encoder, hard_negatives=0), drawn)
    few = loss_of(teacher_of(small_shop, tiny_encoder, nearest_passed=0), drawn)
    none_left = loss_of(teacher_of(small_shop, tiny_encoder, nearest_passed=9), drawn)

    assert few.item() > without.item()
    assert none_left.item() == pytest.approx(without.item(), rel=1e-6)


def test_the_total_by_its_parts(small_shop: PreparedShop, tiny_encoder: Path) -> None:
    teacher = teacher_of(small_shop, tiny_encoder, masked_weight=0.25)

    terms = teacher.losses(np.random.default_rng(3), head_alone=False)
    again = teacher.losses(np.random.default_rng(3), head_alone=False)

    assert terms.masked.item() > 0
    assert terms.total.item() == pytest.approx(terms.pairs.item() + 0.25 * terms.masked.item())
    assert terms.total.item() == again.total.item()


def test_without_the_words_there_is_no_head(small_shop: PreparedShop, tiny_encoder: Path) -> None:
    teacher = teacher_of(small_shop, tiny_encoder, masked_weight=0)

    assert teacher.head is None
    assert teacher.losses(np.random.default_rng(0), head_alone=False).masked.item() == 0


def test_words_alone_can_be_learned(small_shop: PreparedShop, tiny_encoder: Path) -> None:
    teacher = teacher_of(small_shop, tiny_encoder, pairs=())

    terms = teacher.losses(np.random.default_rng(0), head_alone=False)

    assert teacher.material.drawn(4, np.random.default_rng(0)) is None
    assert terms.pairs.item() == 0
    assert terms.masked.item() > 0
