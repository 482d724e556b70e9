"""New calibrators for a run that is otherwise left as it is: when the shop drifts, the first thing
to put right, and the cheapest.

Shape suffixes in this file: V = items, R = requests, N = impressions.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.batches import Examples, batches, examples_of
from shelfwise.data.folder import new_folder
from shelfwise.data.history import NONE
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import moment_text
from shelfwise.models.calibration import CalibrationOptions, PairLogits, save_calibration
from shelfwise.models.inference import pair_logits
from shelfwise.models.inputs import as_requests
from shelfwise.ranking.loaded_run import LoadedRun, open_run
from shelfwise.schema.errors import ConfigError, DataError
from shelfwise.schema.manifest import MANIFEST, Manifest, seal
from shelfwise.schema.progress import Progress, Silent
from shelfwise.schema.run_files import CALIBRATION
from shelfwise.training.calibrate import fit_calibration, joined

_REQUESTS = 256


def recalibrate(
    run: Path,
    prepared: PreparedShop,
    out: Path,
    options: CalibrationOptions,
    progress: Progress | None = None,
) -> Manifest:
    """Write ``out``: the run with calibrators fitted on the validation slice of ``prepared``.

    The data may be newer than the run; impressions of items that the run does not know are left
    out, and counted in the manifest.

    Raises:
        ConfigError: the run has learned from that slice itself, or ``out`` is the run.
        DataError: the data has no impressions.
    """
    loaded = open_run(run)
    _refuse(loaded, run, prepared, out)
    here = _in_numbers_of(loaded, prepared)
    examples, left_out = _of_known_items(loaded, prepared)
    fitted = fit_calibration(
        _logits(loaded, here, examples, progress or Silent()), examples, options
    )
    facts = loaded.manifest.facts | {
        "calibration": fitted.facts()
        | {
            "fitted_on": f"validation of data {prepared.manifest.data_fingerprint[:12]}, from "
            f"{moment_text(prepared.moments.validation)}",
            "impressions_of_unknown_items": left_out,
        }
    }
    with new_folder(out, MANIFEST) as folder:
        for name in loaded.manifest.sha256:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(run / name, folder / name)
        save_calibration(fitted.calibration, folder / CALIBRATION)
        return seal(
            folder,
            "run",
            seed=loaded.manifest.seed,
            data_fingerprint=loaded.manifest.data_fingerprint,
            facts=facts,
        )


def _refuse(run: LoadedRun, folder: Path, prepared: PreparedShop, out: Path) -> None:
    if out.resolve() == folder.resolve():
        raise ConfigError(f"{out}: is the run itself, which is sealed; name another folder")
    if not run.has_heads or not prepared.has_impressions:
        raise DataError(f"{prepared.folder}: no impressions to calibrate clicks and purchases by")
    until = run.manifest.facts["trained_until"]
    if prepared.moments.validation < until:
        raise ConfigError(
            f"{folder}: has learned from everything before {moment_text(until)}, and validation of "
            f"{prepared.folder} begins {moment_text(prepared.moments.validation)}; calibrators are "
            "fitted on a later slice: prepare newer data, or train with train.refit=false"
        )


def _in_numbers_of(run: LoadedRun, prepared: PreparedShop) -> PreparedShop:
    """The shop with histories in the run's item numbers; what it does not know is no item."""
    number_V = np.append(_numbers(run, prepared), NONE)  # an event without an item stays without
    item_E = number_V[prepared.history.item_E].astype(prepared.history.item_E.dtype)
    return replace(prepared, history=prepared.history._replace(item_E=item_E))


def _numbers(run: LoadedRun, prepared: PreparedShop) -> NDArray[np.int64]:
    """``[V]`` the run's number of each of the shop's items, or none."""
    return np.array([run.number_of.get(item, NONE) for item in prepared.items["item_id"]], np.int64)


def _of_known_items(run: LoadedRun, prepared: PreparedShop) -> tuple[Examples, int]:
    """Validation in the run's item numbers, and how many impressions had to be left out."""
    examples = examples_of(prepared, ["validation"])
    item_N = _numbers(run, prepared)[examples.shown_item_N]
    known_N = item_N != NONE
    count_R = np.diff(np.append(0, known_N.cumsum())[examples.shown_offset_R1])
    return replace(
        examples,
        shown_offset_R1=np.append(0, count_R.cumsum()),
        shown_item_N=item_N[known_N],
        position_N=examples.position_N[known_N],
        clicked_N=examples.clicked_N[known_N],
        purchased_N=examples.purchased_N[known_N],
        known_N=examples.known_N[known_N],
        arrived_N=examples.arrived_N[known_N],
        weight_N=examples.weight_N[known_N],
    ), int((~known_N).sum())


def _logits(
    run: LoadedRun, prepared: PreparedShop, examples: Examples, progress: Progress
) -> PairLogits:
    queries = run.encode_queries(prepared.queries["text"].to_list())
    found = []
    with progress.step("Scoring validation", total=len(examples)) as step:
        for batch in batches(prepared, examples, _REQUESTS, None):
            device = run.known.item_VD.device
            asked = as_requests(batch.history, batch.query_R, batch.surface_R, device)
            catalogue = run.catalogue(queries.chosen(asked.query_texts))
            pairs = (batch.shown_request_N, batch.shown_item_N)
            found.append(pair_logits(run.model, asked.requests, catalogue, pairs, batch.position_N))
            step.advance(len(batch.query_R))
    return joined(found)
