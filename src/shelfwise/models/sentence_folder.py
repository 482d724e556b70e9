"""The folder format of sentence-transformers: what stands there beside an encoder's own files.

``modules.json`` lists what a text goes through: the Transformer, the mean of its tokens, at most
one linear layer, unit length. That is all we build, so any other list is refused on load: run our
way, its vectors would be quietly wrong.

Shape suffixes in this file: H = width of hidden states, D = length of a vector.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from shelfwise.schema.errors import ConfigError

_MODULES = "modules.json"
_SETTINGS = "config_sentence_transformers.json"
_THEIRS = "sentence_transformers.models."
_IDENTITY = "torch.nn.modules.linear.Identity"


def write_sentence_folder(
    folder: Path,
    width: int,
    linear: Mapping[str, Tensor] | None,
    prompts: Mapping[str, str],
    *,
    plain: bool,
) -> None:
    """Make a folder with an encoder's weights one that sentence-transformers loads.

    Args:
        folder: where config.json and model.safetensors are.
        width: H, of the hidden states.
        linear: ``weight`` ``[D, H]`` and perhaps ``bias`` that the mean of a text's tokens goes
            through; None for nothing.
        prompts: what is written before a text, by the role it plays.
        plain: False where the weights alone do not tell the vectors. The list then names a class
            of ours, which sentence-transformers refuses instead of computing others.
    """
    kinds = ["Pooling", *([] if linear is None else ["Dense"]), "Normalize"]
    paths = ["", *(f"{place}_{kind}" for place, kind in enumerate(kinds, start=1))]
    first = f"{_THEIRS}Transformer" if plain else "shelfwise.models.text_encoder.TextEncoder"
    types = [first, *(_THEIRS + kind for kind in kinds)]
    modules = [
        {"idx": place, "name": str(place), "path": path, "type": type_}
        for place, (path, type_) in enumerate(zip(paths, types, strict=True))
    ]
    for path in paths[1:]:
        (folder / path).mkdir()
    _write(folder / _MODULES, modules)
    # As releases before 5 spell it; later ones read both.
    pooling = {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True}
    _write(folder / paths[1] / "config.json", pooling)
    if linear is not None:
        dense = {
            "in_features": width,
            "out_features": len(linear["weight"]),
            "bias": "bias" in linear,
            "activation_function": _IDENTITY,
        }
        _write(folder / paths[2] / "config.json", dense)
        stored = {f"linear.{name}": t.detach().cpu().contiguous() for name, t in linear.items()}
        save_file(stored, folder / paths[2] / "model.safetensors")
    settings = {
        "prompts": dict(prompts),
        "default_prompt_name": None,
        "similarity_fn_name": "cosine",
    }
    _write(folder / _SETTINGS, settings)


def read_linear(folder: Path) -> dict[str, Tensor] | None:
    """``weight`` and perhaps ``bias`` of the linear layer that a folder's list has, if it has one.

    A folder without a list, as transformers saves it, has none.

    Raises:
        ConfigError: its list asks for something else than mean, linear layer and unit length.
    """
    if not (folder / _MODULES).is_file():
        return None
    modules = json.loads((folder / _MODULES).read_text(encoding="utf-8"))
    kinds = [module["type"].rpartition(".")[2] for module in modules]
    inner = kinds[2:-1] if kinds[-1] == "Normalize" else kinds[2:]
    if kinds[1:2] != ["Pooling"] or inner not in ([], ["Dense"]):
        raise ConfigError(
            f"{folder / _MODULES}: {', '.join(kinds)} found; Shelfwise runs Transformer, Pooling, "
            "at most one Dense, Normalize"
        )
    _check_pooling(folder / modules[1]["path"] / "config.json")
    return _dense(folder / modules[2]["path"]) if inner else None


def _check_pooling(path: Path) -> None:
    pooling: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    # By name since release 5, before that a flag for each.
    named = pooling.get("pooling_mode", [])
    flags = [
        key.removeprefix("pooling_mode_").removesuffix("s").removesuffix("_token")
        for key, value in pooling.items()
        if key.startswith("pooling_mode_") and value
    ]
    found = flags + ([named] if isinstance(named, str) else list(named))
    if found != ["mean"]:
        raise ConfigError(
            f"{path}: vectors are made by {', '.join(found)}; Shelfwise takes the mean of a text's "
            f"tokens. To fine-tune it that way, use a copy without {_MODULES}"
        )


def _dense(folder: Path) -> dict[str, Tensor]:
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if settings.get("activation_function") != _IDENTITY or settings.get("use_residual"):
        raise ConfigError(
            f"{folder / 'config.json'}: a linear layer with {settings.get('activation_function')}; "
            "Shelfwise runs it plain"
        )
    stored = load_file(folder / "model.safetensors")
    return {name.removeprefix("linear."): value for name, value in stored.items()}


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
