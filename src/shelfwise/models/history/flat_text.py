"""The history as one text, read whole by the pre-trained encoder.

Its vector is in the space of queries and items already, as anything that is read; what else it says
is learned as a shift.

Shape suffixes in this file: R = requests, D = width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from shelfwise.models.history.request_alone import RequestAlone
from shelfwise.models.history_encoder import Events


class FlatText(nn.Module):
    """Request vector = vector of the history's text + a learned shift + the request alone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.shift = nn.Linear(width, width, bias=False)
        self.alone = RequestAlone(width)
        nn.init.zeros_(self.shift.weight)

    def forward(self, events: Events, request_RD: Tensor) -> Tensor:
        """``[R, D]`` what each request wants; see `HistoryEncoder`."""
        assert events.text_RD is not None, "a catalogue without a reader of histories"
        # Nothing done is no text: not even the constant that projecting nothing would give.
        told_RD = torch.where(events.valid_RL.any(1)[:, None], events.text_RD, 0.0)
        wanted_RD: Tensor = told_RD + self.shift(told_RD) + self.alone(events, request_RD)
        return wanted_RD
