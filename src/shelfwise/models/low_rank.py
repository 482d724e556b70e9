"""Low-rank updates beside frozen weights: LoRA and AdaLoRA, by the library peft.

A weight W learns as ``W + s B A`` (LoRA; Hu et al., 2021, arXiv:2106.09685), or as
``W + s B diag(E) A`` with a budget of ranks that goes where it matters (AdaLoRA; Zhang et al.,
2023, arXiv:2303.10512). Both are linear, so a saved encoder has them merged: it is as plain and as
fast as before.

Shape suffixes in this file: R = ranks of an update.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from shelfwise.models.config import AdaLora, Lora

_ATTENTION = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
)
_FEED_FORWARD = ("intermediate.dense", "output.dense")
# peft's own name for the only adapter a model has.
_ADAPTER = "default"
# AdaLoRA's schedule: ranks stay whole for the first tenth of the steps, as they ended for the last
# three, and are allotted anew a hundred times at most in between.
_WHOLE_SHARE = 0.1
_FINAL_SHARE = 0.3
_ALLOTMENTS = 100
_UNKNOWN_TOTAL = 10**9  # peft wants to know the steps at once; we are told with the first


def add_lora(model: nn.Module, layers: Iterable[nn.Module], options: Lora) -> None:
    """Let low-rank updates of ``layers`` learn, and nothing else of ``model``.

    At first they are 0. ``layers`` must be frozen.
    """
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        target_modules=_exactly(_linear_names(model, layers, options)),
    )
    inject_adapter_in_model(config, model)


def add_adalora(model: nn.Module, layers: Iterable[nn.Module], options: AdaLora) -> AdaptiveRanks:
    """As `add_lora`, with ranks that are to be allotted after each step."""
    from peft import AdaLoraConfig, AdaLoraModel

    config = AdaLoraConfig(
        init_r=options.first_rank,
        target_r=options.rank,
        lora_alpha=options.alpha,
        target_modules=_exactly(_linear_names(model, layers, options)),
        orth_reg_weight=options.orthogonality,
        total_step=_UNKNOWN_TOTAL,
    )
    tuner = AdaLoraModel(model, config, _ADAPTER)  # type: ignore[no-untyped-call]
    return AdaptiveRanks(tuner)


class AdaptiveRanks:
    """Which ranks of AdaLoRA are kept: their importance is followed, their number shrinks."""

    def __init__(self, tuner: Any) -> None:
        self._tuner = tuner
        self._config = tuner.peft_config[_ADAPTER]
        self._allocator = tuner.rankallocator

    def penalty(self) -> Tensor | None:
        """How far the updates' A and B are from orthogonal, times its weight.

        peft adds it to a model's own loss; an encoder has none. None where nothing learns any more.
        """
        distances = []
        for name, matrix in self._tuner.model.named_parameters():
            if matrix.requires_grad and ("lora_A" in name or "lora_B" in name):
                gram_RR = matrix @ matrix.T if "lora_A" in name else matrix.T @ matrix
                distances.append((gram_RR - torch.eye(len(gram_RR), device=matrix.device)).norm())
        if not distances:
            return None
        mean: Tensor = self._config.orth_reg_weight * torch.stack(distances).mean()
        return mean

    def after_step(self, step: int, total: int) -> None:
        """Follow the gradients of ``step`` (from 1) and set to 0 the ranks that are over budget."""
        final = int(_FINAL_SHARE * total)
        self._config.total_step = total
        self._config.tinit = int(_WHOLE_SHARE * total)
        self._config.tfinal = final
        self._config.deltaT = max(1, total // _ALLOTMENTS)
        if step < total - final:
            if self._has_gradients():  # a step without texts teaches nothing about them
                self._tuner.update_and_allocate(step)
        elif self._allocator.exp_avg_ipt or self._config.rank_pattern:
            self._tuner.update_and_allocate(step)

    def ranks(self) -> dict[str, int]:
        """How many ranks of each weight are not 0."""
        return {
            name.removesuffix(f".lora_E.{_ADAPTER}"): int((values != 0).sum())
            for name, values in self._tuner.model.named_parameters()
            if "lora_E" in name
        }

    def memory(self) -> dict[str, Tensor]:
        """What a resumed training must know beside the weights."""
        allocator = self._allocator
        kept = self._config.rank_pattern or {}
        return (
            {f"importance/{name}": value for name, value in allocator.exp_avg_ipt.items()}
            | {f"uncertainty/{name}": value for name, value in allocator.exp_avg_unc.items()}
            | {f"kept/{name}": torch.tensor(value) for name, value in kept.items()}
        )

    def remember(self, memory: Mapping[str, Tensor]) -> None:
        """Go on from what `memory` told."""
        found: dict[str, dict[str, Tensor]] = {"importance": {}, "uncertainty": {}, "kept": {}}
        for key, value in memory.items():
            kind, _, name = key.partition("/")
            found[kind][name] = value
        self._allocator.exp_avg_ipt = found["importance"]
        self._allocator.exp_avg_unc = found["uncertainty"]
        self._allocator.ipt = {n: torch.zeros_like(v) for n, v in found["importance"].items()}
        kept = {name: value.tolist() for name, value in found["kept"].items()}
        self._config.rank_pattern = kept or None

    def _has_gradients(self) -> bool:
        return all(
            parameter.grad is not None
            for name, parameter in self._tuner.model.named_parameters()
            if "lora_" in name
        )


def plain_weights(model: nn.Module) -> dict[str, Tensor]:
    """An encoder's weights under the names they had before tuning, low-rank updates merged."""
    weights: dict[str, Tensor] = model.state_dict()
    if not any(".base_layer." in name for name in weights):
        return weights
    from peft.tuners.tuners_utils import BaseTunerLayer

    with torch.no_grad():
        for name, module in model.named_modules():
            if isinstance(module, BaseTunerLayer):
                weight = f"{name}.base_layer.weight"
                delta: Tensor = module.get_delta_weight(_ADAPTER)  # type: ignore[attr-defined]
                weights[weight] = weights[weight] + delta
    return {
        name.replace(".base_layer.", "."): value
        for name, value in weights.items()
        if ".lora_" not in name and ".ranknum." not in name
    }


def _linear_names(
    model: nn.Module, layers: Iterable[nn.Module], options: Lora | AdaLora
) -> list[str]:
    parts = _ATTENTION if options.parts == "attention" else _ATTENTION + _FEED_FORWARD
    wanted = {id(layer.get_submodule(part)) for layer in layers for part in parts}
    return [name for name, module in model.named_modules() if id(module) in wanted]


def _exactly(names: list[str]) -> str:
    # A list would be read as endings: "output.dense" is the end of "attention.output.dense" too.
    return "|".join(map(re.escape, names))
