"""Heads of the tasks beside match, click and conversion; each reads one kind of vector alone.

They shape the vectors that the main tasks read, and some are of use by themselves: the intent of a
query weighs the ranking, attributes can fill gaps in a catalogue. All begin at 0, where every class
is as likely as any other.

Shape suffixes in this file: R = requests, D = width, Q = queries, B = texts, H = text width, C =
classes (C1 with one more column, for items without a category), J = judged pairs.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from pydantic import Field, NonNegativeInt
from torch import Tensor, nn

from shelfwise.models.logit_unit import LOGIT_UNIT
from shelfwise.schema.options import Options

_FIRST_SCALE, _FIRST_SHIFT = 0.5, -0.2  # in these units: of the logit that two texts answer
_SUREST = 4.0  # largest size of what an intent may say for or against a category


class AuxiliaryTasks(Options):
    """Which auxiliary tasks a network learns, by the classes they tell apart; 0 or empty: not."""

    categories: NonNegativeInt = 0
    """Categories of the catalogue, of which a request's next one is told."""
    kinds: NonNegativeInt = 0
    """Kinds of behaviour, of which a shopper's next one is told."""
    intents: NonNegativeInt = 0
    """Categories of the catalogue that a query may be after."""
    attributes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Names of the classes of each attribute of an item."""
    relevance: bool = False
    """How well an item answers a query."""
    weighed: tuple[str, ...] = ()
    """Tasks whose weight in the loss is learned."""


NO_AUXILIARY = AuxiliaryTasks()


class Interest(NamedTuple):
    """Logits of what a shopper wants next; None where it is not learned."""

    category_RC: Tensor | None
    kind_RC: Tensor | None


class InterestHead(nn.Module):
    """What comes next, from the request's vector alone."""

    def __init__(self, width: int, categories: int, kinds: int) -> None:
        super().__init__()
        self.category = _at_zero(width, categories) if categories else None
        self.kind = _at_zero(width, kinds) if kinds else None

    def forward(self, request_RD: Tensor) -> Interest:
        """Logits of the next category and of the next kind of behaviour."""
        scaled_RD = _of_normal_size(request_RD)
        return Interest(
            None if self.category is None else self.category(scaled_RD),
            None if self.kind is None else self.kind(scaled_RD),
        )


class IntentHead(nn.Module):
    """Which category a query is after, from its text alone, and how much that weighs."""

    known_C: Tensor  # bool: categories that training saw a query lead to

    def __init__(self, text_width: int, categories: int) -> None:
        super().__init__()
        self.category = _at_zero(text_width, categories)
        self.register_buffer("known_C", torch.ones(categories, dtype=torch.bool))
        # What it adds to the match of an item and to its click; learned from matches and clicks.
        self.match_gain = nn.Parameter(torch.zeros(()))
        self.click_gain = nn.Parameter(torch.zeros(()))

    def forward(self, text_QH: Tensor) -> Tensor:
        """``[Q, C]`` logits; a category that no query has led to is not one to choose from."""
        logit_QC: Tensor = self.category(_of_normal_size(text_QH))
        return logit_QC.masked_fill(~self.known_C, -1e4)

    def evidence(self, text_QH: Tensor) -> Tensor:
        """``[Q, C1]`` how much likelier than by chance a query is after each category.

        ``log p(category | query) + log C`` within bounds: near 0 everywhere where the words leave
        it open. It is 0 for categories of which nothing is known, and in the last column, which
        stands for items without one. Whoever ranks by it teaches the head nothing: it stays the
        distribution of what was clicked.
        """
        with torch.no_grad():
            log_p_QC = F.log_softmax(self(text_QH).float(), dim=-1)
            known = max(int(self.known_C.sum()), 1)
            told_QC = (log_p_QC + math.log(known)).clamp(-_SUREST, _SUREST) * self.known_C
            return F.pad(told_QC, (0, 1))


class AttributeHeads(nn.Module):
    """Attributes of an item from the vector of its text: neither its id nor its numbers help."""

    def __init__(self, text_width: int, classes: dict[str, int]) -> None:
        super().__init__()
        self.of = nn.ModuleDict({name: _at_zero(text_width, n) for name, n in classes.items()})

    def forward(self, text_BH: Tensor) -> dict[str, Tensor]:
        """``[B, C]`` logits of each attribute's classes."""
        scaled_BH = _of_normal_size(text_BH)
        return {name: head(scaled_BH) for name, head in self.of.items()}


class RelevanceHead(nn.Module):
    """From the cosine of a query and an item, by text alone, to the grade judges give the pair."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(_FIRST_SCALE))
        self.shift = nn.Parameter(torch.tensor(_FIRST_SHIFT))

    def forward(self, query_JD: Tensor, item_JD: Tensor) -> Tensor:
        """``[J]`` logits of the grade as a share of the best one; both sides are unit vectors."""
        cosine_J = (query_JD * item_JD).sum(-1)
        return LOGIT_UNIT * (self.scale * cosine_J + self.shift)


class AuxiliaryHeads(nn.Module):
    """The heads of the tasks that are learned; others have no parameters."""

    def __init__(self, text_width: int, width: int, tasks: AuxiliaryTasks) -> None:
        super().__init__()
        has_interest = tasks.categories or tasks.kinds
        self.interest = InterestHead(width, tasks.categories, tasks.kinds) if has_interest else None
        self.intent = IntentHead(text_width, tasks.intents) if tasks.intents else None
        classes = {name: len(names) for name, names in tasks.attributes.items()}
        self.attributes = AttributeHeads(text_width, classes) if classes else None
        self.relevance = RelevanceHead() if tasks.relevance else None


def _at_zero(inputs: int, classes: int) -> nn.Linear:
    linear = nn.Linear(inputs, classes)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear


def _of_normal_size(unit: Tensor) -> Tensor:
    # Unit vectors have entries near 1/sqrt(width); scaled up, a layer learns at a normal pace.
    scaled: Tensor = unit * unit.shape[-1] ** 0.5
    return scaled
