"""What every history encoder must keep to, whichever it is."""

from __future__ import annotations

import pytest
import torch

from shelfwise.models.config import HistoryEncoderOptions

from .small_events import (
    EVERY,
    KINDS,
    READING,
    events_of,
    hidden,
    joined,
    named,
    places,
    random_encoder,
    request_of,
)

every_kind = pytest.mark.parametrize("options", EVERY, ids=named)
every_reader = pytest.mark.parametrize("options", READING, ids=named)


@every_kind
@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize("more", [1, 7])
@torch.no_grad()
def test_padding_on_the_left_says_nothing(
    options: HistoryEncoderOptions, length: int, more: int
) -> None:
    encoder, events, request = random_encoder(options), events_of(length), request_of(1)

    found = encoder(joined(hidden(more), events, dim=1), request)

    torch.testing.assert_close(found, encoder(events, request), atol=1e-5, rtol=1e-5)


@every_kind
@torch.no_grad()
def test_rows_of_a_batch_do_not_see_each_other(options: HistoryEncoderOptions) -> None:
    """Neither which others there are, nor what they do later, nor in which order they stand."""
    encoder, request = random_encoder(options), request_of(2)
    one, other = events_of(4, seed=1), events_of(4, seed=2)

    both = encoder(joined(one, other, dim=0), request)
    turned = encoder(joined(other, one, dim=0), request.flip(0))

    alone = torch.cat([encoder(one, request[:1]), encoder(other, request[1:])])
    torch.testing.assert_close(both, alone, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(turned, alone.flip(0), atol=1e-5, rtol=1e-5)


@every_reader
@torch.no_grad()
def test_every_part_of_an_event_matters(options: HistoryEncoderOptions) -> None:
    encoder, events, request = random_encoder(options), events_of(4), request_of(1)
    plain = encoder(events, request)

    other_kind = events._replace(kind_RL=(events.kind_RL + events.is_item_RL) % KINDS)
    ages = events.age_RL * torch.tensor([[16.0, 4.0, 2.0, 1.0]])
    other_vectors = events._replace(vector_RLD=-events.vector_RLD)
    for changed in (other_kind, events._replace(age_RL=ages), other_vectors):
        assert not torch.allclose(encoder(changed, request), plain, atol=1e-4)
    assert not torch.allclose(encoder(events, request * 2), plain, atol=1e-4)


@every_kind
@torch.no_grad()
def test_an_empty_history_is_only_the_request(options: HistoryEncoderOptions) -> None:
    encoder, request = random_encoder(options), request_of(2)
    nothing = joined(hidden(3), hidden(3), dim=0)

    found = encoder(nothing, request)

    assert torch.isfinite(found).all()
    assert not torch.allclose(found[0], found[1])
    shorter = places(nothing, slice(1))
    torch.testing.assert_close(encoder(shorter, request), found, atol=1e-5, rtol=1e-5)


@every_reader
@torch.no_grad()
def test_searches_alone_are_a_history(options: HistoryEncoderOptions) -> None:
    encoder, events, request = random_encoder(options), events_of(3), request_of(1)
    searches = events._replace(is_item_RL=torch.zeros(1, 3, dtype=torch.bool))

    found = encoder(searches, request)

    assert torch.isfinite(found).all()
    other_words = searches._replace(vector_RLD=searches.vector_RLD.flip(2))
    assert not torch.allclose(encoder(other_words, request), found, atol=1e-4)


@every_reader
def test_gradient_reaches_every_event_and_every_weight(options: HistoryEncoderOptions) -> None:
    encoder, events = random_encoder(options), events_of(4)
    vectors = joined(hidden(2), events, dim=1).vector_RLD.requires_grad_()
    padded = joined(hidden(2), events, dim=1)._replace(vector_RLD=vectors)
    request = request_of(1).requires_grad_()

    (encoder(padded, request) * request_of(1, seed=6)).sum().backward()

    assert vectors.grad is not None
    assert request.grad is not None
    assert (vectors.grad[0, 2:].abs().sum(-1) > 0).all()
    assert vectors.grad[0, :2].abs().max() == 0
    assert request.grad.abs().max() > 0
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@every_kind
def test_gradient_is_finite_where_nothing_was_done(options: HistoryEncoderOptions) -> None:
    encoder = random_encoder(options)

    encoder(hidden(2), request_of(1)).sum().backward()

    gradients = [p.grad for p in encoder.parameters() if p.grad is not None]
    assert gradients
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


@torch.no_grad()
def test_without_a_history_nothing_done_is_looked_at() -> None:
    encoder, request = random_encoder(EVERY[-1]), request_of(1)

    assert torch.equal(encoder(events_of(4), request), encoder(hidden(1), request))
