"""Many trainings that make one answer, each kept as soon as it is done, so that none is lost.

A piece is one training on one view of the shop, with what was measured of it. Its folder appears
whole or not at all; whoever comes again after an interruption finds the finished pieces and goes on
with the next. The networks themselves are not kept: a piece is its figures.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from shelfwise.data.batches import examples_of
from shelfwise.data.folder import new_folder
from shelfwise.data.prepared import PreparedPairs, PreparedShop
from shelfwise.data.whole_file import write_whole
from shelfwise.evaluation.classifier import classification_report_of
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.evaluation.report import Row
from shelfwise.evaluation.shop import ShopFindings, measure_shop
from shelfwise.models.config import ModelOptions
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.errors import ArtifactError, ConfigError
from shelfwise.schema.manifest import open_sealed
from shelfwise.schema.plain import plain
from shelfwise.schema.progress import Progress
from shelfwise.schema.run_files import CURVE
from shelfwise.training.config import TrainOptions
from shelfwise.training.course import Course
from shelfwise.training.remembered import Remembered
from shelfwise.training.train import train

PLAN = "plan.json"
_RESULT = "result.json"


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all pieces."""

    model: ModelOptions
    train: TrainOptions
    evaluate: EvaluateOptions
    course: Course = field(default_factory=Course)

    def options(self) -> dict[str, Any]:
        """Everything that a training follows from, as JSON has it, by section."""
        return {
            "model": self.model.model_dump(mode="json"),
            "adaptation": self.course.adaptation.model_dump(mode="json"),
            "tasks": self.course.tasks.model_dump(mode="json"),
            "train": self.train.model_dump(mode="json"),
        }


@dataclass(frozen=True, slots=True)
class Piece:
    """One training still to be done."""

    name: str  # of its folder
    view: Callable[[], PreparedShop | PreparedPairs]
    seed: int


@dataclass(frozen=True, slots=True)
class MeasuredPiece:
    """One training done and measured."""

    name: str
    seed: int
    requests: int  # that were learned from; texts, where there are no requests
    headline: str  # view of the headline figure
    rows: list[Row]
    curve: dict[str, Any]  # losses and checks over steps
    seconds: float


def measure_pieces(
    out: Path,
    plan: Mapping[str, Any],
    pieces: Sequence[Piece],
    setting: Setting,
    progress: Progress,
) -> list[MeasuredPiece]:
    """Train and measure every piece that ``out`` does not hold yet, in order.

    Args:
        out: folder of this plan alone.
        plan: what the pieces follow from; a folder of another plan is refused.
        pieces: what to do.
        setting: how.
        progress: one bar over the pieces.

    Raises:
        ConfigError: ``out`` holds something else, or pieces of another plan; the differences are
            named.
    """
    judged = setting.evaluate.model_dump(mode="json")
    told = plain({**plan, **setting.options(), "evaluate": judged})
    claim(out, told)
    found = []
    course = replace(setting.course, remembered=Remembered())
    setting = replace(setting, course=course)
    with progress.step("Trainings", total=len(pieces)) as bar:
        for piece in pieces:
            folder = out / piece.name
            if not (folder / _RESULT).is_file():
                bar.note(piece.name)
                with new_folder(folder, _RESULT) as partial:
                    _measure(piece, setting, partial, progress)
            found.append(_read(folder / _RESULT))
            bar.advance()
    return found


def read_pieces(out: Path, kind: str) -> tuple[dict[str, Any], list[MeasuredPiece]]:
    """The plan of a folder and what has been measured so far, in the order of the names.

    Raises:
        ArtifactError: the folder holds no such plan, or no piece is done yet.
    """
    file = out / PLAN
    plan = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if not isinstance(plan, dict) or plan.get("kind") != kind:
        command = kind.replace("_", "-")
        raise ArtifactError(
            f"{out}: holds no {command}; make it with: shelfwise {command} ... --out"
        )
    done = sorted(out.glob(f"[!.]*/{_RESULT}"))  # with a dot over: not finished, or left by a kill
    if not done:
        raise ArtifactError(f"{out}: no training of it is done yet; go on with the same command")
    return plan, [_read(one) for one in done]


def claim(out: Path, plan: dict[str, Any]) -> None:
    """Make ``out`` the folder of this plan, or find that it is already.

    Raises:
        ConfigError: it holds something else, or belongs to another plan; the differences are named.
    """
    file = out / PLAN
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out}: is a file; name a folder")
    if not file.is_file():
        if out.is_dir() and any(out.iterdir()):
            raise ConfigError(f"{out}: is not empty and has no {PLAN}; name another folder")
        out.mkdir(parents=True, exist_ok=True)
        write_whole(file, json.dumps(plan, indent=1) + "\n")
        return
    known = json.loads(file.read_text(encoding="utf-8"))
    different = list(_differences(known, plan, ""))
    if different:
        raise ConfigError(
            "\n".join(
                [
                    f"{out}: belongs to another plan; ask for the same, or name another folder:",
                    *different,
                ]
            )
        )
    for left in out.glob(".*.partial-*"):  # a killed process could not tidy up
        shutil.rmtree(left, ignore_errors=True)


def _differences(known: Any, asked: Any, path: str) -> list[str]:
    if isinstance(known, dict) and isinstance(asked, dict):
        return [
            line
            for key in sorted(known.keys() | asked.keys())
            for line in _differences(known.get(key), asked.get(key), f"{path}.{key}".lstrip("."))
        ]
    return [] if known == asked else [f"  {path}: {known!r} there, {asked!r} asked for"]


def _measure(piece: Piece, setting: Setting, folder: Path, progress: Progress) -> None:
    began = time.monotonic()
    view, run = piece.view(), folder / "run"
    options = setting.train.model_copy(update={"seed": piece.seed})
    train(view, run, setting.model, options, progress, setting.course)
    measuring = setting.evaluate.model_copy(update={"examples": 0})
    if isinstance(view, PreparedPairs):
        requests = int((view.rows["part"] == "train").sum())
        rows = classification_report_of(run, open_sealed(run, "run"), view, measuring)
        findings = ShopFindings(rows=rows)
    else:
        loaded = open_run(run)
        requests = len(examples_of(view, loaded.learned, doubted=False))
        findings = measure_shop(loaded, view, measuring, None, progress)
    curve = json.loads((run / CURVE).read_text(encoding="utf-8"))
    shutil.rmtree(run)
    measured = MeasuredPiece(
        name=piece.name,
        seed=piece.seed,
        requests=requests,
        headline=findings.headline,
        rows=findings.rows,
        curve=curve,
        seconds=round(time.monotonic() - began, 1),
    )
    (folder / _RESULT).write_text(json.dumps(plain(asdict(measured)), indent=1) + "\n")


def _read(file: Path) -> MeasuredPiece:
    values = json.loads(file.read_text(encoding="utf-8"))
    nan = float("nan")
    rows = [
        Row(**{**row, **{k: nan for k in ("value", "low", "high") if row[k] is None}})
        for row in values.pop("rows")
    ]
    return MeasuredPiece(rows=rows, **values)
