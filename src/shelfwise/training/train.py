"""From a prepared shop to a run folder: build, fit, refit where asked, save, seal."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from shelfwise.data.folder import new_folder
from shelfwise.data.item_facts import item_facts
from shelfwise.data.part_rows import LEARNED, TRAINED, believed, taken_of_parts
from shelfwise.data.prepared import Prepared, PreparedJudgements, PreparedPairs, PreparedShop
from shelfwise.data.split import Part
from shelfwise.data.trend import trend_at
from shelfwise.models.calibration import save_calibration
from shelfwise.models.config import ModelOptions
from shelfwise.models.weights import save_encoder, save_tensors
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import MANIFEST, Manifest, holds, seal
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress, Silent
from shelfwise.schema.run_files import CALIBRATION, CAMPAIGNS, CURVE, ITEMS, MODEL, TABLES
from shelfwise.training.adversaries.reach import unmoved
from shelfwise.training.begin import Begun
from shelfwise.training.builder import Builder
from shelfwise.training.classify import train_classifier
from shelfwise.training.config import TrainOptions
from shelfwise.training.conversion_labels import conversion_warnings
from shelfwise.training.course import Course
from shelfwise.training.curve import LearningCurve
from shelfwise.training.fit import Lessons, Plan, fit
from shelfwise.training.manner import Manner, Resuming
from shelfwise.training.network import Network
from shelfwise.training.phases import Timed, Untimed
from shelfwise.training.relevance import train_relevance
from shelfwise.training.tracking import refuse_missing_library


def train(
    prepared: Prepared,
    out: Path,
    model_options: ModelOptions,
    options: TrainOptions,
    progress: Progress | None = None,
    course: Course | None = None,
) -> Manifest:
    """Learn from a prepared folder and write the run folder ``out``, whole or not at all.

    Which tasks are learned follows from the log: clicks and conversions where it has impressions,
    match always; a table of pairs becomes a classifier, judgements alone a grader of texts.
    """
    progress, course = progress or Silent(), course or Course()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads or torch.get_num_threads())
    if holds(out) == "prepared":
        raise ConfigError(f"{out}: holds a prepared shop; name another folder for the run")
    refuse_missing_library(options)
    resuming = Resuming.of(prepared, out, course, model=model_options, train=options)
    with new_folder(out, MANIFEST) as folder:
        match prepared:
            case PreparedPairs():
                facts = train_classifier(
                    prepared, folder, model_options, options, progress, course.told
                )
            case PreparedJudgements():
                facts = train_relevance(prepared, folder, model_options, options, progress, course)
            case PreparedShop():
                timed = Timed() if course.profile else Untimed()
                manner = Manner(progress, resuming, options, timed)
                builder = Builder(prepared, model_options, options, manner, course)
                facts = _shop_run(builder, course, folder)
        facts = {
            "prepared": str(prepared.folder.resolve()),
            "model": model_options.model_dump(mode="json"),
            "train": options.model_dump(mode="json"),
            "data": prepared.options.model_dump(mode="json"),
            "config": prepared.manifest.facts["options"],
        } | facts
        manifest = seal(
            folder,
            "run",
            seed=options.seed,
            data_fingerprint=prepared.manifest.data_fingerprint,
            facts=facts,
        )
    resuming.forget()
    return manifest


def _shop_run(builder: Builder, course: Course, folder: Path) -> dict[str, Any]:
    """Write the files of a shop's run, and say what it remembers."""
    if builder.begun is None:
        adapted = builder.adapt(course.adaptation)
        return _train_shop(builder, folder) | {"adaptation": adapted}
    if course.adaptation.kind == "on":
        raise ConfigError(
            "adaptation.kind=on: a run that others begin from has its encoder already"
        )
    if new := builder.added_tasks():
        return _add_tasks(builder, builder.begun, new, folder)
    beginning = {"folder": str(builder.begun.folder.resolve()), "added": []}
    return _train_shop(builder, folder) | {"from": beginning}


def _add_tasks(builder: Builder, begun: Begun, new: Sequence[str], folder: Path) -> dict[str, Any]:
    """Learn ``new`` on top of a run: every other file and answer of it stays as it is."""
    began = time.monotonic()
    parts = builder.parts_of(begun)
    network = builder.on_top(begun, new, parts)
    examples = builder.examples(parts)
    plan = Plan.of(examples, builder.options)
    lessons = Lessons(builder.prepared, examples, plan)
    with builder.manner.watching("fit") as watchers:
        curve = fit(network, lessons, builder.options, look=None, watchers=watchers)
    shutil.copytree(
        begun.folder, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST)
    )
    save_tensors(network.model.state_dict(), folder / MODEL)
    facts, beside = begun.manifest.facts, builder.beside(network)
    (folder / CURVE).write_text(_as_json(_with_losses(folder / CURVE, curve)))
    auxiliary = network.tasks.auxiliary.model_dump(mode="json")
    known = {**facts.get("auxiliary_figures", {}), **beside}
    return facts | {
        "tasks": [*facts["tasks"], *new],
        "task_options": builder.tasks.model_dump(mode="json"),
        "auxiliary": auxiliary,
        "attributes": network.tasks.facts()["attributes"] or facts.get("attributes", {}),
        "auxiliary_figures": plain(known),
        "from": {"folder": str(begun.folder.resolve()), "added": list(new)},
        "warnings": [
            *facts.get("warnings", []),
            *unmoved(builder.options.adversary, network.passed),
        ],
        "seconds": round(time.monotonic() - began, 1),
        **builder.manner.facts(),
    }


def _with_losses(path: Path, curve: LearningCurve) -> dict[str, Any]:
    """The curve of a run, with the losses of what was learned on top of it."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found | {"losses_of_added": curve.losses}


def _as_json(found: dict[str, Any]) -> str:
    return json.dumps(plain(found), indent=1)


def _train_shop(builder: Builder, folder: Path) -> dict[str, Any]:
    began = time.monotonic()
    prepared, options = builder.prepared, builder.options
    network, curve, plan = builder.fitted()
    best = curve.best
    parts = LEARNED if options.refit else TRAINED
    # Before a refit learns from validation too: what it calibrates is a network of the same making.
    calibrated = builder.calibrated(network)
    beside = builder.beside(network)
    if options.refit:
        network = builder.refitted(plan, curve)
    _save(network, parts, curve, builder, folder)
    save_calibration(calibrated.calibration, folder / CALIBRATION)
    return {
        "shape": "shop",
        "tasks": tasks_of(prepared, network.tasks.learned),
        "task_options": builder.tasks.model_dump(mode="json"),
        **network.tasks.facts(),
        "auxiliary_figures": plain(beside),
        "task_weights": _weights_now(network),
        "match_kinds": prepared.manifest.facts["match_kinds"],
        "queries": len(prepared.queries),
        "trained_until": prepared.moments.known_until(parts),
        "best_step": best.step,
        "steps": curve.checks[-1].step,
        "validation": plain(best.figures),
        "newcomers_raised": builder.welcome.raised,
        "newcomers_share": builder.welcome.exposure,
        "calibration": calibrated.facts() | {"fitted_on": _calibrated_on(prepared, options)},
        "warnings": unmoved(options.adversary, network.passed)
        + conversion_warnings(
            prepared, builder.examples(parts), options, prepared.moments.known_until(parts)
        ),
        "seconds": round(time.monotonic() - began, 1),
        **builder.manner.facts(),
    }


def tasks_of(prepared: PreparedShop, learned: Sequence[str]) -> list[str]:
    """What a run has learned: of a task without labels it says nothing."""
    kinds = "/".join(prepared.manifest.facts["match_kinds"])
    return [f"match ({kinds})" if task == "match" else task for task in learned]


def _weights_now(network: Network) -> dict[str, float]:
    """What each task counts in the end, where that is learned; else as it was given."""
    learned = network.model.task_weights
    return dict(network.tasks.weights) | ({} if learned is None else learned.weights())


def _calibrated_on(prepared: PreparedShop, options: TrainOptions) -> str:
    if not prepared.has_impressions:
        return "nothing: the log does not say what was shown"
    if options.refit:
        return "validation, with the network before its refit; used for the refitted one"
    return "validation"


def taken_counts(prepared: PreparedShop, parts: Sequence[Part]) -> NDArray[np.int64]:
    """``[V]`` how often each item was a match, as far as ``parts`` tell; fraud is not counted."""
    taken = believed(taken_of_parts(prepared, parts))["item"].to_numpy()
    return np.bincount(taken, minlength=len(prepared.items)).astype(np.int64)


def _save(
    network: Network,
    parts: Sequence[Part],
    curve: LearningCurve,
    builder: Builder,
    folder: Path,
) -> None:
    prepared = builder.prepared
    facts = item_facts(prepared, parts)
    told_at = prepared.moments.known_until(LEARNED)
    prompts = builder.model_options.encoder.prompts()
    save_encoder(network.bank.encoder, builder.source, folder, prompts)
    save_tensors(network.model.state_dict(), folder / MODEL)
    tables = {
        "item_text_VH": network.bank.vectors_TH[: network.items],
        "item_number_VF": torch.from_numpy(facts.number_VF),
        "item_warm_V": torch.from_numpy(facts.warm_V),
        # Counting needs no training, so the run is told everything up to its test.
        "trend_VG": torch.from_numpy(trend_at(prepared, told_at, LEARNED)),
    }
    if network.neighbours is not None:  # of all owners: those without a fold served training
        item_TXK, weight_TXK = network.neighbours
        tables["neighbour_item_TVK"] = item_TXK[:, : network.items]
        tables["neighbour_weight_TVK"] = weight_TXK[:, : network.items]
    save_tensors(tables, folder / TABLES)
    # How often each item was taken before training ended: what a ranking falls back on.
    taken = pl.Series("taken", taken_counts(prepared, parts))
    prepared.items.with_columns(taken).write_parquet(folder / ITEMS)
    prepared.campaigns.write_parquet(folder / CAMPAIGNS)
    found = {"losses": curve.losses, "checks": [asdict(c) for c in curve.checks]}
    (folder / CURVE).write_text(_as_json(found))
