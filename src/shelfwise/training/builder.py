"""Networks for a shop: a fresh one for a fit and again for its refit, fitted and calibrated."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from shelfwise.data.batches import Examples, examples_of
from shelfwise.data.item_facts import NUMBERS, item_facts
from shelfwise.data.part_rows import LEARNED, TRAINED
from shelfwise.data.period_examples import joined, period_examples
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.data.targets import MatchTargets, asked_later, match_targets
from shelfwise.data.text import encoded_texts
from shelfwise.data.token_cache import TOKEN_CACHE
from shelfwise.data.tokens import TokenTable, open_tokenizer, tokenise
from shelfwise.data.trend import FIGURES, trend_of
from shelfwise.models.config import EncoderOptions, ModelOptions
from shelfwise.models.pretrained import encoder_folder
from shelfwise.models.shelf_model import Shape, ShelfModel
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.models.weights import ENCODER
from shelfwise.retrieval.shared_words import figures_of_words
from shelfwise.training.adaptation.adapt import Start
from shelfwise.training.adaptation.options import AdaptationOptions
from shelfwise.training.adaptation.stage import Place, starting_encoder
from shelfwise.training.auxiliary_figures import auxiliary_figures
from shelfwise.training.begin import Begun, begin_from, freeze_all_but, joined_heads
from shelfwise.training.calibrate import NOTHING_TO_CALIBRATE, FittedCalibration, calibrate
from shelfwise.training.cold_items import (
    horizon_of,
    place_cold,
    share_of_newcomers,
)
from shelfwise.training.config import TrainOptions
from shelfwise.training.course import Course
from shelfwise.training.curve import LearningCurve
from shelfwise.training.device import choose_device
from shelfwise.training.fit import Lessons, Plan, fit
from shelfwise.training.manner import Manner
from shelfwise.training.mistyping import Mistyping
from shelfwise.training.network import Network, neighbours_of, told_folds, words_of
from shelfwise.training.position_start import measured_places, usual_shift
from shelfwise.training.step import TrainingError
from shelfwise.training.task_plan import PLAIN, TaskPlan, plan_tasks, start_heads
from shelfwise.training.text_bank import TextBank
from shelfwise.training.validation import Check, check, compared
from shelfwise.training.welcome import (
    NO_WELCOME,
    rankings_of,
    welcome_as,
    welcome_newcomers,
)


class Builder:
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
        self.told = course.told
        self.remembered = course.remembered
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
        self.welcome = NO_WELCOME  # how the latest network raises items not yet met
        self._examples: dict[tuple[Part, ...], Examples] = {}

    def examples(self, parts: Sequence[Part]) -> Examples:
        """Requests of ``parts``, put together once; what is learned from is told its folds.

        Those of suspected fraud are left out: they would fill batches with rows that weigh
        nothing, and choose on validation what suits machines.
        """
        key = tuple(parts)
        if key not in self._examples:
            found = examples_of(self.prepared, parts, doubted=False)
            if "train" in key:
                found = told_folds(found, self.prepared)
            self._examples[key] = found
        return self._examples[key]

    def lessons(self, parts: Sequence[Part]) -> Examples:
        """What steps are made of: requests of ``parts``, and whole periods where asked for."""
        found, period = self.examples(parts), horizon_of(self.prepared)
        if not self.options.period_requests or self.prepared.options.match.target == "next":
            return found
        periods = period_examples(self.prepared, parts, period)
        return joined([found, *(told_folds(one, self.prepared) for one in periods)])

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

    def _texts(self) -> tuple[object, ...]:
        """Which texts the tokens are of: those of one prepared folder, written and cut alike."""
        encoder, prepared = self.model_options.encoder, self.prepared
        written = (encoder.item_prefix, encoder.query_prefix, prepared.options.text.max_tokens)
        return (str(prepared.folder), *written, len(self.tokens.ids))

    def _taken_digest(self) -> str:
        """Of what was taken, when, by which part's requests and whether it is believed.

        Views of a shop may bear one name: what is counted of them tells them apart.
        """
        found = hashlib.sha256()
        for table in (self.prepared.positives, self.prepared.requests.select("owner", "part")):
            found.update(table.hash_rows().to_numpy().tobytes())
        return found.hexdigest()

    def _mistyping(self) -> Mistyping:
        encoder, prepared = self.model_options.encoder, self.prepared
        limit = prepared.options.text.max_tokens
        return Mistyping(
            prefixes=[encoder.item_prefix] * len(prepared.items)
            + [encoder.query_prefix] * len(prepared.queries),
            texts=[*encoded_texts(prepared.items), *prepared.queries["text"]],
            tokenizer=open_tokenizer(self.source / "tokenizer.json", limit),
            share=self.options.typos,
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
        examples = self.examples(parts)
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
        judged = self.examples(["validation"])
        return auxiliary_figures(network, self.prepared, judged)

    def fresh(self, parts: Sequence[Part]) -> Network:
        """A network before its first step."""
        return self._built(parts, self.planned(parts))

    def _built(self, parts: Sequence[Part], tasks: TaskPlan) -> Network:
        torch.manual_seed(self.options.seed)
        device = choose_device(self.options.device)
        encoder = load_text_encoder(self.source, self.encoder_options)
        # A refit begins with the same frozen layers: what they say of the texts is not asked twice.
        frozen = (str(self.source), len(encoder.layers), encoder.learning_layers)
        key = (*frozen, self._texts(), str(device))
        like = self.bank or self.remembered.bank(key)
        bank = TextBank(encoder, self.tokens, device, self.progress, like=like)
        self.bank = bank
        self.remembered.keep_bank(key, bank)
        if self.options.typos:
            bank.mistyping = self._mistyping()
        shape = Shape(
            *(encoder.width, len(self.prepared.items), NUMBERS, FIGURES),
            auxiliary=tasks.auxiliary,
            words=figures_of_words(len(self.prepared.queries)),
        )
        model = ShelfModel(shape, self.model_options)
        facts, trend = item_facts(self.prepared, parts), trend_of(self.prepared, parts)
        most, moments = self.model_options.neighbours, self.prepared.moments
        network = Network.of(bank, model, facts, trend, self.manner.phases)
        neighbours = self.remembered.neighbours(
            (str(self.prepared.folder), self._taken_digest(), moments, tuple(parts), most),
            lambda: neighbours_of(self.prepared, parts, most, self.progress),
        )
        if neighbours is not None:
            neighbours = neighbours.to(device)
        network = replace(network, words=self.words, tasks=tasks, neighbours=neighbours)
        start_heads(model, tasks)
        if self.prepared.has_impressions:
            examples = self.examples(parts)
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
        asked = self.lessons(TRAINED)
        self._refuse_all_doubted(asked)
        network = self.fresh(TRAINED)
        examples = self.examples(TRAINED)
        share = self._newcomers(network, TRAINED)
        plan = Plan.of(asked, self.options)
        judged = self.examples(["validation"])
        targets = match_targets(self.prepared, "validation", doubted=False)

        def look(step: int) -> Check:
            place_cold(network, self.prepared, examples, share)
            checked = check(network, self.prepared, targets, judged, step)
            self.told(math.ceil(step / plan.per_check), checked.score)
            return compared(checked, network, self.prepared, examples, judged)

        lessons = Lessons(self.prepared, asked, plan)
        with self.manner.watching("fit") as watchers:
            curve = fit(network, lessons, self.options, look=look, watchers=watchers)
        self.welcome = welcome_newcomers(
            network,
            lambda: rankings_of(network, self.prepared, targets),
            self.options.newcomer_cost,
        )
        return network, curve, plan

    def _refuse_all_doubted(self, asked: Examples) -> None:
        doubted = 0 if len(asked) else len(examples_of(self.prepared, TRAINED))
        if doubted:
            raise TrainingError(
                f"train: all {doubted:,} requests of the training part are suspected fraud, and "
                "nothing is learned from that; fraud.parquet in the prepared folder says why: "
                "loosen [fraud] in shop.toml, or set fraud.enabled = false, and prepare anew"
            )

    def calibrated(self, network: Network) -> FittedCalibration:
        """The maps of a network that was fitted on the training part; without impressions, none."""
        if not self.prepared.has_impressions:
            return NOTHING_TO_CALIBRATE
        judged = examples_of(self.prepared, ["validation"])  # each row counts, whoever's it is
        return calibrate(network, self.prepared, judged, self.options.calibration, self.progress)

    def refitted(self, plan: Plan, curve: LearningCurve) -> Network:
        """A fresh network on training + validation, for the share of steps that was best."""
        self._examples.clear()  # what the fit learned from is not asked for again
        network = self.fresh(LEARNED)
        examples = self.examples(LEARNED)
        asked = self.lessons(LEARNED)
        longer = Plan.of(asked, self.options).scheduled / plan.scheduled
        taken = max(1, round(curve.best.step * longer))
        # Where the clock ended the fit, its rate came down with it: the refit's does so as well.
        last = curve.checks[-1].step
        was_late = curve.best.step == last < plan.taken
        refit = Plan(
            scheduled=taken if was_late else round(plan.scheduled * longer),
            taken=taken,
            per_check=plan.per_check,
            per_epoch=round(plan.per_epoch * longer),
        )
        lessons = Lessons(self.prepared, asked, refit)
        with self.manner.watching("refit") as watchers:
            fit(network, lessons, self.options, look=None, watchers=watchers)
        place_cold(network, self.prepared, examples, self._newcomers(network, LEARNED))
        later = self._asked_next()
        self.welcome = welcome_as(
            network, lambda: rankings_of(network, self.prepared, later), self.welcome
        )
        return network

    def _asked_next(self) -> MatchTargets:
        """Whom validation asked for, as far as can be as they will be asked for next."""
        asked = match_targets(self.prepared, "validation", doubted=False)
        if self.prepared.options.match.target == "next":
            return asked
        return asked_later(self.prepared, asked, self.prepared.moments.known_until(LEARNED))

    def _newcomers(self, network: Network, parts: Sequence[Part]) -> float:
        waiting = int((~network.warm_V).sum())
        return share_of_newcomers(self.prepared, parts, waiting)


def _rates(examples: Examples) -> tuple[float, float]:
    """Share of impressions clicked, and of clicked ones bought (as if all windows had closed)."""
    clicked_N = examples.clicked_N
    to_come = examples.arrived_N[clicked_N].sum()
    told_N = clicked_N & (examples.arrived_N > 0)
    convert = examples.purchased_N[told_N].sum() / to_come if to_come > 0 else 0.1
    return float(clicked_N.mean()) if len(clicked_N) else 0.1, float(convert)
