"""Cart pairs as a log that our ranker can learn from, with times that mean nothing.

The published pairs have no order. A user's training carts are dealt in order of their hash to a few
visits, each a request at which they and their non-carts were shown; visits lie evenly over four
weeks, so that a history is some of the user's other training pairs. What is judged is asked in one
request a user for validation, and one for the test, with all training pairs before it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.cart_models import Forecast
from benchmarks.cart_pairs import NON_CARTS, CartPairs
from benchmarks.cart_variants import Variant
from shelfwise.config import ShopConfig, load_config
from shelfwise.data.batches import examples_of
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import PARTS
from shelfwise.evaluation.impressions import Outcomes
from shelfwise.evaluation.report import OURS
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.progress import Progress
from shelfwise.training.course import Course
from shelfwise.training.train import train

VISITS = 5  # most of a user in training: one history is read for all that a visit shows
_DAY = 24 * 3_600 * 1_000_000  # microseconds
_BEGIN = 1_577_836_800 * 1_000_000  # 2020-01-01
_DAYS = {"train": (0, 28), "validation": (29, 32), "test": (33, 40)}  # first day, end
_SHOP_TOML = """\
[shop]
name = "carts with made-up times"

[split]
validation_start = 2020-01-29T12:00:00Z
test_start = 2020-02-02T12:00:00Z

[match]
events = ["purchase"]

[attribution]
click_window_hours = 0.001
purchase_window_days = 0.0001  # a purchase follows its cart at once

[fraud]
enabled = false  # gaps as even as these are a machine's

[features]
statistics = false

[privacy]
published_key = true

[model.history]
kind = "mean_pool"  # the order of a history is made up
"""


def write_log(pairs: CartPairs, folder: Path) -> Path:
    """A shop folder with impressions, carts and purchases."""
    folder.mkdir()
    at_N = moments(pairs)
    shown = pl.DataFrame(
        {
            "event": "impression",
            "user_id": pl.Series(pairs.users).gather(pairs.user_N),
            "item_id": pl.Series(pairs.items).gather(pairs.item_N),
            "request_id": pl.Series(requests_of(pairs)).cast(pl.String),
            "timestamp": pl.Series(at_N).cast(pl.Datetime("us", "UTC")),
            "surface": "recommendation",
        }
    )
    carts = shown.filter(pl.Series(pairs.cart_N)).with_columns(
        pl.lit("cart").alias("event"), pl.col("timestamp").dt.offset_by("1s")
    )
    bought = shown.filter(pl.Series(pairs.bought_N)).with_columns(
        pl.lit("purchase").alias("event"), pl.col("timestamp").dt.offset_by("2s")
    )
    pl.concat([shown, carts, bought]).write_parquet(folder / "events.parquet")
    pl.DataFrame({"item_id": pairs.items}).write_parquet(folder / "catalogue.parquet")
    (folder / "shop.toml").write_text(_SHOP_TOML, encoding="utf-8")
    return folder


def requests_of(pairs: CartPairs) -> NDArray[np.int64]:
    """``[N]`` number of each row's request: its user's visit in training, else user and part."""
    judged_N = (len(pairs.users) + pairs.user_N) * max(VISITS, len(PARTS)) + pairs.part_N
    return np.where(pairs.part_N == 0, pairs.user_N * VISITS + visits_of(pairs), judged_N)


def visits_of(pairs: CartPairs) -> NDArray[np.int64]:
    """``[N]`` visit of each training row, 0 up to `VISITS`: carts of a user evenly, in order."""
    visit_N = np.zeros(len(pairs.user_N), np.int64)
    rows = pairs.rows("train")
    _, first, count = np.unique(pairs.user_N[rows], return_index=True, return_counts=True)
    place = (np.arange(len(rows)) - np.repeat(first, count)) // (1 + NON_CARTS)
    visit_N[rows] = place * VISITS // np.repeat(count // (1 + NON_CARTS), count)
    return visit_N


def moments(pairs: CartPairs) -> NDArray[np.int64]:
    """``[N]`` microseconds: a user's visits evenly over the days of training; else one a user."""
    share_N = (pairs.user_N + 0.5) / len(pairs.users)
    share_N = np.where(pairs.part_N == 0, (visits_of(pairs) + share_N) / VISITS, share_N)
    begin_N, end_N = np.array([_DAYS[part] for part in PARTS])[pairs.part_N].T
    at_N: NDArray[np.int64] = _BEGIN + ((begin_N + share_N * (end_N - begin_N)) * _DAY).astype(
        np.int64
    )
    return at_N


class CartRanker:
    """Our ranker on the made-up log: prepared once, learned once a variant and seed."""

    def __init__(
        self, pairs: CartPairs, scratch: Path, settings: tuple[str, ...], progress: Progress
    ) -> None:
        self.pairs, self.scratch, self.settings = pairs, scratch, settings
        self.progress = progress
        shop = write_log(pairs, scratch / "log")
        config = load_config(shop, settings)
        prepared = prepare(shop, scratch / "prepared", config, progress)
        assert isinstance(prepared, PreparedShop)
        self.prepared = prepared

    def forecast(self, variant: Variant, minutes: float, seed: int) -> Forecast:
        """Learn for so long, and answer for the test; nan for all other rows.

        Two networks that share nothing have half of the time each.
        """
        if variant.convert is None:
            one = self._learned(variant.cart, minutes, seed)
            return one._replace(system=variant.name)
        cart = self._learned(variant.cart, minutes / 2, seed)
        convert = self._learned(variant.convert, minutes / 2, seed)
        told = {name: convert.told[name] for name in ("seed", "best_step", "steps", "validation")}
        told["seconds"] = round(cart.told["seconds"] + convert.told["seconds"], 1)
        return Forecast(variant.name, cart.cart_N, convert.convert_N, told)

    def _learned(self, settings: Sequence[str], minutes: float, seed: int) -> Forecast:
        config = self._config(settings, minutes, seed)
        began = time.perf_counter()
        run = self.scratch / "run"
        course = Course(tasks=config.tasks)
        manifest = train(self.prepared, run, config.model, config.train, self.progress, course)
        told: dict[str, Any] = {
            "seed": seed,
            "seconds": round(time.perf_counter() - began, 1),
            **{name: manifest.facts[name] for name in ("best_step", "steps", "validation")},
        }
        return self._answered(run, told)

    def _config(self, settings: Sequence[str], minutes: float, seed: int) -> ShopConfig:
        own = (f"train.minutes={minutes}", f"train.seed={seed}")
        return load_config(self.scratch / "log", [*settings, *self.settings, *own])

    def _answered(self, run: Path, told: Mapping[str, Any]) -> Forecast:
        examples = examples_of(self.prepared, ["test"])
        # The history is what the user did in training, as the protocol has it.
        trained_E1 = np.concatenate(
            [[0], (self.prepared.history.at_E < self.prepared.moments.validation).cumsum()]
        )
        begin_R = self.prepared.history.offset_U1[examples.owner_R]
        stop_R = self.prepared.history.offset_U1[examples.owner_R + 1]
        end_R = begin_R + trained_E1[stop_R] - trained_E1[begin_R]
        examples = replace(examples, end_R=end_R)
        scorer = RunScorer(open_run(run), self.prepared)
        answer = scorer.forecast(examples, OURS, with_position=False, progress=self.progress)
        row_N = self.pairs.rows("test")
        place_N = self._places(Outcomes.of(examples), row_N)
        cart_N, convert_N = (np.full(len(self.pairs.user_N), np.nan) for _ in range(2))
        cart_N[row_N], convert_N[row_N] = answer.click_N[place_N], answer.convert_N[place_N]
        return Forecast(OURS, cart_N, convert_N, told)

    def _places(self, outcomes: Outcomes, row_N: NDArray[np.int64]) -> NDArray[np.int64]:
        """Impression of each row; a non-cart that was drawn for two carts of a user is one."""
        request_N = self.prepared.requests["request_id"].gather(outcomes.request_N)
        number_V = pl.Series(self.pairs.items).search_sorted(self.prepared.items["item_id"])
        items = len(self.pairs.items)
        shown_N = request_N.cast(pl.Int64).to_numpy() * items
        shown_N = shown_N + number_V.to_numpy()[outcomes.item_N]
        asked_N = requests_of(self.pairs)[row_N] * items + self.pairs.item_N[row_N]
        order = np.argsort(shown_N)
        place_N: NDArray[np.int64] = order[np.searchsorted(shown_N[order], asked_N)]
        assert np.array_equal(shown_N[place_N], asked_N)
        return place_N
