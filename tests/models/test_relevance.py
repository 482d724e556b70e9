from __future__ import annotations

from math import log
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from shelfwise.models.config import EncoderOptions, Full, HeadOptions
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


def test_everything_learns_and_figures_do_not(encoder: TextEncoder) -> None:
    ids = torch.tensor([[2, 9, 3], [2, 12, 3]])
    mask = torch.ones_like(ids).bool()
    for model in (BiEncoder(encoder, 2, HeadOptions()), CrossEncoder(encoder, 2, HeadOptions())):
        last = model.graded.layers[-1]
        torch.nn.init.normal_(last.weight)
        vectors = encoder(ids, mask)
        logit = (
            model.from_vectors(vectors, vectors.flip(0), FIGURES)
            if isinstance(model, BiEncoder)
            else model.from_vectors(vectors, FIGURES)
        )
        logit.sum().backward()

        still = {n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()}
        # Of the embeddings some are not read; keys' biases move every score of a softmax alike.
        assert {n for n in still if "key.bias" not in n} == set()
        assert not model.graded.figure_mean_F.requires_grad
        model.zero_grad()


def test_a_pair_read_together_does_not_depend_on_its_company(tiny_encoder: Path) -> None:
    encoder = load_text_encoder(tiny_encoder, EncoderOptions(name="tiny", tuning=Full())).eval()
    encoder.tell_apart(3)
    ids = torch.tensor([[2, 30, 3, 31, 32, 33, 3], [2, 30, 3, 31, 3, 0, 0]])
    mask = ids > 0

    together = encoder(ids, mask)

    torch.testing.assert_close(encoder(ids.flip(0), mask.flip(0)).flip(0), together)
    torch.testing.assert_close(encoder(ids[1:, :5], mask[1:, :5])[0], together[1])


def test_first_and_second_text_are_told_apart(tiny_encoder: Path) -> None:
    encoder = load_text_encoder(tiny_encoder, EncoderOptions(name="tiny", tuning=Full())).eval()
    pair, single = torch.tensor([[2, 30, 3, 31, 3]]), torch.tensor([[2, 30, 31, 3]])
    plain = [encoder(ids, torch.ones_like(ids).bool()) for ids in (pair, single)]

    encoder.tell_apart(3)
    apart = [encoder(ids, torch.ones_like(ids).bool()) for ids in (pair, single)]

    assert not torch.allclose(plain[0], apart[0], atol=1e-4)
    torch.testing.assert_close(plain[1], apart[1])
