"""A run folder, checked against its manifest and ready to answer.

Shape suffixes in this file: V = items, Q = queries, H = text width, B = texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from shelfwise.data.config import DataOptions
from shelfwise.data.item_facts import NUMBERS
from shelfwise.data.item_groups import item_groups
from shelfwise.data.part_rows import LEARNED, TRAINED
from shelfwise.data.prepared import campaigns_of, item_of
from shelfwise.data.split import Part
from shelfwise.data.tokens import open_tokenizer
from shelfwise.data.trend import FIGURES
from shelfwise.models.auxiliary import AuxiliaryTasks
from shelfwise.models.calibration import (
    NOT_CALIBRATED,
    CalibratedPairs,
    Calibration,
    load_calibration,
)
from shelfwise.models.catalogue import Catalogue, ItemInputs
from shelfwise.models.config import FlatTextHistory, ModelOptions
from shelfwise.models.history.written import WrittenHistories
from shelfwise.models.inference import pair_logits
from shelfwise.models.neighbours import NeighbourTables
from shelfwise.models.requests import Requests
from shelfwise.models.shelf_model import Shape, ShelfModel
from shelfwise.models.text_encoder import TextEncoder
from shelfwise.models.weights import ENCODER, load_encoder, load_shelf_model, load_tensors
from shelfwise.retrieval.shared_words import SharedWords, figures_of_words
from shelfwise.retrieval.word_figures import WordFigures
from shelfwise.schema.errors import ArtifactError
from shelfwise.schema.item import Campaign, Item
from shelfwise.schema.manifest import Manifest, open_sealed
from shelfwise.schema.run_files import CALIBRATION, CAMPAIGNS, ITEMS, MODEL, TABLES

_TEXTS_AT_A_TIME = 256


class EncodedQueries(NamedTuple):
    """Queries as the network reads them."""

    texts: tuple[str, ...]
    vector_QH: Tensor  # unit length
    tokens: tuple[NDArray[np.int32], ...]

    def chosen(self, number_N: Tensor) -> EncodedQueries:
        """Some of them, in the order given."""
        numbers = number_N.tolist()
        return EncodedQueries(
            texts=tuple(self.texts[number] for number in numbers),
            vector_QH=self.vector_QH[number_N],
            tokens=tuple(self.tokens[number] for number in numbers),
        )


@dataclass(frozen=True, slots=True)
class LoadedRun:
    """Encoder, network and catalogue of a trained shop."""

    manifest: Manifest
    data: DataOptions
    items: tuple[Item, ...]
    item_texts: tuple[str, ...]
    taken_V: NDArray[np.int64]  # how often each item was taken before training ended
    campaigns: tuple[Campaign, ...]
    model: ShelfModel
    encoder: TextEncoder
    tokenizer: Tokenizer
    query_prefix: str
    calibration: Calibration
    inputs: ItemInputs  # what the network is told of the items
    known: Catalogue  # the items, with no queries
    item_tokens: tuple[NDArray[np.int32], ...]  # only where histories are read as text
    words: WordFigures | None  # of the items; only where the heads are told of words
    number_of: dict[str, int] = field(repr=False)  # item id -> number

    @property
    def has_heads(self) -> bool:
        """Whether clicks were learned, and with them what came of clicks."""
        return "click" in self.manifest.facts["tasks"]

    @property
    def has_conversion(self) -> bool:
        """Whether training knew purchases to learn P(purchase | click) from."""
        return "conversion" in self.manifest.facts["tasks"]

    @property
    def learned(self) -> tuple[Part, ...]:
        """Parts of the log that the weights have learned from."""
        return LEARNED if self.manifest.facts["train"].get("refit") else TRAINED

    @property
    def knows_queries(self) -> bool:
        """Whether searches were logged, so that query and item met in training."""
        return bool(self.manifest.facts["queries"])

    @torch.no_grad()
    def encode_queries(self, texts: Sequence[str]) -> EncodedQueries:
        """Queries as the encoder reads them."""
        tokens = _tokens(self.tokenizer, [self.query_prefix + text for text in texts])
        return EncodedQueries(tuple(texts), self._encode_all(tokens), tokens)

    def _encode_all(self, tokens: Sequence[NDArray[np.int32]]) -> Tensor:
        """``[Q, H]``, texts of like length together."""
        order = np.argsort([len(one) for one in tokens], kind="stable")
        pieces = [torch.zeros(0, self.encoder.width)]
        for start in range(0, len(order), _TEXTS_AT_A_TIME):
            some = order[start : start + _TEXTS_AT_A_TIME]
            pieces.append(self.read([tokens[text] for text in some]))
        return torch.cat(pieces)[torch.from_numpy(np.argsort(order))]

    def read(self, tokens: Sequence[NDArray[np.int32]]) -> Tensor:
        """``[B, H]`` unit vectors of texts given by their tokens, with gradient where it is on."""
        longest = max(len(one) for one in tokens)
        ids_BL = torch.zeros(len(tokens), longest, dtype=torch.int64)
        mask_BL = torch.zeros(len(tokens), longest, dtype=torch.bool)
        for row, one in enumerate(tokens):
            ids_BL[row, : len(one)] = torch.from_numpy(one)
            mask_BL[row, : len(one)] = True
        vectors: Tensor = self.encoder(ids_BL, mask_BL)
        return vectors

    @torch.no_grad()
    def retitled(self, text_of: Mapping[int, str]) -> LoadedRun:
        """The same run, to which some items (by number) are told by other texts."""
        changed = sorted(text_of)
        texts = list(self.item_texts)
        for number in changed:
            texts[number] = text_of[number]
        prefix = ModelOptions.model_validate(self.manifest.facts["model"]).encoder.item_prefix
        tokens = _tokens(self.tokenizer, [prefix + texts[number] for number in changed])
        text_VH = self.inputs.text_VH.clone()
        text_VH[torch.tensor(changed, dtype=torch.int64)] = self._encode_all(tokens)
        inputs = self.inputs._replace(text_VH=text_VH)
        known = self.model.catalogue(inputs, torch.zeros(0, self.encoder.width))
        read = dict(zip(changed, tokens, strict=True)) if self.item_tokens else {}
        return replace(
            self,
            inputs=inputs,
            known=known._replace(neighbours=self.known.neighbours),
            item_texts=tuple(texts),
            item_tokens=tuple(read.get(n, old) for n, old in enumerate(self.item_tokens)),
            words=None if self.words is None else WordFigures(texts),
        )

    def with_trend(self, trend_VG: NDArray[np.float32]) -> LoadedRun:
        """The same run, told how items were doing at another moment."""
        inputs = self.inputs._replace(trend_KVG=torch.from_numpy(trend_VG)[None])
        known = self.known._replace(trend_KVG=inputs.trend_KVG)
        return replace(self, inputs=inputs, known=known)

    @torch.no_grad()
    def catalogue(self, queries: EncodedQueries) -> Catalogue:
        """The items, with the given queries beside them."""
        return self.known._replace(
            query_QD=self.model.query_vectors(queries.vector_QH),
            query_text_QH=queries.vector_QH,
            written=self._written(queries),
            shared_words=None if self.words is None else SharedWords(self.words, queries.texts),
        )

    def _written(self, queries: EncodedQueries) -> WrittenHistories | None:
        options = self.model.options.history
        if not isinstance(options, FlatTextHistory):
            return None
        return WrittenHistories(
            items=self.item_tokens.__getitem__,
            queries=queries.tokens.__getitem__,
            read=self.encoder,
            width=self.encoder.width,
            options=options,
        )

    def probabilities(
        self,
        requests: Requests,
        catalogue: Catalogue,
        pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
        position_N: NDArray[np.int64] | None = None,
        *,
        calibrated: bool = True,
    ) -> CalibratedPairs:
        """Clicks and purchases of (request, item) pairs: what every scorer of this run says.

        Args:
            requests: who asks.
            catalogue: from `catalogue`.
            pairs: ``request_N`` and ``item_N``.
            position_N: place each item was shown at, 0 unknown; None: each as the first of a list.
            calibrated: False leaves them as the network gives them.
        """
        logits = pair_logits(self.model, requests, catalogue, pairs, position_N)
        return (self.calibration if calibrated else NOT_CALIBRATED)(logits)


def open_run(folder: Path) -> LoadedRun:
    """Load a run of a shop.

    Raises:
        ArtifactError: the folder is no run, of another version, altered, or a classifier.
    """
    manifest = open_sealed(folder, "run")
    match manifest.facts["shape"]:
        case "shop":
            pass
        case "relevance":
            raise ArtifactError(
                f"{folder}: has learned from judgements alone and knows no shoppers; measure it "
                "with: shelfwise evaluate, ask it with: shelfwise rank --surface search"
            )
        case _:
            raise ArtifactError(f"{folder}: a classifier of texts; it cannot rank a shop's items")
    data = DataOptions.model_validate(manifest.facts["data"])
    options = ModelOptions.model_validate(manifest.facts["model"])
    table = pl.read_parquet(folder / ITEMS, glob=False)
    tables = load_tensors(folder / TABLES)
    encoder = load_encoder(folder, options)
    words = figures_of_words(manifest.facts["queries"])
    auxiliary = AuxiliaryTasks.model_validate(manifest.facts.get("auxiliary", {}))
    shape = Shape(encoder.width, len(table), NUMBERS, FIGURES, auxiliary, words)
    model = load_shelf_model(folder / MODEL, shape, options)
    inputs = ItemInputs(
        tables["item_text_VH"],
        tables["item_number_VF"],
        torch.from_numpy(item_groups(table)),
        tables["item_warm_V"],
        tables["trend_VG"][None],
    )
    with torch.no_grad():
        known = model.catalogue(inputs, torch.zeros(0, encoder.width))
    known = known._replace(neighbours=_neighbours_of(tables))
    items = tuple(item_of(row) for row in table.iter_rows(named=True))
    tokenizer = open_tokenizer(folder / ENCODER / "tokenizer.json", data.text.max_tokens)
    written = table["text"] if isinstance(options.history, FlatTextHistory) else table["text"][:0]
    return LoadedRun(
        manifest=manifest,
        data=data,
        items=items,
        item_texts=tuple(table["text"]),
        taken_V=table["taken"].to_numpy(),
        campaigns=campaigns_of(pl.read_parquet(folder / CAMPAIGNS, glob=False)),
        model=model,
        encoder=encoder,
        tokenizer=tokenizer,
        query_prefix=options.encoder.query_prefix,
        calibration=_calibration_of(folder, manifest),
        inputs=inputs,
        known=known,
        item_tokens=_tokens(tokenizer, [options.encoder.item_prefix + text for text in written]),
        words=WordFigures(table["text"].to_list()) if words else None,
        number_of={item.item_id: number for number, item in enumerate(items)},
    )


def _neighbours_of(tables: Mapping[str, Tensor]) -> NeighbourTables | None:
    if "neighbour_item_TVK" not in tables:
        return None
    return NeighbourTables(tables["neighbour_item_TVK"], tables["neighbour_weight_TVK"])


def _tokens(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[NDArray[np.int32], ...]:
    encoded = tokenizer.encode_batch_fast(list(texts))
    return tuple(np.array(one.ids, np.int32) for one in encoded)


def _calibration_of(folder: Path, manifest: Manifest) -> Calibration:
    """What training fitted; a run from before there was such a file says what its network says."""
    if CALIBRATION not in manifest.sha256:
        return NOT_CALIBRATED
    return load_calibration(folder / CALIBRATION)
