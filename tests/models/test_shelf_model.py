from __future__ import annotations

from math import exp, log

import pytest
import torch

from shelfwise.data.history import KINDS
from shelfwise.models.catalogue import Catalogue, Fresh, ItemInputs
from shelfwise.models.config import (
    HistoryEncoderOptions,
    MeanPoolHistory,
    ModelOptions,
    NoHistory,
    TargetAttentionHistory,
    TransformerHistory,
)
from shelfwise.models.history_encoder import AGE_BUCKETS
from shelfwise.models.requests import MetItems, Requests, as_read
from shelfwise.models.shelf_model import Shape, ShelfModel
from shelfwise.schema.event import EventKind

V, H, Q, F, G = 5, 6, 3, 2, 5
SHAPE = Shape(text_width=H, items=V, numbers=F, trend=G)
OPTIONS = ModelOptions(width=8, targets="own", history=TransformerHistory(heads=2))
CLICK, SEARCH, BUY = (
    KINDS.index(kind) for kind in (EventKind.CLICK, EventKind.SEARCH, EventKind.PURCHASE)
)
WARM = torch.tensor([True, True, True, True, False])
GROUPS = torch.tensor([[0, -1], [1, 0], [1, 1], [0, 0], [-1, 1]])  # category and brand


def model_of(options: ModelOptions = OPTIONS) -> ShelfModel:
    """Every weight random: at the start many are zero, and would hide what they do."""
    made = ShelfModel(SHAPE, options)
    torch.manual_seed(2)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if name != "log_scale":
                parameter.normal_(std=0.3)
    return made.eval()


def inputs(warm: torch.Tensor = WARM) -> ItemInputs:
    torch.manual_seed(5)
    text = torch.nn.functional.normalize(torch.randn(V, H), dim=-1)
    number, trend = torch.randn(V, F), torch.rand(2, V, G)
    return ItemInputs(text, number, GROUPS, warm, trend)


def query_texts() -> torch.Tensor:
    torch.manual_seed(6)
    return torch.nn.functional.normalize(torch.randn(Q, H), dim=-1)


def catalogue_of(model: ShelfModel, items: ItemInputs | None = None) -> Catalogue:
    return model.catalogue(items or inputs(), query_texts())


def requests() -> Requests:
    """0: bought item 1 twice, then searched, and asks with a query. 1: nothing done or typed."""
    return Requests(
        met=MetItems(
            item_RP=torch.tensor([[1, 1], [-1, -1]]),
            kind_RP=torch.tensor([[BUY, BUY], [0, 0]]),
            age_RP=torch.tensor([[30.0, 1.5], [0, 0]]),
        ),
        item_RL=torch.tensor([[1, 1, -1], [-1, -1, -1]]),
        query_RL=torch.tensor([[-1, -1, 2], [-1, -1, -1]]),
        kind_RL=torch.tensor([[BUY, BUY, SEARCH], [0, 0, 0]]),
        age_RL=torch.tensor([[30.0, 1.5, 0.1], [0, 0, 0]]),
        valid_RL=torch.tensor([[True, True, True], [False, False, False]]),
        query_R=torch.tensor([0, -1]),
        surface_R=torch.tensor([0, 1]),
        moment_R=torch.tensor([1, 0]),
        fold_R=torch.tensor([0, 0]),
    )


@torch.no_grad()
def test_vectors_have_length_one() -> None:
    model = model_of()
    catalogue = catalogue_of(model)

    for vectors in (
        catalogue.item_VD,
        catalogue.target_VD,
        catalogue.query_QD,
        model.request_vectors(requests(), catalogue),
    ):
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(vectors)))


@torch.no_grad()
def test_one_text_for_all_is_projected_once_and_says_the_same() -> None:
    model, some = model_of(), inputs()
    one = some.text_VH[:1]

    kept_once = model.item_vectors(some._replace(text_VH=one.expand(V, H)))
    row_by_row = model.item_vectors(some._replace(text_VH=one.repeat(V, 1)))

    for found, right in zip(kept_once, row_by_row, strict=True):
        torch.testing.assert_close(found, right)


@torch.no_grad()
def test_a_cold_item_is_its_text_and_numbers() -> None:
    model = model_of()
    without_ids = model_of()
    assert without_ids.item_id is not None
    assert without_ids.item_bias is not None
    without_ids.item_id.weight.zero_()
    without_ids.item_bias.weight.zero_()

    assert without_ids.target_id is not None
    without_ids.target_id.weight.zero_()
    model.cold_logit.fill_(-2.5)

    found, plain = catalogue_of(model), catalogue_of(without_ids)

    torch.testing.assert_close(found.item_VD[4], plain.item_VD[4])
    torch.testing.assert_close(found.target_VD[4], plain.target_VD[4])
    assert not torch.isclose(found.item_VD[:4], plain.item_VD[:4]).all(dim=1).any()
    # A bias is stored ten times smaller than the logit it stands for.
    assert model.item_bias is not None
    expected = [10 * float(bias) for bias in model.item_bias.weight[:4, 0]] + [-2.5]
    assert found.item_bias_V.tolist() == pytest.approx(expected)


@torch.no_grad()
def test_without_ids_items_of_like_text_are_one() -> None:
    model = model_of(OPTIONS.model_copy(update={"id_embedding": False}))
    items = inputs()
    items.text_VH[1] = items.text_VH[0]
    items.number_VF[1] = items.number_VF[0]

    found = catalogue_of(model, items)

    # To the last bit but one: some processors add up the rows of a product in different orders.
    torch.testing.assert_close(found.item_VD[0], found.item_VD[1], rtol=1e-6, atol=1e-7)
    assert found.item_bias_V.tolist() == [0] * V


def test_in_training_some_items_do_without_their_id() -> None:
    model = model_of(OPTIONS.model_copy(update={"id_dropout": 0.5}))
    items = inputs()
    with torch.no_grad():
        whole = catalogue_of(model).item_VD
        none = catalogue_of(model, inputs(torch.zeros(V, dtype=torch.bool))).item_VD
        model.train()
        seen = set()
        for _ in range(20):
            drawn, _ = model.item_vectors(items)
            for item in range(V):
                with_id = torch.allclose(drawn[item], whole[item])
                assert with_id or torch.allclose(drawn[item], none[item])
                seen.add((item, with_id))

    # The cold item's two vectors are one and the same.
    assert seen == {(item, told) for item in range(4) for told in (True, False)} | {(4, True)}


def test_a_few_fresh_texts_learn_as_they_would_within_the_whole_table() -> None:
    model, items = model_of(), inputs()
    torch.manual_seed(8)
    item_B, towards_VD = torch.tensor([3, 1]), torch.randn(V, 8)
    grads = []
    for apart in (True, False):
        text_BH = torch.full((2, H), 0.3, requires_grad=True)
        whole_VH = items.text_VH.index_put((item_B,), text_BH)
        fresh = Fresh(items.text_VH, item_B, text_BH) if apart else None
        met_VD, next_VD = model.item_vectors(items._replace(text_VH=whole_VH, fresh=fresh))
        parts = (model.text.weight, model.text.bias, model.target_shift.weight, text_BH)
        grads.append(torch.autograd.grad(((met_VD + next_VD) * towards_VD).sum(), parts))

    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other)


@torch.no_grad()
def test_shared_targets_are_what_was_met() -> None:
    model = model_of(OPTIONS.model_copy(update={"targets": "shared"}))
    found = catalogue_of(model)

    assert model.target_shift is None
    assert model.target_id is None
    assert torch.equal(found.target_VD, found.item_VD)


@torch.no_grad()
def test_at_first_what_comes_next_is_what_was_met() -> None:
    torch.manual_seed(0)
    found = catalogue_of(ShelfModel(SHAPE, OPTIONS).eval())

    torch.testing.assert_close(found.target_VD, found.item_VD)


@torch.no_grad()
def test_priors_by_hand() -> None:
    model = model_of()
    items = inputs()
    found = model.priors(requests(), catalogue_of(model, items))

    assert model.item_bias is not None
    for row, moment in enumerate([1, 0]):
        for item in range(V):
            trend = sum(
                float(items.trend_KVG[moment, item, g]) * 10 * float(model.trend[g])
                for g in range(G)
            )
            bias = 10 * float(model.item_bias.weight[item, 0]) * bool(WARM[item])
            assert float(found[row, item]) == pytest.approx(trend + bias, abs=1e-5)


def excitement(model: ShelfModel, kind: int, bucket: int) -> float:
    """At the start e times for any meeting; stored ten times smaller than what it stands for."""
    return exp(10 * float(model.repeat.excitement.weight[kind * AGE_BUCKETS + bucket, 0]) + 1)


def bought_twice(model: ShelfModel, items: ItemInputs) -> float:
    """What item 1 gains for the first request: of moment 1, after 30 hours and 1.5."""
    # 30 hours are in bucket 8 (16 to 32), 1.5 in bucket 4; the two purchases add up.
    much = excitement(model, BUY, 8) + excitement(model, BUY, 4)
    trend = sum(float(items.trend_KVG[1, 1, g]) * float(model.repeat.trend[g]) for g in range(G))
    return float(model.repeat.power) * log(1 + much) + trend


@torch.no_grad()
def test_match_is_cosine_and_prior_and_repeats() -> None:
    model = model_of()
    catalogue = catalogue_of(model)
    asked = requests()
    request = model.request_vectors(asked, catalogue)

    found = model.match_scores(request, asked, catalogue)

    expected = 3 * request @ catalogue.target_VD.T + model.priors(asked, catalogue)
    expected += model.welcome * ~WARM
    expected[0, 1] += bought_twice(model, inputs())
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-5)


@torch.no_grad()
def test_judging_knows_the_match_of_its_pair() -> None:
    """The heads are told the retrieval logit and the repeats within it."""
    model = model_of()
    catalogue = catalogue_of(model)
    asked = requests()
    request = model.request_vectors(asked, catalogue)
    told = []
    model.heads.register_forward_pre_hook(lambda _module, args: told.append(args))
    request_N = torch.tensor([0, 0, 1, 1])
    item_N = torch.tensor([1, 4, 1, 0])

    model.judge(request, asked, catalogue, (request_N, item_N), None)

    pair, past, position = told[0]
    score = model.match_scores(request, asked, catalogue)
    torch.testing.assert_close(pair.match_N, score[request_N, item_N], atol=1e-4, rtol=1e-5)
    repeats = bought_twice(model, inputs())
    assert pair.repeat_N.tolist() == pytest.approx([repeats, 0, 0, 0], abs=1e-5)
    cosine = catalogue.query_text_QH[0] @ catalogue.item_text_VH[torch.tensor([1, 4])].T
    assert pair.text_cosine_N.tolist() == pytest.approx([*cosine.tolist(), 0, 0], abs=1e-6)
    assert past.is_item_RL.tolist() == [[True, True, False], [False] * 3]
    assert torch.equal(past.item_RLD[0, 2], torch.zeros(8))
    assert position is None


@torch.no_grad()
def test_a_search_is_told_by_its_words_and_an_item_by_itself() -> None:
    model = model_of()
    catalogue = catalogue_of(model)
    plain = model.request_vectors(requests(), catalogue)

    other_words = requests()
    other_words.query_RL[0, 2] = 1
    assert not torch.allclose(model.request_vectors(other_words, catalogue)[0], plain[0])
    # The query of a behaviour that has an item is not looked at.
    item_with_words = requests()
    item_with_words.query_RL[0, 0] = 1
    assert torch.equal(model.request_vectors(item_with_words, catalogue), plain)
    # The other request saw none of it.
    assert torch.equal(model.request_vectors(other_words, catalogue)[1], plain[1])


@torch.no_grad()
def test_a_query_starts_out_near_the_items_of_its_words() -> None:
    # Same projection, no shift learned yet: a text as query and as item gives one vector.
    torch.manual_seed(0)
    model = ShelfModel(SHAPE, OPTIONS).eval()
    items = inputs()._replace(number_VF=torch.zeros(V, F), warm_V=torch.zeros(V, dtype=torch.bool))

    found = model.catalogue(items, items.text_VH)

    torch.testing.assert_close(found.query_QD, found.item_VD)


@torch.no_grad()
def test_no_queries_at_all() -> None:
    model = model_of()
    catalogue = model.catalogue(inputs(), torch.zeros(0, H))
    asked = requests()._replace(
        query_R=torch.tensor([-1, -1]), query_RL=torch.full((2, 3), -1, dtype=torch.int64)
    )

    request = model.request_vectors(asked, catalogue)

    pairs = (torch.tensor([0, 1]), torch.tensor([0, 1]))
    answer = model.judge(request, asked, catalogue, pairs, None)
    assert torch.isfinite(torch.cat([*answer, request.ravel()])).all()


def test_where_searches_are_not_read_only_items_are() -> None:
    model = model_of(OPTIONS.model_copy(update={"history": TransformerHistory(searches=False)}))
    catalogue = catalogue_of(model)
    never_searched = requests()
    never_searched.query_RL[0, 2] = -1
    never_searched.valid_RL[0, 2] = False

    with torch.no_grad():
        found = model.request_vectors(requests(), catalogue)
        assert torch.equal(model.request_vectors(never_searched, catalogue), found)
        # What is typed now is read all the same.
        other_words = requests()._replace(query_R=torch.tensor([1, -1]))
        assert not torch.allclose(model.request_vectors(other_words, catalogue)[0], found[0])


@torch.no_grad()
def test_without_a_history_the_past_says_nothing_anywhere() -> None:
    model = model_of(OPTIONS.model_copy(update={"history": NoHistory()}))
    catalogue = catalogue_of(model)
    blank = requests()
    blank.met.item_RP[:] = -1
    blank.item_RL[:] = -1
    blank.query_RL[:] = -1
    blank.valid_RL[:] = False
    pairs = (torch.tensor([0, 0, 1]), torch.tensor([1, 4, 1]))

    found = []
    for asked in (requests(), blank):
        request = model.request_vectors(asked, catalogue)
        judged = model.judge(request, asked, catalogue, pairs, None)
        found.append((request, model.match_scores(request, asked, catalogue), *judged))

    for seen, unseen in zip(*found, strict=True):
        assert torch.equal(seen, unseen)


def test_where_searches_are_left_out_the_rest_moves_together() -> None:
    # Row 0: bought item 1, searched, bought item 3. Row 1: padding, searched, clicked item 2.
    asked = requests()._replace(
        item_RL=torch.tensor([[1, -1, 3], [-1, -1, 2]]),
        query_RL=torch.tensor([[-1, 2, -1], [-1, 0, -1]]),
        kind_RL=torch.tensor([[BUY, SEARCH, BUY], [0, SEARCH, CLICK]]),
        age_RL=torch.tensor([[9.0, 8.0, 7.0], [0.0, 6.0, 5.0]]),
        valid_RL=torch.tensor([[True, True, True], [False, True, True]]),
    )

    found = as_read(asked, TransformerHistory(searches=False))

    assert found.item_RL.tolist() == [[-1, 1, 3], [-1, -1, 2]]
    assert found.query_RL.tolist() == [[-1] * 3] * 2
    assert found.valid_RL.tolist() == [[False, True, True], [False, False, True]]
    assert found.kind_RL[found.valid_RL].tolist() == [BUY, BUY, CLICK]
    assert found.age_RL[found.valid_RL].tolist() == [9, 7, 5]
    assert as_read(asked, TransformerHistory()) is asked


@torch.no_grad()
@pytest.mark.parametrize(
    "history",
    [
        TransformerHistory(heads=1, events=2),
        MeanPoolHistory(events=2),
        TargetAttentionHistory(events=2),
    ],
)
def test_events_before_the_latest_that_are_read_say_nothing(
    history: HistoryEncoderOptions,
) -> None:
    model = model_of(OPTIONS.model_copy(update={"history": history}))
    catalogue = catalogue_of(model)
    asked = requests()._replace(
        item_RL=torch.tensor([[1, 4, 3], [-1, 3, 2]]),
        query_RL=torch.full((2, 3), -1),
        kind_RL=torch.tensor([[BUY, CLICK, BUY], [0, CLICK, CLICK]]),
        age_RL=torch.tensor([[9.0, 8.0, 7.0], [0.0, 6.0, 5.0]]),
        valid_RL=torch.tensor([[True, True, True], [False, True, True]]),
    )
    other = asked._replace(item_RL=torch.tensor([[2, 4, 3], [-1, 3, 2]]))
    newer = asked._replace(item_RL=torch.tensor([[1, 2, 3], [-1, 3, 2]]))

    said_RD = model.request_vectors(asked, catalogue)

    assert torch.equal(model.request_vectors(other, catalogue), said_RD)
    assert not torch.equal(model.request_vectors(newer, catalogue)[0], said_RD[0])


@torch.no_grad()
def test_a_welcome_raises_newcomers_in_rankings_and_in_no_probability() -> None:
    model = model_of()
    told = []
    for welcome in (0.0, 1.5):
        model.welcome.fill_(welcome)
        catalogue = catalogue_of(model)
        request_RD = model.request_vectors(requests(), catalogue)
        pairs = (torch.tensor([0, 1]), torch.tensor([4, 4]))
        told.append(
            (
                model.match_scores(request_RD, requests(), catalogue),
                model.judge(request_RD, requests(), catalogue, pairs, None).click_N,
            )
        )

    (before_RV, before_N), (after_RV, after_N) = told
    expected = torch.tensor([0, 0, 0, 0, 1.5]).expand(2, V)
    torch.testing.assert_close(after_RV - before_RV, expected)
    assert after_N.tolist() == before_N.tolist()
