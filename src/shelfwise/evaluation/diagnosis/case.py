"""Everything that findings are read from: the run asked about a sample of every part, once.

Shape suffixes in this file: R = requests, N = impressions, V = items.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.batches import Examples, examples_of
from shelfwise.data.part_rows import LEARNED, TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import PARTS, Part
from shelfwise.evaluation.diagnosis.network import as_of_test, network_of
from shelfwise.evaluation.impressions import Outcomes, item_rates
from shelfwise.models.calibration import PairLogits
from shelfwise.models.requests import SURFACES
from shelfwise.ranking.loaded_run import LoadedRun
from shelfwise.schema.progress import Progress
from shelfwise.schema.run_files import CURVE
from shelfwise.training.answers import Answers, answers_of, evenly_spread
from shelfwise.training.network import Network, told_folds

MOST_REQUESTS = 4_000  # asked of each part, evenly spread over time


@dataclass(frozen=True, slots=True)
class Heard:
    """What the run and a simple rule say of some requests of a part, and what came of them."""

    part: Part
    examples: Examples
    rows: NDArray[np.int64]  # of the examples: the requests that were asked
    answers: Answers  # calibrated, as they are served
    network_click_N: NDArray[np.float32]  # probability of a click before calibration
    simple_click_N: NDArray[np.float64]  # click rate of the item times that of its place
    owner_N: NDArray[np.int64]
    surface_N: NDArray[np.int64]  # place in SURFACES

    @property
    def owner_R(self) -> NDArray[np.int64]:  # noqa: N802  # shape suffix
        """Of the requests that were asked."""
        return self.examples.owner_R[self.rows]

    @property
    def judged_N(self) -> NDArray[np.bool_]:  # noqa: N802  # shape suffix
        """Clicked rows whose purchase window has closed."""
        judged_N: NDArray[np.bool_] = self.answers.clicked_N & self.answers.known_N
        return judged_N

    def surfaces(self) -> list[tuple[str, NDArray[np.bool_]]]:
        """Every surface that something was shown on, with its rows."""
        return [
            (str(name), self.surface_N == place)
            for place, name in enumerate(SURFACES)
            if (self.surface_N == place).any()
        ]


@dataclass(frozen=True, slots=True)
class Case:
    """A run under examination."""

    folder: Path
    run: LoadedRun
    prepared: PreparedShop
    network: Network
    heard: dict[Part, Heard]
    judged: Part  # where verdicts are read: validation, unless the run has learned from it
    curve: dict[str, Any]

    @property
    def held_out(self) -> Heard:
        """The part that verdicts are read from."""
        return self.heard[self.judged]

    @property
    def has_impressions(self) -> bool:
        """Whether clicks were learned and can be judged."""
        return self.run.has_heads and len(self.held_out.answers.click_N) > 0

    @property
    def checks(self) -> list[dict[str, Any]]:
        """What validation saw during training, in order."""
        checks: list[dict[str, Any]] = self.curve.get("checks", [])
        return checks


def open_case(
    folder: Path,
    run: LoadedRun,
    prepared: PreparedShop,
    judged: Part | None,
    progress: Progress,
) -> Case:
    """Ask the run about a sample of training, of validation and of the test.

    Args:
        folder: the run's.
        run: loaded from it.
        prepared: what it was trained from.
        judged: where verdicts are read; None: the first part that the run has not learned from.
        progress: told of each request.
    """
    network = network_of(folder, run, prepared, progress)
    heard = {part: _heard(network, prepared, part, run, progress) for part in PARTS}
    unseen: Part = "test" if "validation" in run.learned else "validation"
    curve = json.loads((folder / CURVE).read_text(encoding="utf-8"))
    return Case(folder, run, prepared, network, heard, judged or unseen, curve)


def heard_by(folder: Path, run: LoadedRun, case: Case, progress: Progress) -> Heard:
    """What another run of the same data says of the requests that the case is judged by."""
    network = network_of(folder, run, case.prepared, progress)
    return _heard(network, case.prepared, case.judged, run, progress)


def _calibrated(heard: Heard, run: LoadedRun) -> Heard:
    """Probabilities as the run serves them: what training left out, the calibrators put right."""
    answers = heard.answers
    logits = PairLogits(_logits(answers.click_N), _logits(answers.convert_N), heard.surface_N)
    served = run.calibration(logits)
    return replace(
        heard,
        answers=replace(
            answers,
            click_N=served.click_N.astype(np.float32),
            convert_N=served.convert_N.astype(np.float32),
        ),
    )


def _logits(p_N: NDArray[np.float32]) -> NDArray[np.float32]:
    safe_N = p_N.astype(np.float64).clip(1e-9, 1 - 1e-7)
    logit_N: NDArray[np.float32] = np.log(safe_N / (1 - safe_N)).astype(np.float32)
    return logit_N


def _heard(
    network: Network, prepared: PreparedShop, part: Part, run: LoadedRun, progress: Progress
) -> Heard:
    examples = examples_of(prepared, [part])
    if part in run.learned:
        examples = told_folds(examples, prepared)
    rows = evenly_spread(len(examples), MOST_REQUESTS)
    asked = as_of_test(network, prepared) if part == "test" else network
    with progress.step(f"Asking about {part}", total=len(rows)) as step:
        answers = answers_of(asked, prepared, examples, rows, step)
    owner_N = examples.owner_R[answers.request_N]
    outcomes = Outcomes(
        owner_N=owner_N,
        request_N=answers.request_N,
        item_N=answers.item_N,
        position_N=answers.position_N,
        clicked_N=answers.clicked_N,
        purchased_N=answers.purchased_N,
        known_N=answers.known_N,
    )
    simple_N = np.full(len(owner_N), np.nan)
    if prepared.has_impressions and len(owner_N):
        # Rates of training would know training's own clicks: there the rule is not asked.
        known = examples_of(prepared, LEARNED if part == "test" else TRAINED)
        if part != "train" and len(known):
            simple_N = item_rates(prepared, known, outcomes).click_N
    heard = Heard(
        part,
        examples,
        rows,
        answers,
        answers.click_N,
        simple_N,
        owner_N,
        examples.surface_R[answers.request_N],
    )
    return _calibrated(heard, run)
