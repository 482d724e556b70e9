"""`shelfwise calibrate`: new calibrators for a run, which is otherwise left as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shelfwise.cli.console import AsJson, Bars, Settings, answer, emit


def calibrate(
    run: Annotated[Path, typer.Argument(help="Folder that `train` wrote.")],
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    data: Annotated[
        Path | None, typer.Option(help="Prepared folder to calibrate by; left out, the run's own.")
    ] = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Fit calibrators anew on the validation slice of a log, newer than the run or its own.

    --set train.calibration.kind=platt chooses the kind: auto, isotonic, platt, temperature, none.

    Example: shelfwise calibrate run --data prepared-today --out run-today
    """
    from shelfwise.cli.saved_config import config_of
    from shelfwise.data.prepared import open_prepared_shop
    from shelfwise.evaluation.recalibrate import recalibrate
    from shelfwise.schema.manifest import open_sealed

    manifest = open_sealed(run, "run")
    config = config_of(run, manifest, settings or (), sections=("train",))
    prepared = open_prepared_shop(data or Path(manifest.facts["prepared"]))
    found = recalibrate(run, prepared, out, config.train.calibration, Bars())
    calibration = found.facts["calibration"]
    for task in ("click", "conversion"):
        fitted = calibration[task]
        kinds = ", ".join(f"{where} {kind}" for where, kind in fitted["kinds"].items())
        answer.print(
            f"{task}: {kinds} ({fitted['positives']:,} positives of {fitted['rows']:,})",
            markup=False,
        )
    answer.print(f"{out}: calibrated; next: shelfwise evaluate {out}")
    emit(as_json, {"folder": str(out), "calibration": calibration})
