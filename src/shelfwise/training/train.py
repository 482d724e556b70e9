"""From a prepared shop to a run folder: build, fit, refit where asked, save, seal."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from shelfwise.data.batches import Examples, examples_of
from shelfwise.data.folder import new_folder
from shelfwise.data.item_facts import NUMBERS, item_facts
from shelfwise.data.part_rows import LEARNED, TRAINED, taken_of_parts
from shelfwise.data.prepared import Prepared, PreparedJudgements, PreparedPairs, PreparedShop
from shelfwise.data.split import Part
from shelfwise.data.targets import match_targets
from shelfwise.data.text import encoded_texts
from shelfwise.data.token_cache import TOKEN_CACHE
from shelfwise.data.tokens import TokenTable, tokenise
from shelfwise.data.trend import FIGURES, trend_at, trend_of
from shelfwise.models.calibration import save_calibration
from shelfwise.models.config import EncoderOptions, ModelOptions
from shelfwise.models.pretrained import encoder_folder
from shelfwise.models.shelf_model import Shape, ShelfModel
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.models.weights import ENCODER, save_encoder, save_tensors
from shelfwise.retrieval.shared_words import figures_of_words
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import MANIFEST, Manifest, holds, seal
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress, Silent
from shelfwise.schema.run_files import CALIBRATION, CAMPAIGNS, CURVE, ITEMS, MODEL, TABLES
from shelfwise.training.adaptation.adapt import Start
from shelfwise.training.adaptation.options import AdaptationOptions
from shelfwise.training.adaptation.stage import Place, starting_encoder
from shelfwise.training.auxiliary_figures import auxiliary_figures
from shelfwise.training.begin import Begun, begin_from, freeze_all_but, joined_heads
from shelfwise.training.calibrate import NOTHING_TO_CALIBRATE, FittedCalibration, calibrate
from shelfwise.training.classify import train_classifier
from shelfwise.training.cold_items import place_cold
from shelfwise.training.config import TrainOptions
from shelfwise.training.conversion_labels import conversion_warnings
from shelfwise.training.course import Course
from shelfwise.training.curve import LearningCurve
from shelfwise.training.device import choose_device
from shelfwise.training.fit import Lessons, Plan, fit
from shelfwise.training.manner import Manner, Resuming
from shelfwise.training.network import Network, words_of
from shelfwise.training.phases import Timed, Untimed
from shelfwise.training.position_start import measured_places, usual_shift
from shelfwise.training.relevance import train_relevance
from shelfwise.training.task_plan import PLAIN, TaskPlan, plan_tasks, start_heads
from shelfwise.training.text_bank import TextBank
from shelfwise.training.tracking import refuse_missing_library
from shelfwise.training.validation import Check, check, compared


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
    if not isinstance(prepared, PreparedShop):
        _refuse_what_takes_a_log(prepared.folder, course)
    resuming = Resuming.of(prepared, out, course, model=model_options, train=options)
    with new_folder(out, MANIFEST) as folder:
        match prepared:
            case PreparedPairs():
                facts = train_classifier(prepared, folder, model_options, options, progress)
            case PreparedJudgements():
                facts = train_relevance(prepared, folder, model_options, options, progress)
            case PreparedShop():
                timed = Timed() if course.profile else Untimed()
                manner = Manner(progress, resuming, options, timed)
                builder = _Builder(prepared, model_options, options, manner, course)
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


def _refuse_what_takes_a_log(folder: Path, course: Course) -> None:
    """Rather than pass over what was asked for."""
    asked = {
        "--from": course.begin is not None,
        "--profile": course.profile,
        "adaptation.kind=on": course.adaptation.kind == "on",
    }
    found = [name for name, given in asked.items() if given]
    if found:
        raise ConfigError(
            f"{folder}: has no log of behaviour, and {', '.join(found)} is for those that have one;"
            " leave it out"
        )


def _shop_run(builder: _Builder, course: Course, folder: Path) -> dict[str, Any]:
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


def _add_tasks(builder: _Builder, begun: Begun, new: Sequence[str], folder: Path) -> dict[str, Any]:
    """Learn ``new`` on top of a run: every other file and answer of it stays as it is."""
    began = time.monotonic()
    parts = builder.parts_of(begun)
    network = builder.on_top(begun, new, parts)
    examples = examples_of(builder.prepared, parts)
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
        "seconds": round(time.monotonic() - began, 1),
        **builder.manner.facts(),
    }


def _with_losses(path: Path, curve: LearningCurve) -> dict[str, Any]:
    """The curve of a run, with the losses of what was learned on top of it."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found | {"losses_of_added": curve.losses}


def _as_json(found: dict[str, Any]) -> str:
    return json.dumps(plain(found), indent=1)


def _train_shop(builder: _Builder, folder: Path) -> dict[str, Any]:
    began = time.monotonic()
    prepared, options = builder.prepared, builder.options
    network, curve, plan = builder.fitted()
    best = curve.best
    parts = LEARNED if options.refit else TRAINED
    examples = examples_of(prepared, parts)
    # Before a refit learns from validation too: what it calibrates is a network of the same making.
    calibrated = builder.calibrated(network)
    beside = builder.beside(network)
    if options.refit:
        network = builder.refitted(plan, best.step)
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
        "calibration": calibrated.facts() | {"fitted_on": _calibrated_on(prepared, options)},
        "warnings": conversion_warnings(
            prepared, examples, options, prepared.moments.known_until(parts)
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


class _Builder:
    """Builds the same fresh network for a fit and for its refit."""

    def __init__(
        self,
        prepared: PreparedShop,
        model_options: ModelOptions,
        options: TrainOptions,
        manner: Manner,
        course: Course,
    ) -> None:
        self.prepared = prepared
        self.tasks = course.tasks
        self.model_options = model_options
        self.options = options
        self.manner = manner
        self.progress = manner.progress
        self.encoder_options = model_options.encoder
        self.source = encoder_folder(model_options.encoder.name)
        self.begun: Begun | None = None
        if course.begin is not None:
            self.begun = begin_from(course.begin, prepared, model_options)
            # What else is asked of the encoder has been done to it.
            self.encoder_options = EncoderOptions(
                name=model_options.encoder.name, tuning=model_options.encoder.tuning
            )
            self.source = course.begin / ENCODER
        self.tokens = self._tokens()
        self.words = words_of(prepared)
        self.bank: TextBank | None = None  # the latest network's

    def _tokens(self) -> TokenTable:
        encoder = self.model_options.encoder
        texts = [encoder.item_prefix + text for text in encoded_texts(self.prepared.items)]
        texts += [encoder.query_prefix + text for text in self.prepared.queries["text"]]
        return tokenise(
            texts,
            self.source / "tokenizer.json",
            self.prepared.options.text.max_tokens,
            self.prepared.folder / TOKEN_CACHE,
        )

    def adapt(self, options: AdaptationOptions) -> dict[str, Any]:
        """Begin, if asked for, with an encoder that has learned the shop's language; say how.

        A refit begins with the same one: it has learned from the training part alone.
        """
        adapted = starting_encoder(
            self.prepared,
            Start(self.source, self.tokens, self.model_options.encoder),
            options,
            self.options,
            Place(self.manner.resuming.adapted_folder, self.manner.resuming.made_of),
            self.progress,
        )
        self.source = adapted.source
        return adapted.facts

    def planned(self, parts: Sequence[Part]) -> TaskPlan:
        """What ``parts`` can teach of what is switched on."""
        examples = examples_of(self.prepared, parts)
        if len(examples) == 0:  # refused where training begins
            return PLAIN
        return plan_tasks(self.prepared, examples, parts, self.tasks, self.options)

    def parts_of(self, begun: Begun) -> tuple[Part, ...]:
        """What a run has learned from."""
        return LEARNED if begun.manifest.facts["train"].get("refit") else TRAINED

    def added_tasks(self) -> tuple[str, ...]:
        """Tasks to be learned on top of the run that is begun from."""
        assert self.begun is not None, "asked only of a run that is begun from"
        return self.begun.added(self.planned(self.parts_of(self.begun)).learned)

    def on_top(self, begun: Begun, new: Sequence[str], parts: Sequence[Part]) -> Network:
        """The run's network with heads for ``new``, which alone learn."""
        plan = self.planned(parts)
        heads = joined_heads(begun, plan, new)
        network = self._built(parts, replace(plan, learned=tuple(new), auxiliary=heads))
        freeze_all_but(network, new)
        return network

    def beside(self, network: Network) -> dict[str, Any]:
        """How well the auxiliary tasks do on validation."""
        judged = examples_of(self.prepared, ["validation"])
        return auxiliary_figures(network, self.prepared, judged)

    def fresh(self, parts: Sequence[Part]) -> Network:
        """A network before its first step."""
        return self._built(parts, self.planned(parts))

    def _built(self, parts: Sequence[Part], tasks: TaskPlan) -> Network:
        torch.manual_seed(self.options.seed)
        device = choose_device(self.options.device)
        encoder = load_text_encoder(self.source, self.encoder_options)
        # A refit begins with the same frozen layers: what they say of the texts is not asked twice.
        bank = TextBank(encoder, self.tokens, device, self.progress, like=self.bank)
        self.bank = bank
        shape = Shape(
            *(encoder.width, len(self.prepared.items), NUMBERS, FIGURES),
            auxiliary=tasks.auxiliary,
            words=figures_of_words(len(self.prepared.queries)),
        )
        model = ShelfModel(shape, self.model_options)
        facts, trend = item_facts(self.prepared, parts), trend_of(self.prepared, parts)
        network = Network.of(bank, model, facts, trend, self.manner.phases)
        network = replace(network, words=self.words, tasks=tasks)
        start_heads(model, tasks)
        if self.prepared.has_impressions:
            examples = examples_of(self.prepared, parts)
            model.heads.start_from(*_rates(examples))
            self._start_places(model, parts, examples)
        if self.begun is not None:
            self.begun.put(network)
        return network

    def _start_places(self, model: ShelfModel, parts: Sequence[Part], examples: Examples) -> None:
        if self.options.position == "learned":
            return
        shift_SK = torch.from_numpy(measured_places(self.prepared, parts))
        if shift_SK.any():  # else nothing was shown at random, and the tower learns by itself
            usual = usual_shift(shift_SK.numpy(), examples)
            model.heads.start_places(shift_SK, usual, fixed=self.options.position == "measured")

    def fitted(self) -> tuple[Network, LearningCurve, Plan]:
        network = self.fresh(TRAINED)
        examples = examples_of(self.prepared, TRAINED)
        plan = Plan.of(examples, self.options)
        judged = examples_of(self.prepared, ["validation"])
        targets = match_targets(self.prepared, "validation")

        def look(step: int) -> Check:
            place_cold(network, self.prepared, examples)
            checked = check(network, self.prepared, targets, judged, step)
            return compared(checked, network, self.prepared, examples, judged)

        lessons = Lessons(self.prepared, examples, plan)
        with self.manner.watching("fit") as watchers:
            curve = fit(network, lessons, self.options, look=look, watchers=watchers)
        return network, curve, plan

    def calibrated(self, network: Network) -> FittedCalibration:
        """The maps of a network that was fitted on the training part; without impressions, none."""
        if not self.prepared.has_impressions:
            return NOTHING_TO_CALIBRATE
        judged = examples_of(self.prepared, ["validation"])
        return calibrate(network, self.prepared, judged, self.options.calibration, self.progress)

    def refitted(self, plan: Plan, steps: int) -> Network:
        """A fresh network on training + validation, for the share of steps that was best."""
        network = self.fresh(LEARNED)
        examples = examples_of(self.prepared, LEARNED)
        longer = Plan.of(examples, self.options).scheduled / plan.scheduled
        refit = Plan(
            scheduled=round(plan.scheduled * longer),
            taken=max(1, round(steps * longer)),
            per_check=plan.per_check,
        )
        lessons = Lessons(self.prepared, examples, refit)
        with self.manner.watching("refit") as watchers:
            fit(network, lessons, self.options, look=None, watchers=watchers)
        place_cold(network, self.prepared, examples)
        return network


def _rates(examples: Examples) -> tuple[float, float]:
    """Share of impressions clicked, and of clicked ones bought (as if all windows had closed)."""
    clicked_N = examples.clicked_N
    to_come = examples.arrived_N[clicked_N].sum()
    told_N = clicked_N & (examples.arrived_N > 0)
    convert = examples.purchased_N[told_N].sum() / to_come if to_come > 0 else 0.1
    return float(clicked_N.mean()) if len(clicked_N) else 0.1, float(convert)


def _calibrated_on(prepared: PreparedShop, options: TrainOptions) -> str:
    if not prepared.has_impressions:
        return "nothing: the log does not say what was shown"
    if options.refit:
        return "validation, with the network before its refit; used for the refitted one"
    return "validation"


def taken_counts(prepared: PreparedShop, parts: Sequence[Part]) -> NDArray[np.int64]:
    """``[V]`` how often each item was a match, as far as ``parts`` tell."""
    taken = taken_of_parts(prepared, parts)["item"].to_numpy()
    return np.bincount(taken, minlength=len(prepared.items)).astype(np.int64)


def _save(
    network: Network,
    parts: Sequence[Part],
    curve: LearningCurve,
    builder: _Builder,
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
    save_tensors(tables, folder / TABLES)
    # How often each item was taken before training ended: what a ranking falls back on.
    taken = pl.Series("taken", taken_counts(prepared, parts))
    prepared.items.with_columns(taken).write_parquet(folder / ITEMS)
    prepared.campaigns.write_parquet(folder / CAMPAIGNS)
    found = {"losses": curve.losses, "checks": [asdict(c) for c in curve.checks]}
    (folder / CURVE).write_text(_as_json(found))
