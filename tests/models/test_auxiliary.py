from __future__ import annotations

from math import exp, log

import pytest
import torch

from shelfwise.models.auxiliary import (
    AttributeHeads,
    AuxiliaryHeads,
    AuxiliaryTasks,
    IntentHead,
    InterestHead,
    RelevanceHead,
)
from shelfwise.models.config import ModelOptions, TransformerHistory
from shelfwise.models.shelf_model import ShelfModel

from .test_shelf_model import SHAPE, H, catalogue_of, requests

OPTIONS = ModelOptions(width=8, history=TransformerHistory(heads=2))
WITH_INTENT = SHAPE._replace(auxiliary=AuxiliaryTasks(intents=3))


def test_what_is_not_learned_has_no_parameters() -> None:
    assert list(AuxiliaryHeads(4, 8, AuxiliaryTasks()).parameters()) == []
    plain = ShelfModel(SHAPE, OPTIONS).state_dict()
    assert not [name for name in plain if "auxiliary" in name or "task_weights" in name]

    only_kinds = InterestHead(8, 0, 4)
    assert {name for name, _ in only_kinds.named_parameters()} == {"kind.weight", "kind.bias"}
    assert only_kinds(torch.rand(2, 8)).category_RC is None


def test_at_first_every_class_is_as_likely() -> None:
    interest = InterestHead(8, 3, 2)(torch.rand(2, 8))
    attributes = AttributeHeads(4, {"brand": 5})(torch.rand(2, 4))

    for logit in (interest.category_RC, interest.kind_RC, attributes["brand"]):
        assert logit is not None
        assert (logit == 0).all()


def test_evidence_of_an_intent_by_hand() -> None:
    head = IntentHead(1, 4)
    head.known_C.copy_(torch.tensor([True, True, True, False]))
    with torch.no_grad():
        # One number of width 1: logits are 2, 0 and 0 for the text 1; the fourth is not known.
        head.category.weight.copy_(torch.tensor([[2.0], [0], [0], [9]]))

    found = head.evidence(torch.tensor([[1.0], [0.0]]))

    # p = e^2 / (e^2 + 2) and twice 1 / (e^2 + 2); against a chance of 1/3.
    whole = exp(2) + 2
    first = [log(3 * exp(2) / whole), log(3 / whole), log(3 / whole), 0, 0]
    assert found[0].tolist() == pytest.approx(first, abs=1e-6)
    # Words that say nothing weigh nothing.
    assert found[1].tolist() == pytest.approx([0] * 5, abs=1e-6)
    # However sure, no more than e^4 times as likely, or as unlikely.
    assert head.evidence(torch.tensor([[50.0]]))[0, :3].tolist() == pytest.approx([log(3), -4, -4])


def test_relevance_by_hand() -> None:
    head = RelevanceHead()
    query = torch.tensor([[1.0, 0.0]])

    # 10 * (0.5 * cos - 0.2), with cos = 0.6.
    assert head(query, torch.tensor([[0.6, 0.8]])).item() == pytest.approx(1.0)


def with_gains(match: float, click: float) -> ShelfModel:
    torch.manual_seed(0)
    model = ShelfModel(WITH_INTENT, OPTIONS).eval()
    intent = model.auxiliary.intent
    assert intent is not None
    torch.manual_seed(1)
    with torch.no_grad():
        intent.category.weight.normal_()
        intent.match_gain.fill_(match)
        intent.click_gain.fill_(click)
    return model


@torch.no_grad()
def test_an_intent_weighs_the_ranking_and_the_click() -> None:
    silent, heard = with_gains(0, 0), with_gains(0.5, 2)
    catalogue, asked = catalogue_of(silent), requests()
    # Items 0 and 1 are of category 2, item 2 of category 0, the others of none.
    group_VC = torch.tensor([[2, -1], [2, -1], [0, -1], [-1, -1], [-1, -1]])
    catalogue = catalogue._replace(group_VC=group_VC)
    assert heard.auxiliary.intent is not None
    told = heard.auxiliary.intent.evidence(catalogue.query_text_QH)[0]
    assert told[0] != told[2]

    added = heard.priors(asked, catalogue) - silent.priors(asked, catalogue)
    # The second request has no query.
    expected = [[0.5 * float(told[c]) for c in (2, 2, 0, 3, 3)], [0.0] * 5]
    torch.testing.assert_close(added, torch.tensor(expected), atol=1e-6, rtol=1e-5)

    request = silent.request_vectors(asked, catalogue)
    pairs = (torch.tensor([0, 0, 1]), torch.tensor([0, 3, 0]))
    told_of = []
    heard.heads.register_forward_pre_hook(lambda _module, args: told_of.append(args[0].match_N))
    click = heard.judge(request, asked, catalogue, pairs, None).click_N
    # The heads are told the match that ranking uses, and the click's own share comes on top.
    score = heard.match_scores(request, asked, catalogue)
    torch.testing.assert_close(told_of[0], score[pairs], atol=1e-5, rtol=1e-5)
    with_match_only = with_gains(0.5, 0).judge(request, asked, catalogue, pairs, None).click_N
    expected_click = torch.tensor([2 * float(told[2]), 0.0, 0.0])
    torch.testing.assert_close(click - with_match_only, expected_click, atol=1e-5, rtol=1e-5)


def test_ranking_teaches_how_much_an_intent_weighs_and_not_what_it_says() -> None:
    model = with_gains(0, 0)
    catalogue = catalogue_of(model)._replace(group_VC=torch.tensor([[0, -1]] * 2 + [[1, -1]] * 3))

    model.priors(requests(), catalogue)[0, 0].backward()

    intent = model.auxiliary.intent
    assert intent is not None
    assert intent.match_gain.grad is not None
    assert intent.match_gain.grad != 0
    assert intent.category.weight.grad is None


def test_vectors_of_any_width_give_logits_of_like_size() -> None:
    # A unit vector of 4 equal entries is 1/2 each; scaled by sqrt(4) they are 1.
    heads = AttributeHeads(H, {"brand": 2})
    with torch.no_grad():
        heads.of["brand"].weight.fill_(1.0)
    unit = torch.full((1, H), H**-0.5)

    assert heads(unit)["brand"].tolist() == [pytest.approx([H, H], rel=1e-5)]
