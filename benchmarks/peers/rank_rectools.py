"""RecTools' SASRec, EASE and popularity.

Run by the interpreter of `.venv-peers/rectools`; how, says contest.py.
"""

from __future__ import annotations

import warnings
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from contest import Clock, Fitted, Pace, Peer, Settings, contest
from exchange import Histories, Log, Task
from matrices import counts_of
from pytorch_lightning import Callback, Trainer, seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import EASEModel, PopularModel, SASRecModel

_RANKED = 2_000  # of each target; the rest of a large catalogue gets -inf


class EndsOnTime(Callback):  # type: ignore[misc]  # untyped where Shelfwise is checked
    """Ends training after the step in which the time is over."""

    def __init__(self, clock: Clock) -> None:
        self.pace = Pace(clock)

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        """As Lightning calls it."""
        trainer.should_stop = self.pace.is_over() or trainer.should_stop


def fit_sasrec(task: Task, log: Log, settings: Settings, clock: Clock) -> Fitted:
    """A transformer over the last items (Kang and McAuley, 2018), in RecTools' own form."""
    seed_everything(clock.seed, verbose=False)
    options = dict(settings)
    epochs = options.pop("epochs")
    model = SASRecModel(**options, get_trainer_func=lambda: _trainer(epochs, clock))
    model.fit(dataset_of_log(log))
    trainer = model.fit_trainer
    done = max(1, round(trainer.global_step / trainer.num_training_batches))
    stopped = "" if done >= epochs else f"stopped by the time after {done} of {epochs} epochs"
    return Fitted(lambda asked: recommended(model, asked, task), {"epochs": done}, stopped)


def fit_ease(task: Task, log: Log, settings: Settings, _: Clock) -> Fitted:
    """A linear autoencoder in closed form (Steck, 2019)."""
    dataset = dataset_of_log(log)
    model = EASEModel(**settings).fit(dataset)
    items = dataset.item_id_map.external_ids

    def score(histories: Histories) -> Any:
        scores_BV = np.full((len(histories), task.items), -np.inf, np.float32)
        scores_BV[:, items] = counts_of(histories, task.items)[:, items] @ model.weight
        return scores_BV

    return Fitted(score)


def fit_popular(task: Task, log: Log, settings: Settings, _: Clock) -> Fitted:
    """How many took it, of all time or of the last days."""
    options = dict(settings)
    days = options.pop("days")
    options["period"] = timedelta(days=days) if days else None
    dataset = dataset_of_log(log)
    model = PopularModel(**options).fit(dataset)
    numbers, values = model.popularity_list
    score_V = np.full(task.items, -np.inf, np.float32)
    score_V[dataset.item_id_map.convert_to_external(numbers)] = values
    return Fitted(lambda histories: np.tile(score_V, (len(histories), 1)))


def dataset_of_log(log: Log) -> Dataset:
    """In RecTools' own form, each line of weight 1. An order counts as microseconds."""
    return _dataset(log.owner_N, log.item_N, log.at_N)


def recommended(model: SASRecModel, histories: Histories, task: Task) -> Any:
    """Scores of the items that the model recommends from histories, most first."""
    target_N, item_N = histories.pairs()
    scores_BV = np.full((len(histories), task.items), -np.inf, np.float32)
    if len(item_N) == 0:
        return scores_BV
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*considered cold.*")
        shown = model.recommend(
            users=np.unique(target_N),
            dataset=_dataset(target_N, item_N, np.arange(len(item_N))),
            k=min(task.items, _RANKED),
            filter_viewed=False,
            on_unsupported_targets="ignore",
        )
    scores_BV[shown[Columns.User], shown[Columns.Item]] = shown[Columns.Score]
    return scores_BV


def _dataset(user_N: Any, item_N: Any, at_N: Any) -> Dataset:
    columns = {Columns.User: user_N, Columns.Item: item_N, Columns.Weight: 1.0}
    return Dataset.construct(
        pd.DataFrame(columns | {Columns.Datetime: pd.to_datetime(at_N, unit="us")})
    )


def _trainer(epochs: int, clock: Clock) -> Trainer:
    return Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        deterministic=True,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        logger=False,
        callbacks=[EndsOnTime(clock)],
    )


_PUBLISHED = {  # of its authors, for Amazon Beauty, 64 wide
    "n_blocks": 1,
    "n_heads": 4,
    "n_factors": 64,
    "dropout_rate": 0.2,
    "session_max_len": 50,
    "loss": "sampled_softmax",
    "n_negatives": 256,
    "lr": 0.001,
    "batch_size": 128,
    "epochs": 100,
}

PEERS = (
    Peer(
        "rectools/sasrec",
        "rectools",
        fit_sasrec,
        _PUBLISHED,
        {
            "n_blocks": (1, 2),
            "n_factors": (64, 128, 256),
            "dropout_rate": (0.1, 0.2, 0.3, 0.5),
            "session_max_len": (50, 100),
            "loss": ("softmax", "sampled_softmax"),
            "n_negatives": (256,),
            "epochs": (100,),
        },
        published=(  # what else is tried first: the library's own defaults
            {
                "n_blocks": 2,
                "n_factors": 256,
                "loss": "softmax",
                "n_negatives": 1,
                "session_max_len": 100,
                "epochs": 3,
            },
        ),
        trial_share=0.3,
        note="untuned: as its authors set it for Amazon Beauty, 64 wide; tuning also tries the "
        "library's own defaults",
    ),
    Peer(  # on a CPU gathering 257 candidates costs more than a softmax over a small catalogue
        "rectools/sasrec-softmax",
        "rectools",
        fit_sasrec,
        _PUBLISHED | {"loss": "softmax", "n_negatives": 1},
        {"n_factors": (64, 128), "dropout_rate": (0.2, 0.5), "epochs": (100,)},
        trial_share=0.4,
        note="untuned: the authors' setting with the softmax over every item",
    ),
    Peer(
        "rectools/ease",
        "rectools",
        fit_ease,
        {"regularization": 500.0},
        {"regularization": (10.0, 30.0, 100.0, 200.0, 500.0, 1e3, 2e3, 4e3, 8e3)},
    ),
    Peer(
        "rectools/popular",
        "rectools",
        fit_popular,
        {"popularity": "n_users", "days": None},
        {
            "popularity": ("n_users", "n_interactions"),
            "days": (None, 7, 14, 30, 60, 90, 180),
        },
    ),
)

if __name__ == "__main__":
    contest(PEERS)
