"""What a run answered on the test, kept beside it: nothing is scored twice, runs can be paired.

Kept are answers, not figures: where each right item stood, and every probability beside what came
of it. Any metric, at any cut-off, follows without the network.

Shape suffixes in this file: T = targets, P = (target, right item) pairs, N = impressions.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import shelfwise
from shelfwise.data.batches import examples_of
from shelfwise.data.folder import new_folder
from shelfwise.data.part_rows import LEARNED, taken_of_parts
from shelfwise.data.prepared import PreparedPairs, PreparedShop
from shelfwise.data.targets import MatchTargets, match_targets
from shelfwise.evaluation.classifier import labelled
from shelfwise.evaluation.impressions import Forecast, Outcomes
from shelfwise.evaluation.match import Ranked, Score, rank_all, views
from shelfwise.evaluation.report import OURS
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.metrics.ranks import TiedRanks
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import MANIFEST, file_digest, file_digests, open_sealed
from shelfwise.schema.progress import Progress

FOLDER = ".answers"  # of the run; the seal passes names with a dot over
_ABOUT = "answers.json"
_FORMAT = 2  # raised when the same run and data would be answered differently, or kept otherwise


@dataclass(frozen=True, slots=True)
class ShopAnswers:
    """Rankings and probabilities of a shop's test."""

    items: int  # of the catalogue
    views: tuple[str, ...]  # the headline's first
    targets: pl.DataFrame  # owner, at: who was ranked for, and when; row t is target t
    ranks: pl.DataFrame  # view, target, item, first, last: where each right item stood
    impressions: pl.DataFrame  # request_id, item_id, position, owner, p_click, ..., known

    def ranked(self, view: str) -> Ranked:
        """The ranking of a view, as it was when it was made."""
        rows = self.ranks.filter(pl.col("view") == view)
        first, last, target, item = (
            rows[name].to_numpy() for name in ("first", "last", "target", "item")
        )
        right_T = np.bincount(target, minlength=len(self.targets))
        return Ranked(TiedRanks(first, last), target, item, right_T)


@dataclass(frozen=True, slots=True)
class TextAnswers:
    """What a classifier said of the test's texts."""

    classes: tuple[str, ...]
    rows: pl.DataFrame  # label, predicted: numbers of classes; p: list of probabilities


Answers = ShopAnswers | TextAnswers


def answers_of(
    run: Path,
    prepared: PreparedShop | PreparedPairs,
    most_targets: int,
    progress: Progress,
    *,
    fresh: bool = False,
) -> Answers:
    """The run's answers on the test: those kept beside it if they fit, else scored and kept.

    They fit where run, prepared folder, sampling and format are the same, byte by byte, and no
    file was altered since. A run folder that cannot be written to is scored each time.

    Args:
        run: folder that `train` wrote.
        prepared: what it was trained from.
        most_targets: a larger test is sampled evenly.
        progress: told where scoring is.
        fresh: score again in any case.
    """
    kept = None if fresh else kept_answers(run, prepared, most_targets)
    if kept is not None:
        return kept
    found: Answers
    if isinstance(prepared, PreparedPairs):
        found = _text_answers(run, prepared)
    else:
        found = _run_answers(run, prepared, most_targets, progress)
    keep_answers(found, run, prepared, most_targets)
    return found


def kept_answers(
    run: Path, prepared: PreparedShop | PreparedPairs, most_targets: int
) -> Answers | None:
    """What is kept beside the run, or None where it is missing, of something else, or altered."""
    about = _about(run, prepared, most_targets)
    return read_answers(_folder(run, about), about)


def keep_answers(
    answers: Answers, run: Path, prepared: PreparedShop | PreparedPairs, most_targets: int
) -> None:
    """Keep the answers beside the run, whole or not at all.

    Nothing is kept where nothing can be written: a run on a read-only disk is still a run, and is
    scored again the next time.
    """
    about = _about(run, prepared, most_targets)
    with suppress(ConfigError, OSError), new_folder(_folder(run, about), _ABOUT) as partial:
        write_answers(answers, partial, about)


def write_answers(answers: Answers, folder: Path, about: Mapping[str, Any]) -> None:
    """Fill an empty folder with answers and with what they are ``about``."""
    for name, table in _tables(answers).items():
        table.write_parquet(folder / f"{name}.parquet")
    told = {**about, **_scalars(answers), "sha256": file_digests(folder)}
    (folder / _ABOUT).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _folder(run: Path, about: dict[str, Any]) -> Path:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
    return run / FOLDER / digest[:16]


def _about(run: Path, prepared: PreparedShop | PreparedPairs, most_targets: int) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "shelfwise": shelfwise.__version__,
        "run": file_digest(run / MANIFEST),
        "prepared": file_digest(prepared.folder / MANIFEST),
        "part": "test",
        "most_targets": most_targets,
    }


def _text_answers(run: Path, prepared: PreparedPairs) -> TextAnswers:
    told = labelled(run, open_sealed(run, "run"), prepared)
    rows = pl.DataFrame(
        {"label": told.true_N, "predicted": told.predicted_N, "p": told.p_NC.tolist()},
        schema={"label": pl.Int64, "predicted": pl.Int64, "p": pl.List(pl.Float64)},
    )
    return TextAnswers(tuple(told.classes), rows)


def _run_answers(
    run: Path, prepared: PreparedShop, most_targets: int, progress: Progress
) -> ShopAnswers:
    scorer = RunScorer(open_run(run), prepared)
    found = match_answers(prepared, scorer.match, most_targets, progress)
    examples = examples_of(prepared, ["test"])
    forecast = scorer.forecast(examples, OURS, with_position=True, progress=progress)
    shown = impression_table(prepared, Outcomes.of(examples), forecast)
    return replace(found, impressions=shown)


def match_answers(
    prepared: PreparedShop, score: Score, most_targets: int, progress: Progress
) -> ShopAnswers:
    """Where a system, ours or a baseline, puts the right items of the test; no impressions."""
    targets = evenly_spread(match_targets(prepared, "test"), most_targets)
    taken = taken_of_parts(prepared, LEARNED)["item"].to_numpy()
    items = len(prepared.items)
    looked_at = views(prepared, targets, np.bincount(taken, minlength=items) > 0)
    ranked = rank_all({OURS: score}, targets, looked_at, items, progress) if len(targets) else {}
    return shop_answers(prepared, targets, {view: found for (_, view), found in ranked.items()})


def shop_answers(
    prepared: PreparedShop,
    targets: MatchTargets,
    ranked: Mapping[str, Ranked],
    impressions: pl.DataFrame | None = None,
) -> ShopAnswers:
    """Answers made of what was ranked anyway.

    Args:
        prepared: whose test it is.
        targets: who was ranked for.
        ranked: rankings by view, the headline's first.
        impressions: from `impression_table`; None where there are no probabilities.
    """
    return ShopAnswers(
        items=len(prepared.items),
        views=tuple(ranked),
        targets=_target_table(prepared, targets),
        ranks=pl.concat([_rank_table("", None), *map(_rank_table, ranked, ranked.values())]),
        impressions=pl.DataFrame(schema=_SHOWN) if impressions is None else impressions,
    )


def evenly_spread(targets: MatchTargets, most: int) -> MatchTargets:
    """At most ``most`` targets, evenly spread: the same ones that `evaluate` measures."""
    if len(targets) <= most:
        return targets
    return targets.chosen(np.unique(np.linspace(0, len(targets) - 1, most).astype(np.int64)))


def _target_table(prepared: PreparedShop, targets: MatchTargets) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "owner": prepared.owners["owner_id"].gather(targets.owner_T),
            "at": pl.Series(targets.at_T, dtype=pl.Int64),
        }
    )


def _rank_table(view: str, found: Ranked | None) -> pl.DataFrame:
    none = np.empty(0, np.int64)
    columns = (
        (found.target_P, found.item_P, found.ranks.first_P, found.ranks.last_P)
        if found
        else (none, none, none, none)
    )
    names = ("target", "item", "first", "last")
    table = pl.DataFrame(dict(zip(names, columns, strict=True))).cast(pl.Int64)
    return table.select(pl.lit(view).alias("view"), *names)


_SHOWN: dict[str, type[pl.DataType]] = {
    "request_id": pl.String,
    "item_id": pl.String,
    "position": pl.Int64,
    "owner": pl.String,
    "p_click": pl.Float64,
    "p_convert": pl.Float64,  # of a purchase, once clicked
    "clicked": pl.Boolean,
    "purchased": pl.Boolean,
    "known": pl.Boolean,  # whether the purchase window is over
}


def impression_table(
    prepared: PreparedShop, outcomes: Outcomes, forecast: Forecast
) -> pl.DataFrame:
    """Every impression with its probabilities and what came of it, in the order of outcomes."""
    table = pl.DataFrame(
        {
            "request_id": prepared.requests["request_id"].gather(outcomes.request_N),
            "item_id": prepared.items["item_id"].gather(outcomes.item_N),
            "position": outcomes.position_N,
            "owner": prepared.owners["owner_id"].gather(outcomes.owner_N),
            "p_click": forecast.click_N,
            "p_convert": forecast.convert_N,
            "clicked": outcomes.clicked_N,
            "purchased": outcomes.purchased_N,
            "known": outcomes.known_N,
        }
    )
    return table.cast(pl.Schema(_SHOWN))


def _tables(answers: Answers) -> dict[str, pl.DataFrame]:
    if isinstance(answers, TextAnswers):
        return {"rows": answers.rows}
    return {name: getattr(answers, name) for name in _SHOP_TABLES}


_SHOP_TABLES = ("targets", "ranks", "impressions")


def _scalars(answers: Answers) -> dict[str, Any]:
    if isinstance(answers, TextAnswers):
        return {"classes": answers.classes}
    return {"items": answers.items, "views": answers.views}


def read_answers(folder: Path, about: Mapping[str, Any]) -> Answers | None:
    """What `write_answers` wrote; None where it is missing, of something else, or altered."""
    try:
        told = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
        found = file_digests(folder)
    except (OSError, ValueError):
        return None
    found.pop(_ABOUT, None)
    fits = isinstance(told, dict) and told.get("sha256") == found
    if not fits or any(told.get(key) != value for key, value in about.items()):
        return None

    def table(name: str) -> pl.DataFrame:
        return pl.read_parquet(folder / f"{name}.parquet", glob=False)

    if "classes" in told:
        return TextAnswers(tuple(told["classes"]), table("rows"))
    return ShopAnswers(told["items"], tuple(told["views"]), *map(table, _SHOP_TABLES))
