"""The sample shop learned in three ways, and judged by its truth."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.result import Result, peak_mib
from benchmarks.shops import learn
from benchmarks.truth_figures import (
    Flags,
    Floats,
    Known,
    auc_of_oracle,
    bias,
    from_clicks,
    less_biased,
    quintile_rows,
    row,
    task_rows,
    tasks_of,
)
from benchmarks.truth_mechanisms import delay_figures, fraud_figures, position_figures
from shelfwise.config import load_config
from shelfwise.data.batches import Examples, examples_of
from shelfwise.data.part_rows import TRAINED
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.generate import write_sample_shop
from shelfwise.evaluation.impressions import Outcomes
from shelfwise.evaluation.report import OURS
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.errors import DataError
from shelfwise.schema.progress import Progress

# As `shelfwise demo` trains; --set goes over it.
_SETTINGS = ("train.epochs=2", "train.batch_requests=256", "train.checks_per_epoch=2")
FROM_CLICKS = "oracle/from-clicks"  # the best that can be learned from what the model sees
LEAST_POSITIVES = 200  # of a fifth whose calibration is aimed at
# System -> what is set for it; each is trained once for every seed.
_VARIANTS = {
    OURS: (),
    f"{OURS}/clicked-only": ("train.conversion=clicked_only",),
    f"{OURS}/leave-out": ("train.open_windows=leave_out",),
}


class Asked(NamedTuple):
    """What the command was asked for."""

    data: Path | None
    events: int
    bots: float
    seeds: int
    settings: tuple[str, ...]


class Forecasts(NamedTuple):
    """A system's probabilities for every row judged, one array a seed."""

    click: list[Floats]
    convert: list[Floats]
    raw_click: list[Floats]  # before calibration
    raw_convert: list[Floats]


class Learning(NamedTuple):
    """What every training of this benchmark has in common."""

    shop: Path
    prepared: PreparedShop
    run: Path  # written anew by each
    test: Examples
    human_N: Flags  # rows of the test that people saw


def measure_truth(protocol: str, asked: Asked, progress: Progress) -> Result:
    """Train, calibrate and judge; see ``truth.PROTOCOL``.

    Raises:
        DataError: the shop has no truth folder, or no impressions.
    """
    began = time.perf_counter()
    with TemporaryDirectory(prefix="truth-") as folder:
        scratch = Path(folder)
        shop = asked.data or _sample(scratch / "shop", asked, progress)
        prepared = prepare(shop, scratch / "prepared", load_config(shop), progress)
        if not isinstance(prepared, PreparedShop) or not prepared.has_impressions:
            raise DataError(f"{shop}: is no sample shop; `shelfwise sample` writes one")
        shown = prepared.impressions
        truth = true_rows(shop, prepared, shown["request"].to_numpy(), shown["item"].to_numpy())
        test = examples_of(prepared, ["test"])
        human_N, known = judged(shop, prepared, test)
        learning = Learning(shop, prepared, scratch / "run", test, human_N)
        found = {
            system: _learned(learning, (*asked.settings, *settings), asked.seeds, progress)
            for system, settings in _VARIANTS.items()
        }
    rows, figures = click_and_conversion(found[OURS], known, _rates(prepared))
    bias_rows, differences = conversion_bias(found, known)
    curve_rows, curve = position_figures(prepared, truth)
    return Result(
        benchmark="truth",
        protocol=protocol,
        data=_described(prepared, known),
        figures=figures | curve | delay_figures(prepared) | fraud_figures(prepared, truth),
        seconds=time.perf_counter() - began,
        peak_mib=peak_mib(),
        rows=[*rows, *bias_rows, *curve_rows],
        differences=differences,
        systems=[
            {"system": system, "settings": [*_SETTINGS, *asked.settings, *settings]}
            for system, settings in _VARIANTS.items()
        ],
    )


def _described(prepared: PreparedShop, known: Known) -> dict[str, Any]:
    return {
        "name": "sample shop (synthetic)",
        "fingerprint": prepared.manifest.data_fingerprint,
        "counts": {
            "impressions": len(prepared.impressions),
            "test impressions": len(known.owner_N),
            "test clicks": int(known.clicked_N.sum()),
            "test purchases, settled": int((known.purchased_N & known.settled_N).sum()),
        },
    }


def _sample(folder: Path, asked: Asked, progress: Progress) -> Path:
    options = SampleOptions(bot_share=asked.bots).with_events(asked.events)
    write_sample_shop(folder, options, progress)
    return folder


def true_rows(
    shop: Path, prepared: PreparedShop, request_N: NDArray[np.int64], item_N: NDArray[np.int64]
) -> pl.DataFrame:
    """The truth of impressions, in their order.

    Raises:
        DataError: there is none, or it lacks an impression.
    """
    path = shop / "truth" / "impressions.parquet"
    if not path.is_file():
        raise DataError(f"{path}: not found; `shelfwise sample` writes it beside the shop's files")
    ids = pl.DataFrame(
        {
            "request_id": prepared.requests["request_id"].gather(request_N),
            "item_id": prepared.items["item_id"].gather(item_N),
        }
    )
    truth = pl.read_parquet(path, glob=False)
    joined = ids.join(truth, on=["request_id", "item_id"], how="left", maintain_order="left")
    missing = joined["p_click"].null_count()
    if missing or len(joined) != len(ids):
        raise DataError(f"{path}: {missing} impressions of the shop have no row in it")
    return joined


def judged(shop: Path, prepared: PreparedShop, test: Examples) -> tuple[Flags, Known]:
    """Which of the test's rows people saw, and what is known of these."""
    outcomes = Outcomes.of(test)
    truth = true_rows(shop, prepared, outcomes.request_N, outcomes.item_N)
    human_N = ~truth["bot"].to_numpy()
    return human_N, Known(
        owner_N=outcomes.owner_N[human_N],
        clicked_N=outcomes.clicked_N[human_N],
        purchased_N=outcomes.purchased_N[human_N],
        settled_N=outcomes.known_N[human_N],
        click_N=truth["p_click"].to_numpy()[human_N],
        convert_N=truth["p_convert_in_window"].to_numpy()[human_N],
    )


def _learned(
    learning: Learning, settings: tuple[str, ...], seeds: int, progress: Progress
) -> Forecasts:
    """Train once for each seed, and forecast the test's rows by people."""
    found = Forecasts([], [], [], [])
    for seed in range(seeds):
        config = load_config(learning.shop, (*_SETTINGS, *settings, f"train.seed={seed}"))
        learn(learning.prepared, learning.run, config, progress)
        scorer = RunScorer(open_run(learning.run), learning.prepared)
        for calibrated, click, convert in (
            (True, found.click, found.convert),
            (False, found.raw_click, found.raw_convert),
        ):
            forecast = scorer.forecast(learning.test, OURS, True, progress, calibrated=calibrated)
            click.append(forecast.click_N[learning.human_N])
            convert.append(forecast.convert_N[learning.human_N])
    return found


def _rates(prepared: PreparedShop) -> tuple[float, float]:
    """Clicks an impression, and purchases a click, of the training part: the constant predictor."""
    learned = examples_of(prepared, TRAINED)
    among_N = learned.clicked_N & learned.known_N
    return float(learned.clicked_N.mean()), float(learned.purchased_N[among_N].mean())


def click_and_conversion(
    ours: Forecasts, known: Known, rates: tuple[float, float]
) -> tuple[list[dict[str, Any]], dict[str, float | None]]:
    """Figures of our system, of the oracle and of a constant, and those that are aimed at."""
    whole = np.ones(len(known.owner_N))
    systems = {
        OURS: (ours.click, ours.convert),
        f"{OURS}/uncalibrated": (ours.raw_click, ours.raw_convert),
        "oracle": ([known.click_N], [known.convert_N]),
        "constant": ([rates[0] * whole], [rates[1] * whole]),
    }
    rows: list[dict[str, Any]] = []
    for system, (click, convert) in systems.items():
        both = [p_N * q_N for p_N, q_N in zip(click, convert, strict=True)]
        for task, p_per_seed in zip(tasks_of(known), (click, convert, both), strict=True):
            rows += task_rows(system, task, p_per_seed, known)
    click_task, convert_task, _ = tasks_of(known)
    fifths = quintile_rows(OURS, click_task, ours.click, known)
    rows += fifths + quintile_rows(OURS, convert_task, ours.convert, known)
    share = auc_of_oracle(ours.click, known)
    rows.append(row(OURS, "click", "auc_of_oracle", share, len(ours.click)))
    return rows, {"auc_of_oracle": share.value, **_aimed_at(rows, fifths)}


def _aimed_at(rows: list[dict[str, Any]], fifths: list[dict[str, Any]]) -> dict[str, float | None]:
    def value(system: str, metric: str) -> float:
        return next(
            float(r["value"])
            for r in rows
            if (r["system"], r["task"], r["metric"], r["view"]) == (system, "click", metric, "main")
        )

    def furthest(metric: str) -> float | None:
        off = [
            abs(r["value"] - 1)
            for r in fifths
            if r["metric"] == metric and r["support"] >= LEAST_POSITIVES
        ]
        return max(off) if off else None

    return {
        "click_ece": value(OURS, "ece"),
        "click_log_loss": value(OURS, "log_loss"),
        "click_log_loss_of_oracle": value("oracle", "log_loss"),
        "click_log_loss_of_constant": value("constant", "log_loss"),
        "furthest_fifth_pcoc_from_1": furthest("pcoc"),
        "furthest_fifth_to_truth_from_1": furthest("to_truth"),
    }


def conversion_bias(
    found: Mapping[str, Forecasts], known: Known
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Mean predicted over mean true conversion, and how much less than the others' ours is off."""
    kinds = {
        "all": np.ones(len(known.owner_N), bool),
        "not clicked": ~known.clicked_N,
        "clicked": known.clicked_N,
    }
    rows, differences = [], []
    ours = found[OURS]
    least = [
        from_clicks((click_N, convert_N), known)
        for click_N, convert_N in zip(ours.raw_click, ours.raw_convert, strict=True)
    ]
    for view, kept_N in kinds.items():
        floor = bias(least, known, kept_N)
        rows.append(row(FROM_CLICKS, "conversion bias", "cvr_to_truth", floor, len(least), view))
        for system, forecasts in found.items():
            seeds = len(forecasts.convert)
            for metric, predicted in (
                ("cvr_to_truth", forecasts.raw_convert),
                ("calibrated_cvr_to_truth", forecasts.convert),
            ):
                ratio = bias(predicted, known, kept_N)
                rows.append(row(system, "conversion bias", metric, ratio, seeds, view))
            if system != OURS:
                gap = less_biased(ours.raw_convert, forecasts.raw_convert, known, kept_N)
                differences.append(
                    {"a": OURS, "b": system, "view": view, "metric": "|cvr_to_truth - 1| less by"}
                    | {"value": gap.value, "low": gap.low, "high": gap.high, "seeds": seeds}
                )
    return rows, differences
