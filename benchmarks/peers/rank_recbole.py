"""RecBole's SASRec, GRU4Rec and EASE.

Run by the interpreter of `.venv-peers/recbole`; how, says contest.py.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from contest import Clock, Fitted, Pace, Peer, Settings, contest
from exchange import Histories, Log, Task
from matrices import counts_of
from recbole.config import Config
from recbole.data import create_dataset
from recbole.data.dataloader import TrainDataLoader
from recbole.model.general_recommender import EASE
from recbole.model.sequential_recommender import SASRec
from recbole.model.sequential_recommender.gru4rec import GRU4Rec
from recbole.trainer import Trainer
from recbole.utils import init_seed

_NAME = "task"
# All that may be learned is trained on: its own validation would take a part of it.
_EVERYTHING = {"split": {"RS": [1.0, 0.0, 0.0]}, "order": "TO", "group_by": "user", "mode": "full"}


class TimeIsOverError(Exception):
    """Raised between two batches, so that the weights are those of whole steps."""


def fit_sequential(model_of: Callable[..., Any]) -> Callable[..., Fitted]:
    """A fit of a model of sequences, by RecBole's own trainer."""

    def fit(task: Task, log: Log, settings: Settings, clock: Clock) -> Fitted:
        with TemporaryDirectory() as scratch:
            config, dataset = _dataset(log, settings, clock.seed, model_of.__name__, Path(scratch))
            training, *_ = dataset.build()
            batches = TrainDataLoader(config, training, None, shuffle=True)
            model = model_of(config, training)
            steps = _train(model, config, batches, clock)
        done = max(1, round(steps / len(batches)))
        stopped = f"stopped by the time after {done} of {settings['epochs']} epochs"
        note = stopped if done < settings["epochs"] else ""
        numbers = _Numbers.of(dataset, task.items)
        return Fitted(lambda asked: numbers.scores(model, asked), {"epochs": done}, note)

    return fit


def fit_ease(task: Task, log: Log, settings: Settings, clock: Clock) -> Fitted:
    """A linear autoencoder in closed form (Steck, 2019)."""
    with TemporaryDirectory() as scratch:
        config, dataset = _dataset(log, settings, clock.seed, "EASE", Path(scratch))
        model = EASE(config, dataset.build()[0])
    numbers = _Numbers.of(dataset, task.items)
    weight = np.asarray(model.item_similarity)[np.ix_(numbers.number_K, numbers.number_K)]

    def score(histories: Histories) -> Any:
        counts_BV = counts_of(histories, task.items)
        counts_BV.data[:] = 1.0  # as it learned
        scores_BV = np.full(counts_BV.shape, -np.inf, np.float32)
        scores_BV[:, numbers.item_K] = counts_BV[:, numbers.item_K] @ weight
        return scores_BV

    return Fitted(score)


class _Numbers:
    """The items of the log and their numbers in RecBole, which begin at 1. K = items known."""

    def __init__(self, item_K: Any, number_K: Any, items: int, longest: int) -> None:
        self.item_K, self.number_K = item_K, number_K
        self.number_V = np.zeros(items, np.int64)
        self.number_V[item_K] = number_K
        self.longest = longest

    @classmethod
    def of(cls, dataset: Any, items: int) -> _Numbers:
        """As the data set gave them out."""
        tokens = dataset.field2id_token[dataset.iid_field][1:]
        number_K = np.arange(1, len(tokens) + 1)
        return cls(tokens.astype(np.int64), number_K, items, dataset.config["MAX_ITEM_LIST_LENGTH"])

    def scores(self, model: Any, histories: Histories) -> Any:
        """By the model, from the last known items of each history; -inf where there is none."""
        known = [self.number_V[taken] for taken in histories]
        known = [taken[taken > 0][-self.longest :] for taken in known]
        scores_BV = np.full((len(histories), len(self.number_V)), -np.inf, np.float32)
        rows = [row for row, taken in enumerate(known) if len(taken)]
        if not rows:
            return scores_BV
        sequence = torch.zeros(len(rows), self.longest, dtype=torch.long)
        for place, row in enumerate(rows):
            sequence[place, : len(known[row])] = torch.from_numpy(known[row])
        length = torch.tensor([len(known[row]) for row in rows])
        model.eval()
        with torch.no_grad():
            asked = {model.ITEM_SEQ: sequence, model.ITEM_SEQ_LEN: length}
            score = model.full_sort_predict(asked).numpy()
        scores_BV[np.ix_(rows, self.item_K)] = score[:, self.number_K]
        return scores_BV


def _train(model: Any, config: Config, batches: Any, clock: Clock) -> int:
    """Steps done when the epochs or the time are over."""
    steps, loss_of, pace = 0, model.calculate_loss, Pace(clock)

    def calculate_loss(interaction: Any) -> Any:
        nonlocal steps
        if pace.is_over() and steps:
            raise TimeIsOverError
        steps += 1
        return loss_of(interaction)

    model.calculate_loss = calculate_loss
    with suppress(TimeIsOverError):
        Trainer(config, model).fit(batches, verbose=False, saved=False, show_progress=False)
    return steps


def _dataset(
    log: Log, settings: Settings, seed: int, model: str, scratch: Path
) -> tuple[Config, Any]:
    columns = {"user_id:token": log.owner_N, "item_id:token": log.item_N}
    # Numbered, as it keeps times as float32 and sorts anew.
    order = {"timestamp:float": np.arange(len(log))}
    (scratch / _NAME).mkdir()
    pd.DataFrame(columns | order).to_csv(scratch / _NAME / f"{_NAME}.inter", sep="\t", index=False)
    del sys.argv[1:]  # of which it would take options
    config = Config(
        model=model,
        dataset=_NAME,
        config_dict={
            **settings,
            "data_path": str(scratch),
            "checkpoint_dir": str(scratch / "saved"),
            "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
            "eval_args": _EVERYTHING,
            "train_neg_sample_args": None,
            "use_gpu": False,
            "show_progress": False,
            "seed": seed,
        },
    )
    init_seed(seed, reproducibility=True)
    return config, create_dataset(config)


PEERS = (
    Peer(
        "recbole/sasrec",
        "recbole",
        fit_sequential(SASRec),
        {
            "epochs": 300,
            "learning_rate": 0.001,
            "train_batch_size": 2048,
            "hidden_size": 64,
            "n_layers": 2,
            "hidden_dropout_prob": 0.5,
            "attn_dropout_prob": 0.5,
            "MAX_ITEM_LIST_LENGTH": 50,
        },
        {
            "learning_rate": (0.0005, 0.001, 0.003),
            "train_batch_size": (512, 1024, 2048),
            "n_layers": (1, 2),
            "hidden_dropout_prob": (0.2, 0.5),
            "attn_dropout_prob": (0.2, 0.5),
        },
        trial_share=0.3,
    ),
    Peer(
        "recbole/gru4rec",
        "recbole",
        fit_sequential(GRU4Rec),
        {
            "epochs": 300,
            "learning_rate": 0.001,
            "train_batch_size": 2048,
            "hidden_size": 128,
            "embedding_size": 64,
            "num_layers": 1,
            "dropout_prob": 0.3,
            "MAX_ITEM_LIST_LENGTH": 50,
        },
        {
            "learning_rate": (0.0005, 0.001, 0.003),
            "train_batch_size": (512, 1024, 2048),
            "hidden_size": (64, 128),
            "dropout_prob": (0.1, 0.3, 0.5),
        },
        trial_share=0.3,
    ),
    Peer(
        "recbole/ease",
        "recbole",
        fit_ease,
        {"reg_weight": 250.0},
        {"reg_weight": (10.0, 30.0, 100.0, 250.0, 500.0, 1e3, 2e3)},
    ),
)

if __name__ == "__main__":
    logging.disable(logging.WARNING)
    contest(PEERS)
