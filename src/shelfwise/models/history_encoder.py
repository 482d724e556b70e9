"""What a history encoder is: from what a user did to what the user wants now.

A history is read as events, each with the vector of its item or of the words searched for. Which
encoder reads it is chosen by the options; they stand in ``models/history``, one a file, and none
knows of another.

Shape suffixes in this file: R = requests, L = events, D = width.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

AGE_BUCKETS = 16  # bucket b holds ages from 2^(b-4) to 2^(b-3) hours; the last is open
PLACES = 64  # events told apart by how many came after them; all earlier ones share the last


class Events(NamedTuple):
    """The events of each request, newest last, padded on the left."""

    vector_RLD: Tensor  # item or query vector of the event
    is_item_RL: Tensor  # bool: False on searches and padding
    kind_RL: Tensor  # int64
    age_RL: Tensor  # float, hours
    valid_RL: Tensor  # bool: False on padding
    text_RD: Tensor | None = None  # the history read as one text, where the options ask for it


class HistoryEncoder(Protocol):
    """Reads histories; a module, whose weights learn with the rest of the network.

    A row's answer depends on that row's events and request alone: not on its padding, not on other
    rows of the batch. An empty history has an answer too.
    """

    def __call__(self, events: Events, request_RD: Tensor) -> Tensor:
        """``[R, D]`` what each request wants, in the space of item vectors; of any length.

        Args:
            events: what was done before each request.
            request_RD: vector of the request itself: its surface and query.
        """
        ...


def age_bucket(age: Tensor) -> Tensor:
    """Place of an age in hours on a scale of doublings, from a few minutes to half a year."""
    return (age.clamp(min=2.0**-4).log2() + 4).floor().long().clamp(0, AGE_BUCKETS - 1)


def moment(events: Events) -> Tensor:
    """``[R, L]`` number of each event's kind and age bucket together."""
    return events.kind_RL * AGE_BUCKETS + age_bucket(events.age_RL)


def places_from_end(like_RL: Tensor) -> Tensor:
    """``[L]`` 0 for the newest event, 1 for the one before, ...; time stamps may all be equal."""
    length = like_RL.shape[1]
    return torch.arange(length - 1, -1, -1, device=like_RL.device).clamp(max=PLACES - 1)


def weighted_mean(vector_RLD: Tensor, logit_RL: Tensor, among_RL: Tensor) -> Tensor:
    """``[R, D]`` mean of vectors under a softmax of logits; 0 where there is nothing to choose.

    Args:
        vector_RLD: what is averaged.
        logit_RL: how much each counts.
        among_RL: bool, which of them count at all.
    """
    # A large negative number, not -inf: a row with nothing to choose must give 0, not nan.
    weight_RL = torch.softmax(logit_RL.float().masked_fill(~among_RL, -1e9), dim=-1) * among_RL
    return torch.einsum("rl,rld->rd", weight_RL.to(vector_RLD.dtype), vector_RLD)
