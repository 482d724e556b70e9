"""How well an item answers a query, by their texts alone: read apart, or read together.

Shape suffixes in this file: N = (query, item) pairs, D = length of a text's vector, F = figures of
the words in common.
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor, nn

from shelfwise.models.config import HeadOptions
from shelfwise.models.crossing import SideBySide
from shelfwise.models.logit_unit import LOGIT_UNIT
from shelfwise.models.places import Place
from shelfwise.models.text_encoder import TextEncoder

_FIRST_ACROSS = -3.0  # logit: a token of the other text has a twentieth of the weight
_FIRST_SLOPE = 4.0  # of a cosine; grades lie between cosines of about 0 and 1


class Graded(nn.Module):
    """A small network whose inputs are parts of vectors and standardised figures of words.

    Its answer is a logit: through a sigmoid it is the place of the expected grade between the
    lowest and the highest one.
    """

    figure_mean_F: Tensor
    figure_scale_F: Tensor

    def __init__(self, width: int, figures: int, options: HeadOptions) -> None:
        super().__init__()
        self.figures = figures
        self.register_buffer("figure_mean_F", torch.zeros(figures))
        self.register_buffer("figure_scale_F", torch.ones(figures))
        self.layers = nn.Sequential(
            nn.Dropout(options.dropout),
            nn.Linear(width + figures, options.hidden),
            nn.GELU(),
            nn.Dropout(options.dropout),
            nn.Linear(options.hidden, 1),
        )
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def start_from(self, figure_NF: Tensor, share: float) -> None:
        """Standardise figures as training has them, and let the first guess be the mean grade."""
        with torch.no_grad():
            if self.figures:
                self.figure_mean_F.copy_(figure_NF.mean(0))
                self.figure_scale_F.copy_(figure_NF.std(0, correction=0).clamp_min(1e-6))
            last = self.layers[-1]
            assert isinstance(last, nn.Linear)
            last.bias.fill_(torch.logit(torch.tensor(min(max(share, 1e-3), 1 - 1e-3))))

    @torch.no_grad()
    def move(self, factor: float, shift: float) -> None:
        """Answer ``factor * logit + shift`` from now on."""
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        last.weight.mul_(factor)
        last.bias.mul_(factor).add_(shift)

    def forward(self, read_ND: Tensor, figure_NF: Tensor) -> Tensor:
        """``[N]`` logits."""
        standard_NF = (figure_NF - self.figure_mean_F) / self.figure_scale_F
        # An item may be longer than all of training's; what lies far out says no more for it.
        inputs = torch.cat([read_ND, standard_NF.clamp(-4, 4)], dim=-1)
        logit_N: Tensor = self.layers(inputs).squeeze(-1)
        return logit_N


class PairHead(nn.Module):
    """What two vectors and the words in common say of a pair.

    The logit is a rising line of the vectors' cosine, by which an index finds candidates, and what
    a small network makes of both vectors and of the words in common.
    """

    def __init__(self, width: int, figures: int, options: HeadOptions) -> None:
        super().__init__()
        self.graded = Graded(3 * width, figures, options)
        self.vectors, self.grades = Place("items"), Place("grade")
        self.slope = nn.Parameter(torch.tensor(_FIRST_SLOPE).log())
        self.middle = nn.Parameter(torch.tensor(0.5))

    @torch.no_grad()
    def move(self, factor: float, shift: float) -> None:
        """Answer ``factor * logit + shift`` from now on, of a factor above 0."""
        self.slope.add_(log(factor))
        self.graded.move(factor, shift)

    def forward(self, query_ND: Tensor, item_ND: Tensor, figure_NF: Tensor) -> Tensor:
        """``[N]`` logits of pairs of unit vectors."""
        item_ND = self.vectors(item_ND)
        cosine_N = (query_ND * item_ND).sum(-1)
        # Entries of unit vectors are near 1/sqrt(D), of their products near 1/D.
        root = query_ND.shape[-1] ** 0.5
        read_ND = torch.cat(
            [
                query_ND * item_ND * root**2,
                (query_ND - item_ND).abs() * root,
                query_ND * root,
            ],
            dim=-1,
        )
        found_N = self.graded(read_ND, figure_NF)
        logit_N: Tensor = self.grades(self.slope.exp() * (cosine_N - self.middle) + found_N)
        return logit_N


class BiEncoder(nn.Module):
    """Query and item are read apart, so that items can wait in an index for their queries."""

    def __init__(self, encoder: TextEncoder, figures: int, options: HeadOptions) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = PairHead(encoder.width, figures, options)

    def from_vectors(self, query_ND: Tensor, item_ND: Tensor, figure_NF: Tensor) -> Tensor:
        """``[N]`` logits of pairs of unit vectors."""
        logit_N: Tensor = self.head(query_ND, item_ND, figure_NF)
        return logit_N


class CrossEncoder(nn.Module):
    """Query and item read each other in the upper layers, word against word: dearer, and nothing
    can be indexed.

    What they make of each other goes the way of a `BiEncoder`, so it begins about where the
    encoder's own vectors are.
    """

    def __init__(self, encoder: TextEncoder, figures: int, options: HeadOptions) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = PairHead(encoder.width, figures, options)
        # Added to the second text's states where the two meet, so that each knows which it is.
        self.second_H = nn.Parameter(torch.zeros(encoder.hidden_width))
        # At first each reads itself, as it was pre-trained to; how far they open is learned.
        self.across = nn.Parameter(torch.tensor(_FIRST_ACROSS / LOGIT_UNIT))

    def from_states(self, pairs: SideBySide, figure_NF: Tensor) -> Tensor:
        """``[N]`` logits of pairs whose texts were read apart so far."""
        return self.from_vectors(*self.read(pairs), figure_NF)

    def from_vectors(self, query_ND: Tensor, item_ND: Tensor, figure_NF: Tensor) -> Tensor:
        """``[N]`` logits of pairs that have read each other."""
        logit_N: Tensor = self.head(query_ND.float(), item_ND.float(), figure_NF)
        return logit_N

    def read(self, pairs: SideBySide) -> tuple[Tensor, Tensor]:
        """``[N, D]`` each: unit vectors of queries and items that have read each other."""
        marked = pairs.hidden_BWH + self.second_H * pairs.second_BW[:, :, None]
        return self.encoder.together(pairs._replace(hidden_BWH=marked), LOGIT_UNIT * self.across)
