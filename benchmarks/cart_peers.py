"""Carts and purchases as other libraries forecast them: a task of ids, and their answers.

`benchmarks/peers/pairs.py` reads it. Shape suffixes: N = rows of the entire space, T = of the test.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.cart_models import Forecast
from benchmarks.cart_pairs import CartPairs
from benchmarks.kept import Arrays
from benchmarks.peer_process import PeerError
from shelfwise.schema.manifest import file_digests, fingerprint_of

_FORECAST = "forecast"
_LABELLED = ("train", "validation")


def write_pairs(pairs: CartPairs, name: str, folder: Path) -> Path:
    """Labelled rows of training and validation; of the test's, only who was shown what."""
    folder.mkdir()
    told = {"name": name, "users": len(pairs.users), "items": len(pairs.items)}
    (folder / "task.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    for part in _LABELLED:
        labels = {"cart": pairs.cart_N, "bought": pairs.bought_N}
        _table(pairs, part, labels).write_parquet(folder / f"{part}.parquet")
    _table(pairs, "test", {}).write_parquet(folder / "test.parquet")
    return folder


def _table(pairs: CartPairs, part: str, labels: dict[str, NDArray[np.bool_]]) -> pl.DataFrame:
    rows = pairs.rows(part)
    ids = {"user": pairs.user_N[rows], "item": pairs.item_N[rows]}
    told = {name: label_N[rows].astype(np.int64) for name, label_N in labels.items()}
    return pl.DataFrame(ids | told)


def digest_of(task: Path, pairs: CartPairs) -> str:
    """Of the task and of the test's labels, which it does not hold."""
    rows = pairs.rows("test")
    label_T2 = np.stack([pairs.cart_N[rows], pairs.bought_N[rows]])
    labels = hashlib.sha256(label_T2.tobytes()).hexdigest()
    return fingerprint_of(file_digests(task), labels)


def read_forecast(out: Path, rows: int) -> Arrays:
    """forecast.npy of an answer.

    Raises:
        PeerError: it is not there, of another shape, or holds what is no probability.
    """
    try:
        answer_T2 = np.load(out / "forecast.npy", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise PeerError(f"ended without an answer: {error}") from error
    if answer_T2.shape != (rows, 2) or answer_T2.dtype != np.float32:
        raise PeerError(
            f"forecast.npy holds {answer_T2.dtype} {answer_T2.shape}; the test has {rows} rows of "
            "two probabilities"
        )
    for column_T in answer_T2.T:
        # A column that is not forecast is nan throughout.
        if not np.isnan(column_T).all() and not ((column_T >= 0) & (column_T <= 1)).all():
            raise PeerError("forecast.npy holds what is no probability between 0 and 1")
    return {_FORECAST: answer_T2}


def forecast_of(pairs: CartPairs, system: str, arrays: Arrays, told: dict[str, object]) -> Forecast:
    """An answer for the test; nan for all other rows."""
    answer_T2 = arrays[_FORECAST].astype(np.float64)
    answer_N2 = np.full((len(pairs.user_N), 2), np.nan)
    answer_N2[pairs.rows("test")] = answer_T2
    return Forecast(system, answer_N2[:, 0], answer_N2[:, 1], told)
