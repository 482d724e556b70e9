"""No history at all: what a request wants, by where it is and what was typed.

Shape suffixes in this file: R = requests, D = width.
"""

from __future__ import annotations

from torch import Tensor, nn

from shelfwise.models.history_encoder import Events


class RequestAlone(nn.Module):
    """Request vector = a learned map of the request; what was done before is not looked at."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.out = nn.Linear(width, width)
        # At first everybody wants the same; the bias keeps its draw, so that it has a direction.
        nn.init.zeros_(self.out.weight)

    def forward(self, events: Events, request_RD: Tensor) -> Tensor:  # noqa: ARG002  # the role's
        """``[R, D]`` what each request wants; see `HistoryEncoder`."""
        wanted_RD: Tensor = self.out(request_RD)
        return wanted_RD
