from __future__ import annotations

from math import log, log1p

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.losses.entire_space import clicked_only_loss, entire_space_loss
from shelfwise.models.config import HeadOptions, MixtureOfExperts, ProgressiveLayers
from shelfwise.models.heads import (
    POSITIONS,
    ClickConvertHeads,
    PairFeatures,
    Past,
    attend,
    place_within,
)
from shelfwise.schema.event import EventKind

D, F, SURFACES = 6, 3, 3


@given(st.lists(st.integers(0, 4), max_size=20))
def test_places_count_within_each_request(requests: list[int]) -> None:
    expected = [requests[:place].count(request) for place, request in enumerate(requests)]

    assert place_within(torch.tensor(requests, dtype=torch.int64)).tolist() == expected


def pairs_of(request: list[int], seed: int = 0) -> PairFeatures:
    torch.manual_seed(seed)
    n = len(request)

    def units() -> torch.Tensor:
        return torch.nn.functional.normalize(torch.randn(n, D), dim=-1)

    return PairFeatures(
        request_ND=units(),
        item_ND=units(),
        query_ND=units(),
        number_NF=torch.randn(n, F),
        text_cosine_N=torch.rand(n),
        match_N=torch.randn(n),
        repeat_N=torch.randn(n),
        own_rate_NT=torch.randn(n, 2),
        shopper_rate_N=torch.randn(n),
        request_N=torch.tensor(request, dtype=torch.int64),
        surface_N=torch.arange(n) % SURFACES,
    )


def past_of(is_item: list[list[bool]], seed: int = 1) -> Past:
    torch.manual_seed(seed)
    mask = torch.tensor(is_item)
    shape = tuple(mask.shape)
    return Past(
        item_RLD=torch.nn.functional.normalize(torch.randn(*shape, D), dim=-1),
        number_RLF=torch.randn(*shape, 2),
        kind_RL=torch.arange(mask.numel()).view(shape) % len(EventKind),
        weight_RL=torch.randn(shape),
        is_item_RL=mask,
    )


THREE = [[True, False, True], [False, False, False], [True, True, True]]


def test_attention_agrees_with_a_loop() -> None:
    pair, past = pairs_of([2, 0, 0, 1, 2, 0]), past_of(THREE)

    found = attend(pair, past, torch.tensor(3.0))

    for place, request in enumerate(pair.request_N.tolist()):
        events = [e for e in range(3) if past.is_item_RL[request, e]]
        item = pair.item_ND[place]
        cosines = [float(item @ past.item_RLD[request, e]) for e in events]
        assert found.length_N[place] == len(events)
        if not events:
            assert found.nearest_N[place] == 0
            assert found.item_ND[place].abs().sum() == 0
            assert found.number_NF[place].abs().sum() == 0
            assert found.kind_NK[place].abs().sum() == 0
            continue
        logits = [
            3 * cosine + float(past.weight_RL[request, e])
            for cosine, e in zip(cosines, events, strict=True)
        ]
        weights = torch.tensor(logits).softmax(0)
        mean = sum(w * past.item_RLD[request, e] for w, e in zip(weights, events, strict=True))
        numbers = sum(w * past.number_RLF[request, e] for w, e in zip(weights, events, strict=True))
        torch.testing.assert_close(found.item_ND[place], mean)
        torch.testing.assert_close(found.number_NF[place], numbers)
        kinds = torch.zeros(len(EventKind))
        kinds.index_add_(0, past.kind_RL[request, events], weights)
        torch.testing.assert_close(found.kind_NK[place], kinds)
        assert float(found.nearest_N[place]) == pytest.approx(max(cosines), abs=1e-6)


def test_no_pairs_attend_to_nothing() -> None:
    found = attend(pairs_of([]), past_of(THREE), torch.tensor(3.0))

    assert found.item_ND.shape == (0, D)
    assert found.nearest_N.shape == found.length_N.shape == (0,)


@pytest.fixture
def heads() -> ClickConvertHeads:
    torch.manual_seed(4)
    made = ClickConvertHeads(D, F, SURFACES, HeadOptions(hidden=16))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(std=0.3)
    return made.eval()


@torch.no_grad()
def test_without_a_position_each_item_stands_first(heads: ClickConvertHeads) -> None:
    pair, past = pairs_of([0, 0, 1, 2]), past_of(THREE)

    served = heads(pair, past, None)
    first = heads(pair, past, torch.ones(4, dtype=torch.int64))

    assert torch.equal(served.click_N, first.click_N)
    assert torch.equal(served.convert_N, first.convert_N)


@torch.no_grad()
def test_other_places_take_no_part_in_serving(heads: ClickConvertHeads) -> None:
    pair, past = pairs_of([0, 0, 1, 2]), past_of(THREE)
    before = heads(pair, past, None)
    places = heads.position.weight.view(SURFACES, POSITIONS)

    places[:, 2:] += 3.0
    places[:, 0] -= 3.0
    after = heads(pair, past, None)

    assert torch.equal(before.click_N, after.click_N)
    assert torch.equal(before.convert_N, after.convert_N)
    # The first place adds the same to every item of a surface: their order is theirs.
    places[:, 1] += 1.5
    moved = heads(pair, past, None)
    torch.testing.assert_close(moved.click_N - before.click_N, torch.full((4,), 1.5))


def test_a_loss_of_conversion_leaves_the_click_head_and_places_alone(
    heads: ClickConvertHeads,
) -> None:
    found = heads(pairs_of([0, 0, 1, 2]), past_of(THREE), torch.tensor([1, 2, 3, 4]))

    found.convert_N.sum().backward()

    assert heads.convert.weight.grad is not None
    assert heads.click.weight.grad is None
    assert heads.position.weight.grad is None


def test_rows_that_nobody_clicked_teach_conversion_over_the_entire_space_alone(
    heads: ClickConvertHeads,
) -> None:
    nothing = torch.zeros(4)
    moved = []
    for loss in (entire_space_loss, clicked_only_loss):
        heads.zero_grad(set_to_none=True)
        found = heads(pairs_of([0, 0, 1, 2]), past_of(THREE), None)
        loss(found.click_N, found.convert_N, nothing, nothing).total.backward()
        grad = heads.convert.weight.grad
        moved.append(grad is not None and bool(grad.abs().sum() > 0))

    assert moved == [True, False]


@pytest.mark.parametrize("experts", [MixtureOfExperts(), ProgressiveLayers()])
def test_each_task_reads_what_its_experts_made_for_it(
    experts: MixtureOfExperts | ProgressiveLayers,
) -> None:
    torch.manual_seed(4)
    made = ClickConvertHeads(D, F, SURFACES, HeadOptions(hidden=16, experts=experts)).eval()

    made(pairs_of([0, 0, 1, 2]), past_of(THREE), None).click_N.sum().backward()

    moved = {name for name, p in made.bottom.named_parameters() if p.grad is not None}
    gates = {name for name in moved if "gates" in name}
    last = "" if isinstance(experts, MixtureOfExperts) else "levels.1."
    assert f"{last}gates.0.weight" in gates
    assert f"{last}gates.1.weight" not in gates


@torch.no_grad()
def test_position_adds_to_the_click_alone_by_surface(heads: ClickConvertHeads) -> None:
    pair, past = pairs_of([0, 0, 1, 2]), past_of(THREE)
    first = heads(pair, past, None)
    position = torch.tensor([0, 3, POSITIONS - 1, POSITIONS + 900])

    shown = heads(pair, past, position)

    table = heads.position.weight[:, 0].view(SURFACES, POSITIONS)
    added = [
        float(table[surface, place] - table[surface, 1])
        # Surfaces go round; places beyond the table share its last.
        for surface, place in [(0, 0), (1, 3), (2, POSITIONS - 1), (0, POSITIONS - 1)]
    ]
    assert (shown.click_N - first.click_N).tolist() == pytest.approx(added, abs=1e-5)
    assert torch.equal(shown.convert_N, first.convert_N)


@torch.no_grad()
def test_a_pair_is_judged_by_itself(heads: ClickConvertHeads) -> None:
    pair, past = pairs_of([0, 2, 1, 2]), past_of(THREE)
    position = torch.tensor([1, 2, 3, 4])
    together = heads(pair, past, position)

    for place, request in enumerate(pair.request_N.tolist()):
        alone = PairFeatures(*(part[place : place + 1] for part in pair))._replace(
            request_N=torch.zeros(1, dtype=torch.int64)
        )
        own = Past(*(part[request : request + 1] for part in past))
        found = heads(alone, own, position[place : place + 1])
        torch.testing.assert_close(found.click_N[0], together.click_N[place])
        torch.testing.assert_close(found.convert_N[0], together.convert_N[place])


@torch.no_grad()
def test_every_feature_matters(heads: ClickConvertHeads) -> None:
    pair, past = pairs_of([0, 0]), past_of(THREE)
    plain = heads(pair, past, None).click_N

    for name in PairFeatures._fields[:9]:
        changed = pair._replace(**{name: getattr(pair, name) + 0.5})
        assert not torch.allclose(heads(changed, past, None).click_N, plain), name
    elsewhere = pair._replace(surface_N=(pair.surface_N + 1) % SURFACES)
    assert not torch.allclose(heads(elsewhere, past, None).click_N, plain)


@torch.no_grad()
def test_at_first_an_item_is_clicked_and_bought_as_it_has_been() -> None:
    made = ClickConvertHeads(D, F, SURFACES, HeadOptions(hidden=16)).eval()
    pair, past = pairs_of([0, 0]), past_of(THREE)
    average = made(pair._replace(own_rate_NT=torch.zeros(2, 2)), past, None)

    # Clicked twice as often as the mean, bought half as often: + log 2 and - log 2.
    rates = torch.tensor([[log(2), -log(2)]]).expand(2, 2)
    found = made(pair._replace(own_rate_NT=rates), past, None)

    torch.testing.assert_close(found.click_N - average.click_N, torch.full((2,), log(2)))
    torch.testing.assert_close(found.convert_N - average.convert_N, torch.full((2,), -log(2)))


@torch.no_grad()
def test_at_first_a_shopper_buys_as_he_has() -> None:
    # What the bottom makes of the figure apart: it begins at random, and is left out here.
    made = ClickConvertHeads(D, F, SURFACES, HeadOptions(hidden=16)).eval()
    made.convert.weight.zero_()
    pair, past = pairs_of([0, 0]), past_of(THREE)
    average = made(pair._replace(shopper_rate_N=torch.zeros(2)), past, None)

    found = made(pair._replace(shopper_rate_N=torch.full((2,), log(3))), past, None)

    torch.testing.assert_close(found.convert_N - average.convert_N, torch.full((2,), log(3)))


def test_it_starts_from_the_logs_own_rates() -> None:
    heads = ClickConvertHeads(D, F, SURFACES, HeadOptions(hidden=16))

    heads.start_from(0.2, 0.0)

    # logit(.2) = log(.2 / .8) = -log 4; a rate of 0 is held at 1e-4, so that it can be unlearned.
    assert heads.click.bias.item() == pytest.approx(-log(4))
    assert heads.convert.bias.item() == pytest.approx(log(1e-4) - log1p(-1e-4), rel=1e-4)
    heads.start_from(1.0, 0.5)
    assert heads.click.bias.item() == pytest.approx(log1p(-1e-4) - log(1e-4), rel=1e-4)
    assert heads.convert.bias.item() == 0
    assert heads.convert_rate.item() == 0.5
