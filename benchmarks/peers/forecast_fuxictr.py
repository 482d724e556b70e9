"""FuxiCTR's DeepFM on ids: one for carts, of all rows, and one for purchases, of carts alone.

Its package holds the layers and the training step; its models are only in its repository. This is
DeepFM of its layers, as its model zoo puts it together.

Run by the interpreter of `.venv-peers/fuxictr`; how, says contest.py, what is asked, pairs.py.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from contest import Clock, Fitted, Pace, Peer, Settings, contest
from fuxictr.features import FeatureMap
from fuxictr.pytorch.layers import FactorizationMachine, FeatureEmbedding, MLP_Block
from fuxictr.pytorch.models import BaseModel
from pairs import Integers, PairTask, Rows, read_pairs
from until import Until

_ROWS = 100_000  # forecast at once
_LABEL = "label"


class DeepFM(BaseModel):  # type: ignore[misc]  # untyped where Shelfwise is checked
    """A factorisation machine and a network on the same embeddings (Guo et al., 2017)."""

    def __init__(self, features: FeatureMap, settings: Settings) -> None:
        super().__init__(
            features,
            "DeepFM",
            embedding_regularizer=settings["embedding_regularizer"],
            net_regularizer=settings["net_regularizer"],
            verbose=0,
            model_root=".",
            metrics=["AUC"],
        )
        size = settings["embedding_dim"]
        self.embedding_layer = FeatureEmbedding(features, size)
        self.fm = FactorizationMachine(features)
        self.mlp = MLP_Block(
            input_dim=features.sum_emb_out_dim(),
            output_dim=1,
            hidden_units=settings["hidden_units"],
            dropout_rates=settings["net_dropout"],
            batch_norm=settings["batch_norm"],
        )
        self.compile("adam", "binary_crossentropy", settings["learning_rate"])
        self.reset_parameters()
        self._max_gradient_norm = 10.0  # as its fit has it, which wants validation data

    def forward(self, inputs: Any) -> Any:
        """As the library calls it."""
        ids = self.get_inputs(inputs)
        embedded = self.embedding_layer(ids)
        logit = self.fm(ids, embedded) + self.mlp(embedded.flatten(start_dim=1))
        return {"y_pred": self.output_activation(logit)}


def fit_deepfm(task: PairTask, rows: Rows, settings: Settings, clock: Clock) -> Fitted:
    """Each of the two models has half of the time."""
    half = Clock(time.monotonic() + clock.left() / 2, clock.seed)
    cart = _trained(task, rows, rows.cart_N, settings, half)
    carts = rows.carts()
    bought = _trained(task, carts, carts.bought_N, settings, clock)
    stopped = [what for what, (_, late) in {"cart": cart, "bought": bought}.items() if late]
    return Fitted(
        lambda asked: np.stack([_forecast(model, asked) for model, _ in (cart, bought)], axis=1),
        note=f"stopped by the time: {', '.join(stopped)}" if stopped else "",
    )


def _trained(
    task: PairTask, rows: Rows, label_N: Integers, settings: Settings, clock: Clock
) -> tuple[DeepFM, bool]:
    torch.manual_seed(clock.seed)
    draw = np.random.default_rng(clock.seed)
    model = DeepFM(_features(task, settings), settings)
    model.train()
    size, pace = settings["batch_size"], Pace(clock)
    for _ in range(settings["epochs"]):
        order = draw.permutation(len(rows))
        until = Until([order[at : at + size] for at in range(0, len(order), size)], pace)
        for row_B in until:
            if len(row_B) > 1:  # its batch norm fails on a batch of one
                model.train_step(_ids(rows, row_B) | {_LABEL: torch.from_numpy(label_N[row_B])})
        if until.stopped:
            return model, True
    return model, False


def _features(task: PairTask, settings: Settings) -> FeatureMap:
    features = FeatureMap(task.name, str(task.folder))
    features.labels = [_LABEL]
    features.default_emb_dim = settings["embedding_dim"]
    features.features = OrderedDict(
        (name, {"type": "categorical", "source": "", "vocab_size": size})
        for name, size in (("user", task.users), ("item", task.items))
    )
    features.num_fields = features.get_num_fields()
    features.set_column_index()
    return features


def _forecast(model: DeepFM, rows: Rows) -> Any:
    model.eval()
    with torch.no_grad():
        parts = [
            model(_ids(rows, np.arange(start, min(start + _ROWS, len(rows)))))["y_pred"]
            for start in range(0, len(rows), _ROWS)
        ]
    return torch.cat(parts).numpy().ravel()


def _ids(rows: Rows, row_B: Integers) -> dict[str, Any]:
    return {
        "user": torch.from_numpy(rows.user_N[row_B]),
        "item": torch.from_numpy(rows.item_N[row_B]),
    }


PEERS = (
    Peer(
        "fuxictr/deepfm",
        "fuxictr",
        fit_deepfm,
        {
            "embedding_dim": 10,
            "hidden_units": [64, 64, 64],
            "net_dropout": 0.0,
            "batch_norm": False,
            "learning_rate": 1e-3,
            "embedding_regularizer": None,
            "net_regularizer": None,
            "batch_size": 10_000,
            "epochs": 1,
        },
        {
            "embedding_dim": (10, 16, 32),
            "hidden_units": ([64, 64, 64], [400, 400, 400]),
            "net_dropout": (0.0, 0.1, 0.3),
            "embedding_regularizer": (None, 1e-6, 1e-5, 1e-4),
            "batch_size": (2_048, 10_000),
            "epochs": (1, 2, 5),
        },
        note="purchases are learned on carts alone",
    ),
)

if __name__ == "__main__":
    contest(PEERS, read_pairs)
