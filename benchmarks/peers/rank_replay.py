"""RePlay's SasRec by its own Lightning module; its other models need Spark and are left out.

Run by the interpreter of `.venv-peers/replay`; how, says contest.py.
Letters beside those of exchange.py: S = training sequences, L = items of one.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import torch
from contest import Clock, Fitted, Pace, Peer, Settings, contest
from exchange import Histories, Integers, Log, Task
from lightning import Callback, Trainer, seed_everything
from replay.data import FeatureHint, FeatureSource, FeatureType
from replay.data.nn import TensorFeatureInfo, TensorFeatureSource, TensorSchema
from replay.nn.lightning import LightningModule
from replay.nn.lightning.optimizer import OptimizerFactory
from replay.nn.sequential import SasRec

_ITEM = "item_id"


class EndsOnTime(Callback):  # type: ignore[misc]  # untyped where Shelfwise is checked
    """Ends training after the step in which the time is over."""

    def __init__(self, clock: Clock) -> None:
        self.pace = Pace(clock)

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        """As Lightning calls it."""
        trainer.should_stop = self.pace.is_over() or trainer.should_stop


def fit_sasrec(task: Task, log: Log, settings: Settings, clock: Clock) -> Fitted:
    """A transformer over the last items (Kang and McAuley, 2018)."""
    seed_everything(clock.seed, verbose=False)
    length = settings["max_sequence_length"]
    model = SasRec.from_params(
        _schema(task.items, settings["embedding_dim"]),
        embedding_dim=settings["embedding_dim"],
        num_heads=settings["num_heads"],
        num_blocks=settings["num_blocks"],
        max_sequence_length=length,
        dropout=settings["dropout"],
    )
    batches = torch.utils.data.DataLoader(
        list(sequences_of(log, length, task.items)),
        batch_size=settings["batch_size"],
        shuffle=True,
        collate_fn=lambda rows: _training_batch(np.stack(rows), task.items),
    )
    trainer = _trainer(settings["max_epochs"], clock)
    optimizer = OptimizerFactory(learning_rate=settings["learning_rate"])
    trainer.fit(LightningModule(model, optimizer_factory=optimizer), batches)
    done = max(1, round(trainer.global_step / len(batches)))
    stopped = f"stopped by the time after {done} of {settings['max_epochs']} epochs"
    note = stopped if done < settings["max_epochs"] else ""
    known = np.unique(log.item_N)
    model.eval()
    return Fitted(
        lambda asked: _scores(model, asked, known, task, length), {"max_epochs": done}, note
    )


def sequences_of(log: Log, length: int, padding: int) -> Integers:
    """``[S, L + 1]`` each owner's items in pieces, the newest at the end, padded in front.

    A piece begins with the last item of the one before it, so that each item but an owner's first
    is predicted once.
    """
    rows = []
    ends = np.flatnonzero(np.append(log.owner_N[1:] != log.owner_N[:-1], True)) + 1
    begin = 0
    for end in ends.tolist():
        for last in range(end, begin + 1, -length):
            items = log.item_N[max(begin, last - length - 1) : last]
            rows.append(np.pad(items, (length + 1 - len(items), 0), constant_values=padding))
        begin = end
    return np.stack(rows)


def _training_batch(rows: Integers, padding: int) -> dict[str, Any]:
    items_SL = torch.from_numpy(rows)
    past_SL, next_SL = items_SL[:, :-1].contiguous(), items_SL[:, 1:].contiguous()
    return {
        "feature_tensors": {_ITEM: past_SL},
        "padding_mask": past_SL != padding,
        "positive_labels": next_SL[..., None],
        "target_padding_mask": ((next_SL != padding) & (past_SL != padding))[..., None],
    }


def _scores(model: Any, histories: Histories, known: Integers, task: Task, length: int) -> Any:
    past_BL = np.full((len(histories), length), task.items)
    for row, taken in enumerate(histories):
        if len(taken):
            past_BL[row, -len(taken[-length:]) :] = taken[-length:]
    past = torch.from_numpy(past_BL)
    with torch.no_grad():
        shown = model(feature_tensors={_ITEM: past}, padding_mask=past != task.items)
    scores_BV = np.full((len(histories), task.items), -np.inf, np.float32)
    asked = np.diff(histories.bounds) > 0
    scores_BV[np.ix_(asked, known)] = shown["logits"].numpy()[np.ix_(asked, known)]
    return scores_BV


def _schema(items: int, dimension: int) -> TensorSchema:
    feature = TensorFeatureInfo(
        _ITEM,
        is_seq=True,
        feature_type=FeatureType.CATEGORICAL,
        embedding_dim=dimension,
        padding_value=items,
        cardinality=items,
        feature_hint=FeatureHint.ITEM_ID,
        feature_sources=[TensorFeatureSource(FeatureSource.INTERACTIONS, _ITEM)],
    )
    return TensorSchema([feature])


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


PEERS = (
    Peer(
        "replay/sasrec",
        "replay-rec",
        fit_sasrec,
        {
            "embedding_dim": 192,
            "num_heads": 4,
            "num_blocks": 2,
            "max_sequence_length": 50,
            "dropout": 0.3,
            "learning_rate": 0.001,
            "batch_size": 128,
            "max_epochs": 30,
        },
        {
            "embedding_dim": (64, 128, 192),
            "num_blocks": (1, 2),
            "dropout": (0.1, 0.3, 0.5),
            "learning_rate": (0.0005, 0.001, 0.003),
            "max_epochs": (30, 100),
        },
        trial_share=0.3,
        note="the library has no defaults for batch_size and max_epochs",
    ),
)

if __name__ == "__main__":
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    contest(PEERS)
