"""From a prepared shop to a run folder: build, fit, refit where asked, save, seal."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from shelfwise.data.batches import Examples, examples_between
from shelfwise.data.folder import new_folder
from shelfwise.data.item_facts import NUMBERS, ItemFacts, item_facts
from shelfwise.data.prepared import PreparedPairs, PreparedShop
from shelfwise.data.split import Part
from shelfwise.data.targets import match_targets
from shelfwise.data.tokens import TokenTable, tokenise
from shelfwise.data.trend import FIGURES, trend_at, trend_of
from shelfwise.models.config import ModelOptions
from shelfwise.models.pretrained import encoder_folder
from shelfwise.models.shelf_model import Shape, ShelfModel
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.models.weights import save_encoder, save_tensors
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import MANIFEST, Manifest, holds, seal
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress, Silent
from shelfwise.schema.run_files import CAMPAIGNS, CURVE, ITEMS, MODEL, TABLES
from shelfwise.training.classify import train_classifier
from shelfwise.training.config import TrainOptions
from shelfwise.training.device import choose_device
from shelfwise.training.fit import LearningCurve, Lessons, Plan, fit
from shelfwise.training.network import Network
from shelfwise.training.text_bank import TextBank
from shelfwise.training.validation import check


def train(
    prepared: PreparedShop | PreparedPairs,
    out: Path,
    model_options: ModelOptions,
    options: TrainOptions,
    progress: Progress | None = None,
) -> Manifest:
    """Learn from a prepared folder and write the run folder ``out``, whole or not at all.

    Which tasks are learned follows from the log: clicks and conversions where it has impressions,
    match always; a table of pairs becomes a classifier.
    """
    progress = progress or Silent()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads or torch.get_num_threads())
    if holds(out) == "prepared":
        raise ConfigError(f"{out}: holds a prepared shop; name another folder for the run")
    with new_folder(out, MANIFEST) as folder:
        if isinstance(prepared, PreparedPairs):
            facts = train_classifier(prepared, folder, model_options, options, progress)
        else:
            facts = _train_shop(prepared, folder, model_options, options, progress)
        facts |= {
            "prepared": str(prepared.folder.resolve()),
            "model": model_options.model_dump(mode="json"),
            "train": options.model_dump(mode="json"),
            "data": prepared.options.model_dump(mode="json"),
            "config": prepared.manifest.facts["options"],
        }
        return seal(
            folder,
            "run",
            seed=options.seed,
            data_fingerprint=prepared.manifest.data_fingerprint,
            facts=facts,
        )


def _train_shop(
    prepared: PreparedShop,
    folder: Path,
    model_options: ModelOptions,
    options: TrainOptions,
    progress: Progress,
) -> dict[str, Any]:
    began = time.monotonic()
    builder = _Builder(prepared, model_options, options, progress)
    network, curve, plan = builder.fitted()
    best = curve.best
    last_part: Part = "validation" if options.refit else "train"
    if options.refit:
        network = builder.refitted(plan, best.step)
    trained_until = prepared.moments.end_of(last_part)
    _save(network, builder.facts(last_part), trained_until, curve, builder, folder)
    return {
        "shape": "shop",
        "tasks": tasks_of(prepared),
        "match_kinds": prepared.manifest.facts["match_kinds"],
        "queries": len(prepared.queries),
        "trained_until": trained_until,
        "best_step": best.step,
        "steps": curve.checks[-1].step,
        "validation": plain(best.figures),
        "seconds": round(time.monotonic() - began, 1),
    }


def tasks_of(prepared: PreparedShop) -> list[str]:
    """What this log can teach: a task without labels is never trained on made-up ones."""
    kinds = "/".join(prepared.manifest.facts["match_kinds"])
    tasks = [f"match ({kinds})"]
    if prepared.has_impressions:
        tasks += ["click", "conversion"]
    return tasks


class _Builder:
    """Builds the same fresh network for a fit and for its refit."""

    def __init__(
        self,
        prepared: PreparedShop,
        model_options: ModelOptions,
        options: TrainOptions,
        progress: Progress,
    ) -> None:
        self.prepared = prepared
        self.model_options = model_options
        self.options = options
        self.progress = progress
        self.source = encoder_folder(model_options.encoder.name)
        self.tokens = self._tokens()
        self.trend = trend_of(prepared)

    def _tokens(self) -> TokenTable:
        encoder = self.model_options.encoder
        texts = [encoder.item_prefix + text for text in self.prepared.items["text"]]
        texts += [encoder.query_prefix + text for text in self.prepared.queries["text"]]
        return tokenise(
            texts, self.source / "tokenizer.json", self.prepared.options.text.max_tokens
        )

    def facts(self, last_part: Part) -> ItemFacts:
        return item_facts(self.prepared, self.prepared.moments.end_of(last_part))

    def fresh(self, last_part: Part) -> Network:
        torch.manual_seed(self.options.seed)
        device = choose_device(self.options.device)
        encoder = load_text_encoder(self.source, self.model_options.encoder)
        bank = TextBank(encoder, self.tokens, device, self.progress)
        shape = Shape(encoder.width, len(self.prepared.items), NUMBERS, FIGURES)
        model = ShelfModel(shape, self.model_options)
        network = Network.of(bank, model, self.facts(last_part), self.trend)
        if self.prepared.has_impressions:
            model.heads.start_from(*_rates(self.examples(last_part)))
        return network

    def examples(self, last_part: Part) -> Examples:
        moments = self.prepared.moments
        return examples_between(self.prepared, moments.first, moments.end_of(last_part))

    def fitted(self) -> tuple[Network, LearningCurve, Plan]:
        network = self.fresh("train")
        examples = self.examples("train")
        plan = Plan.of(examples, self.options)
        moments = self.prepared.moments
        judged = examples_between(self.prepared, moments.validation, moments.test)
        targets = match_targets(self.prepared, "validation")
        curve = fit(
            network,
            Lessons(self.prepared, examples, plan),
            self.options,
            look=lambda step: check(network, self.prepared, targets, judged, step),
            progress=self.progress,
        )
        return network, curve, plan

    def refitted(self, plan: Plan, steps: int) -> Network:
        """A fresh network on training + validation, for the share of steps that was best."""
        network = self.fresh("validation")
        examples = self.examples("validation")
        longer = Plan.of(examples, self.options).scheduled / plan.scheduled
        refit = Plan(
            scheduled=round(plan.scheduled * longer),
            taken=max(1, round(steps * longer)),
            per_check=plan.per_check,
        )
        fit(
            network,
            Lessons(self.prepared, examples, refit),
            self.options,
            look=None,
            progress=self.progress,
        )
        return network


def _rates(examples: Examples) -> tuple[float, float]:
    """Share of impressions clicked, and of clicked ones with a closed window bought."""
    clicked_N = examples.clicked_N
    settled_N = clicked_N & examples.known_N
    convert = examples.purchased_N[settled_N].mean() if settled_N.any() else 0.1
    return float(clicked_N.mean()) if len(clicked_N) else 0.1, float(convert)


def taken_before(prepared: PreparedShop, end: int) -> NDArray[np.int64]:
    """``[V]`` how often each item was a match before ``end``."""
    taken = prepared.positives.filter(pl.col("at") < end)["item"].to_numpy()
    return np.bincount(taken, minlength=len(prepared.items)).astype(np.int64)


def _save(
    network: Network,
    facts: ItemFacts,
    trained_until: int,
    curve: LearningCurve,
    builder: _Builder,
    folder: Path,
) -> None:
    prepared = builder.prepared
    save_encoder(network.bank.encoder, builder.source, folder)
    save_tensors(network.model.state_dict(), folder / MODEL)
    tables = {
        "item_text_VH": network.bank.vectors_TH[: network.items],
        "item_number_VF": torch.from_numpy(facts.number_VF),
        "item_warm_V": torch.from_numpy(facts.warm_V),
        # Counting needs no training, so the run is told everything up to its test.
        "trend_VG": torch.from_numpy(trend_at(prepared, prepared.moments.test)),
    }
    save_tensors(tables, folder / TABLES)
    # How often each item was taken before training ended: what a ranking falls back on.
    counts = taken_before(prepared, trained_until)
    prepared.items.with_columns(pl.Series("taken", counts)).write_parquet(folder / ITEMS)
    prepared.campaigns.write_parquet(folder / CAMPAIGNS)
    found = {"losses": curve.losses, "checks": [asdict(c) for c in curve.checks]}
    (folder / CURVE).write_text(json.dumps(plain(found), indent=1))
