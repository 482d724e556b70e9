"""Bottleneck adapters (Houlsby et al., 2019, arXiv:1902.00751): small networks between frozen ones.

One stands behind each of a layer's two dense outputs, before the residual is added. What it does is
not linear, so it cannot be merged into the weights: a saved encoder carries it beside them.

Shape suffixes in this file: H = the encoder's width; ``...`` stands for texts and tokens.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safetensors import safe_open
from torch import Tensor, nn

from shelfwise.schema.errors import ConfigError

_NAME = "bottleneck"
_INITIAL = 0.01  # standard deviation of the way down, as in the paper


class Bottleneck(nn.Module):
    """Adds to a hidden state what a narrow two-layer network makes of it; at first, nothing."""

    def __init__(self, hidden: int, width: int) -> None:
        super().__init__()
        self.down = nn.Linear(hidden, width)
        self.up = nn.Linear(width, hidden)
        nn.init.normal_(self.down.weight, std=_INITIAL)
        for zero in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(zero)

    def forward(self, hidden_H: Tensor) -> Tensor:
        """``[..., H]`` hidden states."""
        more_H: Tensor = self.up(nn.functional.gelu(self.down(hidden_H)))
        return hidden_H + more_H


def add_bottlenecks(layers: Iterable[Any], width: int) -> list[Bottleneck]:
    """Put adapters into ``layers`` where there are none, and return those of all ``layers``.

    Raises:
        ConfigError: adapters of another width are there already.
    """
    found = []
    for layer in layers:
        for dense in (layer.attention.output.dense, layer.output.dense):
            if bottleneck_of(dense) is None:
                _attach(dense, Bottleneck(dense.out_features, width))
            found.append(bottleneck_of(dense))
    widths = {bottleneck.down.out_features for bottleneck in found}
    if widths - {width}:
        raise ConfigError(
            f"model.encoder.tuning.width: {width} asked for, the encoder's adapters have "
            f"{', '.join(map(str, sorted(widths)))}"
        )
    return found


def bottleneck_of(dense: nn.Module) -> Any:
    """The adapter behind a dense output; None where there is none."""
    return getattr(dense, _NAME, None)


def has_bottlenecks(model: nn.Module) -> bool:
    """Whether an encoder carries adapters, so that its weights alone do not tell its vectors."""
    return any(isinstance(module, Bottleneck) for module in model.modules())


def load_bottlenecks(model: nn.Module, weights: Path) -> None:
    """Give ``model`` the adapters that its file of weights holds, if any."""
    modules = dict(model.named_modules())
    with safe_open(weights, framework="pt") as file:
        names = [name for name in file.keys() if f".{_NAME}." in name]  # noqa: SIM118  # no mapping
        stored = {name: file.get_tensor(name) for name in names}
    for name, down_WH in stored.items():
        place, _, part = name.partition(f".{_NAME}.")
        if part != "down.weight" or place not in modules:  # cut off with its layer
            continue
        bottleneck = Bottleneck(down_WH.shape[1], down_WH.shape[0])
        bottleneck.load_state_dict(
            {key: stored[f"{place}.{_NAME}.{key}"] for key in bottleneck.state_dict()}
        )
        _attach(modules[place], bottleneck)


def _attach(dense: nn.Module, bottleneck: Bottleneck) -> None:
    # A hook, so that the dense layer's own weights keep the names transformers knows them by.
    dense.add_module(_NAME, bottleneck)
    dense.register_forward_hook(_through)


def _through(dense: nn.Module, _: tuple[Any, ...], out: Tensor) -> Tensor:
    # Asked of the layer and not remembered: a copied layer goes through its own copy.
    passed: Tensor = getattr(dense, _NAME)(out)
    return passed
