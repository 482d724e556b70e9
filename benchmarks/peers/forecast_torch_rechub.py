"""Torch-RecHub's multi-task models on ids: ESMM, MMoE, PLE, shared bottom.

Run by the interpreter of `.venv-peers/torch_rechub`; how, says contest.py, what is asked, pairs.py.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from contest import Clock, Fitted, Pace, Peer, Settings, contest
from pairs import PairTask, Rows, read_pairs
from torch_rechub.basic.features import SparseFeature
from torch_rechub.models.multi_task import ESMM, MMOE, PLE, SharedBottom
from torch_rechub.trainers import MTLTrainer
from torch_rechub.utils.data import TorchDataset
from until import Until

_TASKS = ["classification", "classification"]
_ROWS = 100_000  # forecast at once


def esmm(features: list[Any], settings: Settings) -> Any:
    """Of the entire space (Ma et al., 2018): conversion, click, and their product."""
    tower = _layers(settings)
    return ESMM(features[:1], features[1:], cvr_params=tower, ctr_params=tower)


def mmoe(features: list[Any], settings: Settings) -> Any:
    """Experts with a gate for each task (Ma et al., 2018)."""
    experts = settings["experts"]
    return MMOE(features, _TASKS, experts, _expert(settings), [_layers(settings)] * 2)


def ple(features: list[Any], settings: Settings) -> Any:
    """Experts of each task beside shared ones (Tang et al., 2020)."""
    experts = settings["experts"]
    towers = [_layers(settings)] * 2
    return PLE(features, _TASKS, 1, experts, experts, _expert(settings), towers)


def shared_bottom(features: list[Any], settings: Settings) -> Any:
    """One network with a tower for each task (Caruana, 1997)."""
    return SharedBottom(features, _TASKS, _expert(settings), [_layers(settings)] * 2)


def fit_multi_task(model_of: Callable[[list[Any], Settings], Any]) -> Callable[..., Fitted]:
    """A fit by the library's own trainer; all but ESMM learn cart and purchase of every row."""

    def fit(task: PairTask, rows: Rows, settings: Settings, clock: Clock) -> Fitted:
        torch.manual_seed(clock.seed)
        size = settings["embed_dim"]
        features = [
            SparseFeature("user", vocab_size=task.users, embed_dim=size),
            SparseFeature("item", vocab_size=task.items, embed_dim=size),
        ]
        model = model_of(features, settings)
        entire = model_of is esmm
        until = Until(_batches(rows, entire, settings, clock.seed), Pace(clock))
        tasks = _TASKS + ["classification"] * entire
        done = _train(model, tasks, until, settings)
        note = f"stopped by the time in epoch {done} of {settings['n_epoch']}"
        return Fitted(
            lambda asked: _forecast(model, asked, entire),
            {"n_epoch": done},
            note if until.stopped else "",
        )

    return fit


def _train(model: Any, tasks: list[str], until: Until, settings: Settings) -> int:
    optimizer = {"lr": settings["lr"], "weight_decay": settings["weight_decay"]}
    trainer = MTLTrainer(model, task_types=tasks, optimizer_params=optimizer)
    done = 0
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        while done < settings["n_epoch"] and not until.stopped:
            trainer.train_one_epoch(until)
            done += 1
    model.eval()
    return done


def _batches(rows: Rows, entire: bool, settings: Settings, seed: int) -> Any:
    # ESMM's order is conversion, click, both; the first is not trained on.
    labels = [rows.bought_N] * entire + [rows.cart_N, rows.bought_N]
    return torch.utils.data.DataLoader(
        TorchDataset({"user": rows.user_N, "item": rows.item_N}, np.stack(labels, axis=1)),
        batch_size=settings["batch_size"],
        shuffle=True,
        drop_last=len(rows) > settings["batch_size"],  # its batch norm fails on a batch of one
        generator=torch.Generator().manual_seed(seed),
    )


def _forecast(model: Any, rows: Rows, entire: bool) -> Any:
    parts = []
    with torch.no_grad():
        for start in range(0, len(rows), _ROWS):
            ids = {
                "user": torch.from_numpy(rows.user_N[start : start + _ROWS]),
                "item": torch.from_numpy(rows.item_N[start : start + _ROWS]),
            }
            parts.append(model(ids).numpy())
    shown = np.concatenate(parts)
    if entire:
        return shown[:, [1, 0]]
    cart_N, bought_N = shown[:, 0], shown[:, 1]
    return np.stack([cart_N, np.minimum(bought_N / np.maximum(cart_N, 1e-7), 1)], axis=1)


def _layers(settings: Settings) -> Mapping[str, Any]:
    return {"dims": [settings["tower"]], "dropout": settings["dropout"]}


def _expert(settings: Settings) -> Mapping[str, Any]:
    return {"dims": [settings["hidden"]], "dropout": settings["dropout"]}


def _peer(model_of: Callable[[list[Any], Settings], Any]) -> Peer:
    return Peer(
        f"torch-rechub/{model_of.__name__}",
        "torch-rechub",
        fit_multi_task(model_of),
        {
            "embed_dim": 16,
            "hidden": 16,
            "tower": 8,
            "experts": 8,
            "dropout": 0.0,
            "lr": 1e-3,
            "weight_decay": 1e-4,
            "batch_size": 2048,
            "n_epoch": 1,
        },
        {
            "embed_dim": (8, 16, 32),
            "hidden": (16, 64),
            "tower": (8, 32),
            "dropout": (0.0, 0.2),
            "weight_decay": (1e-6, 1e-5, 1e-4),
            "n_epoch": (1, 2, 5),
        },
        note="options of the library's examples stand for defaults, which it does not have",
    )


PEERS = tuple(map(_peer, (esmm, mmoe, ple, shared_bottom)))

if __name__ == "__main__":
    contest(PEERS, read_pairs)
