"""Torch-RecHub's YoutubeDNN as its tutorial on MovieLens sets it up, without user features.

Run by the interpreter of `.venv-peers/torch_rechub`; how, says contest.py.
Letters beside those of exchange.py: L = items of a history, S = training samples.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

import numpy as np
import torch
from contest import Clock, Fitted, Pace, Peer, Settings, contest
from exchange import Histories, Integers, Log, Task
from torch_rechub.basic.features import SequenceFeature, SparseFeature
from torch_rechub.models.matching import YoutubeDNN
from torch_rechub.trainers import MatchTrainer
from torch_rechub.utils.data import TorchDataset
from until import Until

_LENGTH = 50
_SAMPLES = 500_000  # at most, drawn


def fit_youtube(task: Task, log: Log, settings: Settings, clock: Clock) -> Fitted:
    """Softmax over the next item and drawn others (Covington et al., 2016)."""
    torch.manual_seed(clock.seed)
    model = _model(task.items + 1, settings)
    trainer = MatchTrainer(
        model,
        mode=2,
        optimizer_params={
            "lr": settings["lr"],
            "weight_decay": settings["weight_decay"],
        },
    )
    batches = _batches(log, task.items, settings, clock.seed)
    done, until = 0, Until(batches, Pace(clock))
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        while done < settings["n_epoch"] and not until.stopped:
            trainer.train_one_epoch(until)
            done += 1
    model.eval()
    known = np.unique(log.item_N)
    note = f"stopped by the time in epoch {done} of {settings['n_epoch']}"
    return Fitted(
        lambda asked: _scores(model, asked, known, task.items),
        {"n_epoch": max(done, 1)},
        note if until.stopped else "",
    )


def samples_of(log: Log, seed: int) -> tuple[Integers, Integers]:
    """``history_SL, next_S``: every entry but an owner's first, after the items before it.

    Items count from 1; 0 stands where a history is shorter.
    """
    first_N = np.append(True, log.owner_N[1:] != log.owner_N[:-1])
    began_N = np.maximum.accumulate(np.where(first_N, np.arange(len(log)), 0))
    place_S = np.flatnonzero(~first_N)
    if len(place_S) > _SAMPLES:
        place_S = np.random.default_rng(seed).choice(place_S, _SAMPLES, replace=False)
    at_SL = place_S[:, None] - np.arange(1, _LENGTH + 1)
    inside_SL = at_SL >= began_N[place_S][:, None]
    return np.where(inside_SL, log.item_N[at_SL.clip(0)] + 1, 0), log.item_N[place_S] + 1


def _batches(log: Log, items: int, settings: Settings, seed: int) -> Any:
    history_SL, next_S = samples_of(log, seed)
    drawn = np.random.default_rng(seed)
    other_SN = drawn.integers(1, items + 1, (len(next_S), settings["neg_ratio"]))
    columns = {"history": history_SL, "item": next_S, "others": other_SN}
    return torch.utils.data.DataLoader(
        TorchDataset(columns, np.zeros(len(next_S), np.int64)),
        batch_size=settings["batch_size"],
        shuffle=True,
        drop_last=len(next_S) > settings["batch_size"],  # its batch norm fails on a batch of one
        generator=torch.Generator().manual_seed(seed),
    )


def _model(vocabulary: int, settings: Settings) -> Any:
    size = settings["embed_dim"]
    shared = {"vocab_size": vocabulary, "embed_dim": size, "shared_with": "item"}
    return YoutubeDNN(
        [SequenceFeature("history", pooling="mean", padding_idx=0, **shared)],
        [SparseFeature("item", vocab_size=vocabulary, embed_dim=size)],
        [SequenceFeature("others", pooling="concat", **shared)],
        user_params={"dims": [128, 64, size]},
        temperature=settings["temperature"],
    )


def _scores(model: Any, histories: Histories, known: Integers, items: int) -> Any:
    history_BL = np.zeros((len(histories), _LENGTH), np.int64)
    for row, taken in enumerate(histories):
        last = taken[: -_LENGTH - 1 : -1] + 1
        history_BL[row, : len(last)] = last
    with torch.no_grad():
        model.mode = "user"
        user_BD = model({"history": torch.from_numpy(history_BL)})
        model.mode = "item"
        item_KD = model({"item": torch.from_numpy(known + 1)})
        model.mode = None
    scores_BV = np.full((len(histories), items), -np.inf, np.float32)
    scores_BV[:, known] = (user_BD @ item_KD.T).numpy()
    return scores_BV


PEERS = (
    Peer(
        "torch-rechub/youtube_dnn",
        "torch-rechub",
        fit_youtube,
        {
            "embed_dim": 16,
            "temperature": 0.02,
            "neg_ratio": 3,
            "lr": 1e-4,
            "weight_decay": 1e-6,
            "batch_size": 2048,
            "n_epoch": 5,
        },
        {
            "embed_dim": (16, 32, 64),
            "temperature": (0.02, 0.05, 0.1, 0.2),
            "neg_ratio": (3, 20, 100),
            "lr": (3e-4, 1e-3, 3e-3),
            "batch_size": (256, 1024, 2048),
            "n_epoch": (5, 20),
        },
        note="options of the library's tutorial stand for defaults, which it does not have",
    ),
)

if __name__ == "__main__":
    contest(PEERS)
