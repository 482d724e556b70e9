from __future__ import annotations

import torch

from shelfwise.models.segments import segments_of

SEPARATOR = 3


def test_what_follows_the_first_separator_is_the_second_text() -> None:
    ids = torch.tensor([[2, 8, 9, 3, 7, 3], [2, 8, 3, 7, 3, 0], [2, 8, 9, 9, 3, 0]])
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 0]]).bool()

    # The separator itself ends the first text; a text read alone has no second.
    assert segments_of(ids, mask, SEPARATOR).tolist() == [
        [0, 0, 0, 0, 1, 1],
        [0, 0, 0, 1, 1, 0],
        [0, 0, 0, 0, 0, 0],
    ]
