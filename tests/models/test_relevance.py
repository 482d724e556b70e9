from __future__ import annotations

from math import log
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from shelfwise.models.config import EncoderOptions, Full, HeadOptions
from shelfwise.models.crossing import SideBySide, side_by_side
from shelfwise.models.packing import rows_for
from shelfwise.models.relevance import BiEncoder, CrossEncoder, Graded
from shelfwise.models.text_encoder import TextEncoder, load_text_encoder

FIGURES = torch.tensor([[1.0, 10.0], [3.0, 10.0]])


@pytest.fixture
def encoder(tiny_encoder: Path) -> TextEncoder:
    return load_text_encoder(tiny_encoder, EncoderOptions(name="tiny", tuning=Full()))


def test_the_first_guess_is_the_mean_grade() -> None:
    graded = Graded(4, 2, HeadOptions())

    graded.start_from(FIGURES, share=0.75)

    # Figures: means 2 and 10, deviations 1 and 0 (kept above 0).
    assert graded.figure_mean_F.tolist() == [2, 10]
    assert graded.figure_scale_F[0] == 1
    logit = graded(torch.randn(2, 4), FIGURES)
    assert logit.tolist() == pytest.approx([log(3), log(3)])


def test_a_figure_far_out_says_no_more_than_four_deviations() -> None:
    graded = Graded(1, 1, HeadOptions(dropout=0)).eval()
    graded.start_from(torch.tensor([[0.0], [2.0]]), share=0.5)
    torch.nn.init.normal_(graded.layers[-1].weight)

    four, hundred = (graded(torch.zeros(1, 1), torch.tensor([[x]])) for x in (5.0, 101.0))

    assert four.item() == hundred.item()


def test_at_first_a_bi_encoder_orders_by_cosine(encoder: TextEncoder) -> None:
    model = BiEncoder(encoder, 0, HeadOptions()).eval()
    query = F.normalize(torch.randn(5, encoder.width), dim=-1)
    item = F.normalize(torch.randn(5, encoder.width), dim=-1)

    logit = model.from_vectors(query, item, torch.zeros(5, 0))

    # 4 (cosine - 1/2): the network behind it is 0 until it has learned.
    torch.testing.assert_close(logit, 4 * ((query * item).sum(-1) - 0.5))


@torch.no_grad()
def test_a_moved_head_answers_on_a_line(encoder: TextEncoder) -> None:
    model = BiEncoder(encoder, 0, HeadOptions()).eval()
    torch.nn.init.normal_(model.head.graded.layers[-1].weight)
    query = F.normalize(torch.randn(5, encoder.width), dim=-1)
    item = F.normalize(torch.randn(5, encoder.width), dim=-1)
    before = model.from_vectors(query, item, torch.zeros(5, 0))

    model.head.move(0.5, -1.0)

    after = model.from_vectors(query, item, torch.zeros(5, 0))
    torch.testing.assert_close(after, 0.5 * before - 1)


def pairs_of(
    encoder: TextEncoder, texts: list[list[int]], pairs: list[tuple[int, int]]
) -> SideBySide:
    longest = max(map(len, texts))
    ids = torch.tensor([text + [0] * (longest - len(text)) for text in texts])
    mask = ids > 0
    first, second = torch.tensor(pairs).T
    return side_by_side(encoder.middle(encoder.lower(ids, mask), mask), mask, first, second)


OPEN = torch.tensor(0.0)
TEXTS = [[2, 30, 3], [2, 31, 32, 33, 3], [2, 31, 3], [2, 9, 12, 14, 3]]


def test_everything_learns_and_figures_do_not(encoder: TextEncoder) -> None:
    for kind in (BiEncoder, CrossEncoder):
        encoder.let_meet(1 if kind is CrossEncoder else 0)
        model = kind(encoder, 2, HeadOptions())
        torch.nn.init.normal_(model.head.graded.layers[-1].weight)
        if isinstance(model, BiEncoder):
            ids = torch.tensor([[2, 9, 3], [2, 12, 3]])
            vectors = encoder(ids, torch.ones_like(ids).bool())
            logit = model.from_vectors(vectors, vectors.flip(0), FIGURES)
        else:
            logit = model.from_states(pairs_of(encoder, TEXTS, [(0, 1), (2, 3)]), FIGURES)
        logit.sum().backward()

        still = {n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()}
        # Of the embeddings some are not read; keys' biases move every score of a softmax alike.
        assert {n for n in still if "key.bias" not in n} == set()
        assert not model.head.graded.figure_mean_F.requires_grad
        model.zero_grad()


def test_states_are_laid_side_by_side() -> None:
    mask = torch.tensor([[True, True, False], [True, True, True]])
    hidden = torch.arange(6.0).view(2, 3, 1)

    found = side_by_side(hidden, mask, torch.tensor([0, 0]), torch.tensor([1, 0]))

    assert found.hidden_BWH[0, :, 0].tolist() == [0, 1, 3, 4, 5]
    assert found.hidden_BWH[1, :4, 0].tolist() == [0, 1, 0, 1]
    assert found.first_BW.tolist() == [[True, True, False, False, False]] * 2
    assert found.second_BW[1].tolist() == [False, False, True, True, False]
    assert found.there_BW[1].tolist() == [True, True, True, True, False]


def test_pairs_do_not_depend_on_their_company(encoder: TextEncoder) -> None:
    encoder.eval().let_meet(1)
    model = CrossEncoder(encoder, 0, HeadOptions()).eval()
    torch.nn.init.normal_(model.second_H)
    asked = [(0, 1), (2, 3), (0, 3)]

    def logits(texts: list[list[int]], pairs: list[tuple[int, int]]) -> torch.Tensor:
        return model.from_states(pairs_of(encoder, texts, pairs), torch.zeros(len(pairs), 0))

    together = logits(TEXTS, asked)

    torch.testing.assert_close(logits(TEXTS, asked[::-1]).flip(0), together)
    alone = logits([TEXTS[2], TEXTS[3]], [(0, 1)])
    torch.testing.assert_close(alone[0], together[1], atol=1e-5, rtol=1e-5)


def test_texts_read_each_other_in_the_upper_layers_alone(encoder: TextEncoder) -> None:
    encoder.eval()
    alone = encoder(*(torch.tensor([TEXTS[0]]), torch.ones(1, 3, dtype=torch.bool)))
    encoder.let_meet(1)
    with_others = [
        encoder.together(pairs_of(encoder, TEXTS, [(0, other)]), OPEN)[0] for other in (1, 3)
    ]

    assert not torch.allclose(*with_others, atol=1e-4)  # it depends on its partner
    assert not torch.allclose(with_others[0], alone, atol=1e-4)
    # What stands below the meeting is the text's own.
    states = [pairs_of(encoder, TEXTS, [(0, other)]).hidden_BWH[0, :3] for other in (1, 3)]
    torch.testing.assert_close(*states)


def test_a_cross_encoder_begins_near_the_encoders_own_vectors(encoder: TextEncoder) -> None:
    encoder.eval().let_meet(1)
    model = CrossEncoder(encoder, 0, HeadOptions()).eval()
    pairs = pairs_of(encoder, TEXTS, [(0, 1), (2, 3)])

    query, item = encoder.together(pairs, torch.tensor(-3.0))

    expected = 4 * ((query * item).sum(-1) - 0.5)
    torch.testing.assert_close(model.from_states(pairs, torch.zeros(2, 0)), expected)


def test_closed_each_text_reads_itself_alone(encoder: TextEncoder) -> None:
    encoder.eval()
    alone = [encoder(torch.tensor([TEXTS[n]]), torch.ones(1, len(TEXTS[n])).bool()) for n in (0, 1)]
    encoder.let_meet(1)
    pairs = pairs_of(encoder, TEXTS, [(0, 1), (2, 3)])

    closed = encoder.together(pairs, torch.tensor(-60.0))
    opened = encoder.together(pairs, OPEN)

    for side in (0, 1):
        torch.testing.assert_close(closed[side][:1], alone[side], atol=1e-5, rtol=1e-5)
        assert not torch.allclose(opened[side][:1], alone[side], atol=1e-4)


def test_pairs_that_share_rows_say_what_each_says_alone(encoder: TextEncoder) -> None:
    encoder.eval().let_meet(2)
    draw = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 24, (24,), generator=draw).tolist()
    texts = [[2, *torch.randint(5, 40, (n,), generator=draw).tolist(), 3] for n in lengths]
    asked = [(n, (7 * n + 5) % 24) for n in range(24)]
    pairs = pairs_of(encoder, texts, asked)
    assert rows_for(pairs.there_BW) is not None

    for across in (torch.tensor(-3.0), OPEN):
        together = encoder.together(pairs, across)
        for n in (0, 9, 23):
            alone = encoder.together(pairs_of(encoder, texts, [asked[n]]), across)
            for side in (0, 1):
                torch.testing.assert_close(together[side][n], alone[side][0], atol=1e-5, rtol=1e-4)
