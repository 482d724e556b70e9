"""What forecasts of other libraries share: labelled rows of ids, AUC, the file of answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from benchmarks.peers_loading import ROOT, why_missing

sys.path.append(str(ROOT / "benchmarks/peers"))  # where a script finds them

from contest import Asked, Clock, Fitted, Peer, answer
from pairs import PairTask, Rows, auc, read_pairs

SCRIPTS = {"torch_rechub": ("esmm", "mmoe", "ple", "shared_bottom"), "fuxictr": ("deepfm",)}


def write_pairs(folder: Path, rows: Mapping[str, list[tuple[int, int, int, int]]]) -> PairTask:
    """Rows of each part: user, item, cart, bought. The labels of the test are not written."""
    folder.mkdir(exist_ok=True)
    names = ["user", "item", "cart", "bought"]
    for part, given in rows.items():
        table = pl.DataFrame(given, schema=names, orient="row")
        kept = names[:2] if part == "test" else names
        table.select(kept).write_parquet(folder / f"{part}.parquet")
    users, items = (max(row[at] for part in rows.values() for row in part) + 1 for at in (0, 1))
    (folder / "task.json").write_text(json.dumps({"name": "small", "users": users, "items": items}))
    return read_pairs(folder)


@pytest.fixture
def task(tmp_path: Path) -> PairTask:
    return write_pairs(
        tmp_path / "task",
        {
            "train": [(0, 0, 1, 1), (0, 1, 0, 0)],
            "validation": [(0, 2, 1, 1), (1, 0, 1, 0), (1, 1, 1, 0), (1, 2, 0, 0)],
            "test": [(0, 1, 1, 0), (1, 0, 1, 1), (1, 1, 0, 0)],
        },
    )


def test_auc_by_hand() -> None:
    # Positives .9 and .5 against .5, .1: .9 beats both, .5 ties one and beats one: 3.5 of 4.
    score = np.array([0.9, 0.5, 0.5, 0.1])
    assert auc(score, np.array([True, True, False, False])) == pytest.approx(3.5 / 4)
    assert np.isnan(auc(score, np.zeros(4, bool)))


def test_a_task_of_forecasts_is_read_and_judged_among_its_carts(task: PairTask) -> None:
    # Of validation's four rows three are carts: items 2 (bought), 0 and 1. By the item's number
    # the bought one is first: 1. By its square distance to 1, it ties with 0 and beats 1: .75.
    def by(value_of: Any) -> Any:
        return lambda rows: np.stack([rows.item_N, value_of(rows.item_N)], axis=1)

    assert (len(task.train), len(task.whole), len(task.validation)) == (2, 2, 4)
    assert (task.users, task.items) == (2, 3)
    assert task.judged(by(lambda item_N: item_N)) == 1.0
    assert task.judged(by(lambda item_N: (item_N - 1) ** 2)) == pytest.approx(0.75)


def test_forecasts_of_the_test_are_written_row_by_row(task: PairTask, tmp_path: Path) -> None:
    def fit(_: PairTask, rows: Rows, settings: Mapping[str, Any], __: Clock) -> Fitted:
        cart = settings["cart"]
        return Fitted(
            lambda asked: np.stack([np.full(len(asked), cart), asked.item_N / len(rows)], axis=1)
        )

    peer = Peer("numpy/rate", "numpy", fit, {"cart": 0.5}, {"cart": (0.5, np.nan)})
    answer(task, peer, Asked(tmp_path / "out", 60.0, 0, tune=False))

    # Learned from both rows of training; the test's items are 1, 0 and 1.
    half = pytest.approx(1 / 2)
    forecast = np.load(tmp_path / "out/forecast.npy")
    assert forecast.tolist() == [[0.5, half], [0.5, 0.0], [0.5, half]]
    assert json.loads((tmp_path / "out/peer.json").read_text())["note"] == ""


def test_what_is_not_forecast_is_told(task: PairTask, tmp_path: Path) -> None:
    told = task.write(tmp_path, lambda rows: np.full((len(rows), 2), [np.nan, 0.5]))

    assert told == "no forecast of carts"
    with pytest.raises(SystemExit, match=r"expected 3 rows of 2, got \(3,\)"):
        task.write(tmp_path, lambda rows: rows.item_N)


def models() -> list[Any]:
    """Every model of every script; skipped where its library is not installed."""
    found = []
    for library, names in SCRIPTS.items():
        missing = why_missing(library, ROOT / ".venv-peers")
        skip = pytest.mark.skipif(missing is not None, reason=f"{library}: {missing}")
        found += [pytest.param(library, name, marks=skip, id=name) for name in names]
    return found


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("library", "model"), models())
def test_an_installed_library_learns_which_items_are_bought(
    library: str, model: str, tmp_path: Path
) -> None:
    # Everybody puts items below 10 into the cart, and buys those below 5.
    draw = np.random.default_rng(0)
    user, item = draw.integers(0, 50, 6_000), draw.integers(0, 20, 6_000)
    rows = np.stack([user, item, item < 10, item < 5], axis=1).astype(int).tolist()
    parts = {"train": rows[:4_000], "validation": rows[4_000:5_000], "test": rows[5_000:]}
    write_pairs(tmp_path / "task", {part: [*map(tuple, some)] for part, some in parts.items()})
    python = ROOT / ".venv-peers" / library / "bin/python"
    script = ROOT / "benchmarks/peers" / f"forecast_{library}.py"
    command = [python, script, "--task", tmp_path / "task", "--out", tmp_path / "out"]
    command += ["--seconds", "120", "--seed", "1", "--model", model, "--tune"]

    subprocess.run([*map(str, command)], check=True, capture_output=True, cwd=tmp_path)

    forecast = np.load(tmp_path / "out/forecast.npy")
    asked = np.array(parts["test"])
    carts = asked[:, 2] == 1
    assert ((forecast >= 0) & (forecast <= 1)).all()
    # Few steps of large batches; chance is a half.
    assert auc(forecast[:, 0], carts) > 0.75
    assert auc(forecast[carts, 1], asked[carts, 3] == 1) > 0.75
