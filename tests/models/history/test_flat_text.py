from __future__ import annotations

import pytest
import torch

from shelfwise.models.history.flat_text import FlatText

from .small_events import WIDTH, events_of, hidden, joined, request_of


@torch.no_grad()
def test_the_text_and_a_shift_and_the_request() -> None:
    torch.manual_seed(0)
    encoder = FlatText(WIDTH)
    events = joined(hidden(1), events_of(2), dim=1)
    text, request = torch.randn(1, WIDTH), request_of(1)

    at_first = encoder(events._replace(text_RD=text), request)
    encoder.shift.weight.copy_(2 * torch.eye(WIDTH))
    learned = encoder(events._replace(text_RD=text), request)

    torch.testing.assert_close(at_first, text + encoder.alone.out.bias)
    torch.testing.assert_close(learned, 3 * text + encoder.alone.out.bias)


@torch.no_grad()
def test_nothing_done_is_no_text() -> None:
    encoder, request = FlatText(WIDTH), request_of(1)
    events = hidden(2)._replace(text_RD=torch.randn(1, WIDTH))

    assert torch.equal(encoder(events, request), encoder.alone(events, request))


def test_a_catalogue_must_bring_a_reader() -> None:
    with pytest.raises(AssertionError, match="without a reader"):
        FlatText(WIDTH)(events_of(1), request_of(1))
