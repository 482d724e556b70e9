from __future__ import annotations

import pytest
import torch

from shelfwise.models.config import HistoryEncoderOptions
from shelfwise.models.history_encoder import (
    AGE_BUCKETS,
    PLACES,
    Events,
    HistoryEncoder,
    age_bucket,
    places_from_end,
)

WIDTH, KINDS = 8, 4
OPTIONS = HistoryEncoderOptions(layers=2, heads=2, dropout=0.1)


@pytest.fixture
def encoder() -> HistoryEncoder:
    """Every weight random: at the start some are zero, and would hide what they do."""
    made = HistoryEncoder(WIDTH, KINDS, OPTIONS)
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(std=0.3)
    return made.eval()


def events_of(length: int, seed: int = 0) -> Events:
    """One history; its second event is a search, the others are items."""
    torch.manual_seed(seed)
    is_item = torch.ones(1, length, dtype=torch.bool)
    if length > 1:
        is_item[0, 1] = False
    return Events(
        vector_RLD=torch.randn(1, length, WIDTH),
        is_item_RL=is_item,
        kind_RL=torch.randint(KINDS, (1, length)),
        age_RL=torch.rand(1, length) * 100,
        valid_RL=torch.ones(1, length, dtype=torch.bool),
    )


def padded(events: Events, more: int) -> Events:
    """``more`` places of junk on the left that are not valid."""
    junk = events_of(max(more, 1), seed=9)
    hidden = junk._replace(
        is_item_RL=torch.zeros(1, more, dtype=torch.bool),
        valid_RL=torch.zeros(1, more, dtype=torch.bool),
    )
    return Events(*(torch.cat(pair, dim=1) for pair in zip(hidden, events, strict=True)))


@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize("more", [1, 7])
@torch.no_grad()
def test_padding_on_the_left_says_nothing(encoder: HistoryEncoder, length: int, more: int) -> None:
    events, request = events_of(length), torch.randn(1, WIDTH)

    found = encoder(padded(events, more), request)

    torch.testing.assert_close(found, encoder(events, request), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_requests_of_a_batch_do_not_see_each_other(encoder: HistoryEncoder) -> None:
    one, other = events_of(4, seed=1), events_of(4, seed=2)
    request = torch.randn(2, WIDTH)
    both = Events(*(torch.cat(pair) for pair in zip(one, other, strict=True)))

    found = encoder(both, request)

    torch.testing.assert_close(found[:1], encoder(one, request[:1]), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found[1:], encoder(other, request[1:]), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_an_earlier_place_does_not_look_ahead(encoder: HistoryEncoder) -> None:
    """What a block says of a place stays when later places change."""
    from shelfwise.models.history_encoder import _causal

    valid = torch.ones(1, 6, dtype=torch.bool)
    x = torch.randn(1, 6, WIDTH)
    changed = x.clone()
    changed[0, 4, 0] += 1

    before, after = x, changed
    for block in encoder.blocks:
        before, after = block(before, _causal(valid)), block(after, _causal(valid))

    torch.testing.assert_close(before[0, :4], after[0, :4])
    assert not torch.allclose(before[0, 5], after[0, 5])


@torch.no_grad()
def test_every_part_of_an_event_matters(encoder: HistoryEncoder) -> None:
    events, request = events_of(4), torch.randn(1, WIDTH)
    plain = encoder(events, request)

    other_kind = events._replace(kind_RL=(events.kind_RL + 1) % KINDS)
    older = events._replace(age_RL=events.age_RL * 4)
    order = torch.tensor([3, 1, 2, 0])
    swapped = Events(*(part[:, order] for part in events))
    for changed in (other_kind, older, swapped):
        assert not torch.allclose(encoder(changed, request), plain, atol=1e-4)
    assert not torch.allclose(encoder(events, request * 2), plain, atol=1e-4)


@torch.no_grad()
def test_an_empty_history_is_only_the_request(encoder: HistoryEncoder) -> None:
    request = torch.randn(2, WIDTH)
    junk = padded(events_of(1), 2)
    nothing = Events(
        *(torch.cat([part, part]) for part in junk),
    )._replace(
        is_item_RL=torch.zeros(2, 3, dtype=torch.bool),
        valid_RL=torch.zeros(2, 3, dtype=torch.bool),
    )

    found = encoder(nothing, request)

    assert torch.isfinite(found).all()
    assert not torch.allclose(found[0], found[1])
    shorter = Events(*(part[:, :1] for part in nothing))
    torch.testing.assert_close(encoder(shorter, request), found, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_first_answer_is_the_mean_of_the_items() -> None:
    torch.manual_seed(0)
    fresh = HistoryEncoder(WIDTH, KINDS, OPTIONS).eval()
    # The constant parts are drawn at random, so that an empty history has a direction too.
    for constant in (fresh.out.bias, fresh.pool_query.bias):
        constant.zero_()
    events = padded(events_of(4), 2)

    found = fresh(events, torch.randn(1, WIDTH))

    # Of four events the second is a search.
    vectors = events.vector_RLD[0, 2:]
    torch.testing.assert_close(found[0], (vectors[0] + vectors[2] + vectors[3]) / 3)


def test_gradient_is_finite_where_nothing_was_done() -> None:
    fresh = HistoryEncoder(WIDTH, KINDS, OPTIONS)
    events = events_of(2)._replace(
        is_item_RL=torch.zeros(1, 2, dtype=torch.bool),
        valid_RL=torch.zeros(1, 2, dtype=torch.bool),
    )

    fresh(events, torch.randn(1, WIDTH)).sum().backward()

    gradients = [p.grad for p in fresh.parameters() if p.grad is not None]
    assert gradients
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize(
    ("hours", "bucket"),
    # Bucket b holds [2^(b-4), 2^(b-3)) hours: 1/16 h is the first edge, 1 h begins bucket 4,
    # a day (16 to 32) is bucket 8, the last begins at 2^11 = 2048 hours and is open.
    [
        (0, 0), (-5, 0), (1 / 16, 0), (0.1249, 0), (0.125, 1), (0.99, 3), (1, 4), (1.99, 4), (2, 5),
        (24, 8), (2047, 14), (2048, 15), (1e6, 15),
    ],
)  # fmt: skip
def test_age_buckets_by_hand(hours: float, bucket: int) -> None:
    assert age_bucket(torch.tensor([hours])).tolist() == [bucket]
    assert AGE_BUCKETS == 16


def test_places_count_from_the_end() -> None:
    assert places_from_end(torch.zeros(2, 3)).tolist() == [2, 1, 0]
    long = places_from_end(torch.zeros(1, PLACES + 3)).tolist()
    assert long[:4] == [PLACES - 1] * 4
    assert long[-2:] == [1, 0]
