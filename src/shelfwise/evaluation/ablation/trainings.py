"""A variant trained with one seed: what it answered on the test is kept, the network is not.

A folder of a training appears whole or not at all, so whoever comes again after an interruption, a
kill included, finds the finished ones and goes on with the next.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from shelfwise.data.folder import new_folder
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.ablation.variants import Variant
from shelfwise.evaluation.pieces import Setting
from shelfwise.evaluation.stored_answers import (
    ShopAnswers,
    answers_of,
    read_answers,
    write_answers,
)
from shelfwise.schema.errors import ArtifactError
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress
from shelfwise.training.remembered import Remembered
from shelfwise.training.train import train

_RESULT = "result.json"
_ANSWERS = "answers"
_TOLD = ("tasks", "best_step", "steps", "validation", "seconds")


@dataclass(frozen=True, slots=True)
class Training:
    """One variant with one seed."""

    variant: Variant
    setting: Setting
    seed: int

    @property
    def folder(self) -> str:
        """Its name in the ablation's folder."""
        return f"{self.variant.folder}-seed-{self.seed}"


@dataclass(frozen=True, slots=True)
class Answered:
    """A training done: its answers on the test, and what the manifest said of it."""

    answers: ShopAnswers
    tasks: tuple[str, ...]
    best_step: int
    steps: int
    seconds: float


def answered(
    out: Path, trainings: Sequence[Training], prepared: PreparedShop, progress: Progress
) -> list[Answered]:
    """Train what ``out`` does not hold yet; all trainings' answers, in order.

    Raises:
        ArtifactError: kept answers were altered, or speak of other rows than the first training's.
    """
    found: list[Answered] = []
    remembered = Remembered()
    with progress.step("Trainings", total=len(trainings)) as bar:
        for training in trainings:
            folder = out / training.folder
            if not (folder / _RESULT).is_file():
                bar.note(training.folder)
                with new_folder(folder, _RESULT) as partial:
                    _train(training, prepared, partial, progress, remembered)
            found.append(_read(folder))
            _require_same_rows(folder, found[0].answers, found[-1].answers)
            bar.advance()
    return found


def _train(
    training: Training,
    prepared: PreparedShop,
    folder: Path,
    progress: Progress,
    remembered: Remembered,
) -> None:
    view = training.variant.view
    shop = prepared if view is None else view(prepared)
    setting = training.setting
    options = setting.train.model_copy(update={"seed": training.seed})
    run = folder / "run"
    course = replace(setting.course, remembered=remembered)
    facts = train(shop, run, setting.model, options, progress, course).facts
    answers = answers_of(run, shop, setting.evaluate.most_targets, progress)
    shutil.rmtree(run)
    kept = folder / _ANSWERS
    kept.mkdir()
    write_answers(answers, kept, {})
    told = {name: facts[name] for name in _TOLD}
    (folder / _RESULT).write_text(json.dumps(plain(told), indent=1) + "\n", encoding="utf-8")


def _read(folder: Path) -> Answered:
    answers = read_answers(folder / _ANSWERS, {})
    if not isinstance(answers, ShopAnswers):
        raise ArtifactError(
            f"{folder}: its answers were altered; remove the folder to have it trained again"
        )
    told = json.loads((folder / _RESULT).read_text(encoding="utf-8"))
    return Answered(
        answers=answers,
        tasks=tuple(told["tasks"]),
        best_step=told["best_step"],
        steps=told["steps"],
        seconds=told["seconds"],
    )


def _require_same_rows(folder: Path, first: ShopAnswers, other: ShopAnswers) -> None:
    asked, others = (
        (
            one.targets,
            one.ranks.select("view", "target", "item"),
            one.impressions.select("request_id", "item_id"),
        )
        for one in (first, other)
    )
    if not all(a.equals(b) for a, b in zip(asked, others, strict=True)):
        raise ArtifactError(
            f"{folder}: answers to other rows than the full model's; remove the folder"
        )
