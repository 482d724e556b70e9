"""A network in training, small enough to be followed by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from shelfwise.data.batches import Batch, Examples, examples_between, gather
from shelfwise.data.item_facts import NUMBERS, item_facts
from shelfwise.data.part_rows import TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.tokens import TokenTable, tokenise
from shelfwise.data.trend import FIGURES, trend_of
from shelfwise.models.config import (
    EncoderOptions,
    HistoryEncoderOptions,
    ModelOptions,
    TopLayers,
    TransformerHistory,
    TuningOptions,
)
from shelfwise.models.neighbours import NeighbourTables
from shelfwise.models.shelf_model import Shape, ShelfModel
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.retrieval.neighbours import neighbour_arrays
from shelfwise.retrieval.taken import taken_in
from shelfwise.schema.progress import Silent
from shelfwise.training.network import Network
from shelfwise.training.text_bank import TextBank

CPU = torch.device("cpu")
TOP = TopLayers(layers=1)
SMALL = TransformerHistory(layers=1, heads=2)


def options_of(
    folder: Path, tuning: TuningOptions = TOP, history: HistoryEncoderOptions = SMALL
) -> ModelOptions:
    return ModelOptions(
        width=16,
        encoder=EncoderOptions(name=str(folder), tuning=tuning),
        history=history,
    )


def tokens_of(prepared: PreparedShop, folder: Path) -> TokenTable:
    texts = [*prepared.items["text"], *prepared.queries["text"]]
    return tokenise(texts, folder / "tokenizer.json", 48)


def bank_of(
    prepared: PreparedShop,
    folder: Path,
    tuning: TuningOptions = TOP,
    device: torch.device = CPU,
) -> TextBank:
    encoder = load_text_encoder(folder, EncoderOptions(name=str(folder), tuning=tuning))
    return TextBank(encoder, tokens_of(prepared, folder), device, Silent())


def network_of(
    prepared: PreparedShop,
    folder: Path,
    tuning: TuningOptions = TOP,
    history: HistoryEncoderOptions = SMALL,
    device: torch.device = CPU,
) -> Network:
    """As training begins; the same every time."""
    torch.manual_seed(0)
    bank = bank_of(prepared, folder, tuning, device)
    shape = Shape(bank.encoder.width, len(prepared.items), NUMBERS, FIGURES)
    model = ShelfModel(shape, options_of(folder, tuning, history))
    facts = item_facts(prepared, TRAINED)
    network = Network.of(bank, model, facts, trend_of(prepared))
    near = neighbour_arrays(taken_in(prepared, TRAINED), model.options.neighbours)
    tables = NeighbourTables(*map(torch.from_numpy, near)).to(device)
    return replace(network, neighbours=tables)


def training_examples(prepared: PreparedShop) -> Examples:
    return examples_between(prepared, prepared.moments.first, prepared.moments.validation)


def first_batch(prepared: PreparedShop, size: int = 64) -> Batch:
    examples = training_examples(prepared)
    return gather(prepared, examples, np.arange(min(size, len(examples))))
