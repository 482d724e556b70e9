"""The whole network in training: text bank below, shelf model above, and the batch between them.

Shape suffixes in this file: V = items, Q = queries met in the batch, H = text width, R = requests,
N = impressions, M = positives, D = width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.data.batches import Batch, Examples
from shelfwise.data.item_facts import ItemFacts
from shelfwise.data.part_rows import numbers_of_believed
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.data.tokens import TokenTable
from shelfwise.data.trend import Trend
from shelfwise.models.catalogue import Catalogue, Fresh, ItemInputs
from shelfwise.models.config import FlatTextHistory
from shelfwise.models.history.written import WrittenHistories
from shelfwise.models.neighbours import NeighbourTables
from shelfwise.models.places import PlaceName
from shelfwise.models.shelf_model import ShelfModel
from shelfwise.retrieval.neighbours import fold_of, neighbour_arrays
from shelfwise.retrieval.shared_words import SharedWords
from shelfwise.retrieval.taken import taken_in
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.progress import Progress
from shelfwise.training.adversaries.reach import passed_in_shop
from shelfwise.training.phases import Phases, Untimed
from shelfwise.training.task_plan import PLAIN, TaskPlan
from shelfwise.training.text_bank import TextBank


class _Tokens(NamedTuple):
    """Tokens of some of the bank's texts, by numbers of their own."""

    table: TokenTable
    text_N: NDArray[np.int64]

    def of(self, number: int) -> NDArray[np.int32]:
        text = self.text_N[number]
        return self.table.ids[self.table.offset_T1[text] : self.table.offset_T1[text + 1]]


class Moments(NamedTuple):
    """How items were doing when each request was made."""

    trend_KVG: Tensor
    moment_R: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Network:
    """Everything that answers a batch; texts 0..V-1 of the bank are items, the rest queries."""

    bank: TextBank
    model: ShelfModel
    number_VF: Tensor
    group_VC: Tensor
    warm_V: Tensor
    first_V: Tensor  # int64 microseconds; moment each item was met first
    trend: Trend
    frozen_at: int  # moment from which the trend is no longer followed: the end of training
    phases: Phases = field(default_factory=Untimed)
    neighbours: NeighbourTables | None = None  # of all items; None: matches are told of none
    words: SharedWords | None = None  # of all queries; None: the heads are told of no words
    tasks: TaskPlan = PLAIN

    @classmethod
    def of(
        cls,
        bank: TextBank,
        model: ShelfModel,
        facts: ItemFacts,
        trend: Trend,
        phases: Phases | None = None,
    ) -> Network:
        _check_room(bank, model)
        device = bank.device
        return cls(
            bank,
            model.to(device),
            torch.from_numpy(facts.number_VF).to(device),
            torch.from_numpy(facts.group_VC).to(device),
            torch.from_numpy(facts.warm_V).to(device),
            torch.from_numpy(facts.first_V).to(device),
            trend,
            facts.end,
            phases or Untimed(),
        )

    @property
    def items(self) -> int:
        """V, the size of the catalogue."""
        return len(self.warm_V)

    @property
    def passed(self) -> frozenset[PlaceName]:
        """Places at which an adversary can move what is learned from."""
        return passed_in_shop(self.model.options, learns=self.bank.learns)

    def moments(self, at_R: NDArray[np.int64]) -> Moments:
        """The different days that requests fall in, none later than the end of training."""
        steps, moment_R = np.unique(
            self.trend.step_of(np.minimum(at_R, self.frozen_at)), return_inverse=True
        )
        figures_KVG = torch.from_numpy(self.trend.figures(steps)).to(self.bank.device)
        return Moments(figures_KVG, moment_R.astype(np.int64))

    def catalogue(
        self, query_texts: Tensor, trend_KVG: Tensor, live: NDArray[np.int64] | None = None
    ) -> Catalogue:
        """Items and the given queries.

        Args:
            query_texts: ``[Q]`` numbers of queries.
            trend_KVG: as `moments` returns it.
            live: texts of the bank to encode anew with gradient; the rest come from its table.
        """
        text_TH = self.bank.vectors_TH
        item_text_VH = text_TH[: self.items]
        query_text_QH = text_TH[query_texts + self.items]
        fresh = None
        if live is not None and len(live):
            with self.phases("live texts"):
                fresh_BH = self.bank.encode_many(live, learning=True)
            live_B = torch.from_numpy(live).to(self.bank.device)
            of_items_B = live_B < self.items
            fresh = Fresh(item_text_VH, live_B[of_items_B], fresh_BH[of_items_B])
            item_text_VH = item_text_VH.index_put((fresh.item_B,), fresh.text_BH)
            # Where each live query stands among the batch's; queries are sorted by number.
            place_B = torch.searchsorted(query_texts, live_B[~of_items_B] - self.items)
            query_text_QH = query_text_QH.index_put((place_B,), fresh_BH[~of_items_B])
        items = ItemInputs(
            item_text_VH, self.number_VF, self.group_VC, self.warm_V, trend_KVG, fresh
        )
        catalogue = self.model.catalogue(items, query_text_QH)
        return catalogue._replace(
            neighbours=self.neighbours,
            written=self._written(query_texts),
            shared_words=self._words(query_texts),
        )

    def _words(self, query_texts: Tensor) -> SharedWords | None:
        return None if self.words is None else self.words.chosen(query_texts.tolist())

    def _written(self, query_texts: Tensor) -> WrittenHistories | None:
        options = self.model.options.history
        if not isinstance(options, FlatTextHistory):
            return None
        tokens = self.bank.tokens
        numbers = query_texts.cpu().numpy() + self.items
        return WrittenHistories(
            items=_Tokens(tokens, np.arange(self.items)).of,
            queries=_Tokens(tokens, numbers).of,
            read=self.bank.read,
            width=self.bank.encoder.width,
            options=options,
        )


def _check_room(bank: TextBank, model: ShelfModel) -> None:
    places = int(bank.encoder.model.config.max_position_embeddings)  # type: ignore[arg-type, union-attr]  # HF config
    match model.options.history:
        case FlatTextHistory(tokens=tokens) if tokens > places:
            raise ConfigError(
                f"model.history.tokens: {tokens} asked for, the encoder reads at most {places}"
            )


def words_of(prepared: PreparedShop) -> SharedWords | None:
    """The words of everything that is sold, beside all that was ever typed."""
    return SharedWords.of(prepared.items["text"].to_list(), prepared.queries["text"].to_list())


def neighbours_of(
    prepared: PreparedShop, parts: Sequence[Part], most: int, progress: Progress
) -> NeighbourTables | None:
    """What goes with what by ``parts``, with and without each fold of owners; None where ``most``,
    the neighbours of an item, is 0.
    """
    if most == 0:
        return None
    taken = taken_in(prepared, parts, doubted=False)
    numbered = taken._replace(owner_E=numbers_of_believed(prepared)[taken.owner_E])
    found = neighbour_arrays(numbered, most, progress)
    return NeighbourTables(*map(torch.from_numpy, found))


def told_folds(examples: Examples, prepared: PreparedShop) -> Examples:
    """What was learned from, as it was learned: asking tables that know nothing of its owners."""
    number_R = numbers_of_believed(prepared)[examples.owner_R]
    return replace(examples, fold_R=fold_of(number_R, len(prepared.items)))


def live_texts(batch: Batch, items: int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The texts that learn in this step: what was typed, and a draw of the items it concerns."""
    typed = np.unique(batch.query_R[batch.query_R >= 0]) + items
    concerned = np.unique(np.concatenate([batch.match_item_M, batch.shown_item_N]))
    drawn = rng.permutation(concerned)[:most]
    return np.concatenate([np.sort(drawn), rng.permutation(typed)[:most]])
