"""A saved run as the network that training had: it can be asked about any moment, with gradient."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from shelfwise.data.item_facts import item_facts
from shelfwise.data.part_rows import LEARNED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.text import encoded_texts
from shelfwise.data.tokens import tokenise
from shelfwise.data.trend import trend_of
from shelfwise.models.config import ModelOptions
from shelfwise.models.weights import ENCODER
from shelfwise.ranking.loaded_run import LoadedRun
from shelfwise.schema.progress import Progress
from shelfwise.training.network import Network, neighbours_of, words_of
from shelfwise.training.text_bank import TextBank


def network_of(folder: Path, run: LoadedRun, prepared: PreparedShop, progress: Progress) -> Network:
    """The run's network on the prepared log, its trend frozen where its training ended.

    In a run folder the trend stands as of the test's first day. Asked with that, a training
    request would be told its own outcome; here each is told its own morning.
    """
    encoder = ModelOptions.model_validate(run.manifest.facts["model"]).encoder
    texts = [encoder.item_prefix + text for text in encoded_texts(prepared.items)]
    texts += [encoder.query_prefix + text for text in prepared.queries["text"]]
    tokens = tokenise(texts, folder / ENCODER / "tokenizer.json", run.data.text.max_tokens)
    parts = run.learned
    bank = TextBank(run.encoder, tokens, torch.device("cpu"), progress)
    facts, trend = item_facts(prepared, parts), trend_of(prepared, parts)
    network = Network.of(bank, run.model, facts, trend)
    neighbours = neighbours_of(prepared, parts, run.model.options.neighbours, progress)
    return replace(network, words=words_of(prepared), neighbours=neighbours)


def as_of_test(network: Network, prepared: PreparedShop) -> Network:
    """The same weights, told all that a run is told before its test."""
    return replace(
        network,
        trend=trend_of(prepared, LEARNED),
        frozen_at=prepared.moments.known_until(LEARNED),
    )
