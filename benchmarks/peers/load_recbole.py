"""RecBole's own way from a log to batches of its SASRec, timed.

Run by the interpreter of `.venv-peers/recbole`.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from measured import Asked, Steps, read_positives, tell
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import init_seed

_NAME = "shop"
DOES = (
    "the log written as a .inter file, then create_dataset and data_preparation for SASRec with "
    "RecBole's default options (50 items a sequence, leave one out, no filters), on the "
    "processor; every sequence is padded and held in memory"
)


def load(asked: Asked, steps: Steps) -> dict[str, int]:
    """Read, write the .inter file, prepare, and go once through the training batches."""
    with steps.step("read"):
        rows = read_positives(asked.log, asked.kinds)
    with steps.step("write"):
        write_inter(rows, asked.scratch / _NAME / f"{_NAME}.inter")
    with steps.step("prepare"):
        config = _config(asked.scratch)
        init_seed(config["seed"], config["reproducibility"])
        dataset = create_dataset(config)
        users, items = dataset.user_num - 1, dataset.item_num - 1  # without RecBole's padding
        training, validation, test = data_preparation(config, dataset)
    with steps.step("batches"):
        _exhaust(training)
    return {
        "interactions": len(rows),
        "users": users,
        "items": items,
        "training_sequences": len(training.dataset),
        "validation_sequences": len(validation.dataset),
        "test_sequences": len(test.dataset),
    }


def write_inter(rows: pd.DataFrame, path: Path) -> None:
    """RecBole's atomic file of interactions: types in the header, times in seconds since 1970."""
    path.parent.mkdir(parents=True)
    seconds = rows["timestamp"].astype("datetime64[us]").astype("int64") / 1_000_000
    pd.DataFrame(
        {
            "user_id:token": rows["owner"],
            "item_id:token": rows["item_id"],
            "timestamp:float": seconds,
        }
    ).to_csv(path, sep="\t", index=False, quoting=csv.QUOTE_NONE)


def _config(data: Path) -> Config:
    # RecBole takes options from the command line too, and warns of those it does not know.
    del sys.argv[1:]
    return Config(
        model="SASRec",
        dataset=_NAME,
        config_dict={
            "data_path": str(data),
            "checkpoint_dir": str(data / "saved"),
            "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
            "train_neg_sample_args": None,  # which RecBole demands for SASRec's default loss
            "use_gpu": False,
            "show_progress": False,
        },
    )


def _exhaust(batches: Iterable[object]) -> None:
    for _ in batches:
        pass


if __name__ == "__main__":
    tell(load, ("recbole", "pandas", "numpy", "torch"), DOES)
