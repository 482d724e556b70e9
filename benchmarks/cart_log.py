"""Cart pairs as a log that our ranker can learn from, with times that mean nothing.

The published pairs have no order. Each cart becomes a request at which it and its non-carts were
shown; a user's training carts lie evenly over four weeks in order of their hash, then those of
validation, then those of the test. So a history is some of the user's other training pairs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.cart_models import Forecast
from benchmarks.cart_pairs import NON_CARTS, CartPairs
from shelfwise.config import ShopConfig, load_config
from shelfwise.data.batches import examples_of
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import PARTS
from shelfwise.evaluation.impressions import Outcomes
from shelfwise.evaluation.report import OURS
from shelfwise.evaluation.shop import RunScorer
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.progress import Progress
from shelfwise.training.train import train

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

[model.encoder.tuning]
mode = "frozen"  # items have no words, only ids
"""


def write_log(pairs: CartPairs, folder: Path) -> Path:
    """A shop folder with impressions, carts and purchases; a request's id is its cart's number."""
    folder.mkdir()
    at_N = moments(pairs)
    shown = pl.DataFrame(
        {
            "event": "impression",
            "user_id": pl.Series(pairs.users).gather(pairs.user_N),
            "item_id": pl.Series(pairs.items).gather(pairs.item_N),
            "request_id": _requests(len(at_N)),
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


def moments(pairs: CartPairs) -> NDArray[np.int64]:
    """``[N]`` microseconds: a user's carts of a part evenly over its days, in their order."""
    at_N = np.zeros(len(pairs.user_N), np.int64)
    for part in PARTS:
        rows = pairs.rows(part)
        users, first, count = np.unique(pairs.user_N[rows], return_index=True, return_counts=True)
        place = np.arange(len(rows)) - np.repeat(first, count)
        share = (place // (1 + NON_CARTS) + 0.5) / np.repeat(count / (1 + NON_CARTS), count)
        begin, end = _DAYS[part]
        at_N[rows] = _BEGIN + ((begin + share * (end - begin)) * _DAY).astype(np.int64)
        assert len(users) == len(count)
    return at_N


def _requests(rows: int) -> pl.Series:
    return pl.Series(np.arange(rows) // (1 + NON_CARTS)).cast(pl.String)


class CartRanker:
    """Our ranker on the made-up log: prepared once, learned once a seed."""

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

    def forecast(self, minutes: float, seed: int) -> Forecast:
        """Learn for so long, and answer for the test; nan for all other rows."""
        config = self._config(minutes, seed)
        began = time.perf_counter()
        run = self.scratch / "run"
        manifest = train(self.prepared, run, config.model, config.train, self.progress)
        told: dict[str, Any] = {
            "seed": seed,
            "seconds": round(time.perf_counter() - began, 1),
            **{name: manifest.facts[name] for name in ("best_step", "steps", "validation")},
        }
        return self._answered(run, told)

    def _config(self, minutes: float, seed: int) -> ShopConfig:
        own = (f"train.minutes={minutes}", f"train.seed={seed}")
        return load_config(self.scratch / "log", [*self.settings, *own])

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
        row_N = self._rows(Outcomes.of(examples))
        cart_N, convert_N = (np.full(len(self.pairs.user_N), np.nan) for _ in range(2))
        cart_N[row_N], convert_N[row_N] = answer.click_N, answer.convert_N
        return Forecast(OURS, cart_N, convert_N, told)

    def _rows(self, outcomes: Outcomes) -> NDArray[np.int64]:
        """Row of the entire space of every impression, by its request's number and its item."""
        request_N = (
            self.prepared.requests["request_id"]
            .gather(outcomes.request_N)
            .cast(pl.Int64)
            .to_numpy()
        )
        item_of = pl.Series(self.pairs.items)
        number_V = item_of.search_sorted(self.prepared.items["item_id"]).to_numpy()
        width, items = 1 + NON_CARTS, len(self.pairs.items)
        key_N = np.arange(len(self.pairs.user_N)) // width * items + self.pairs.item_N
        order = np.argsort(key_N)
        asked_N = request_N * items + number_V[outcomes.item_N]
        row_N: NDArray[np.int64] = order[np.searchsorted(key_N[order], asked_N)]
        assert np.array_equal(key_N[row_N], asked_N)
        return row_N
