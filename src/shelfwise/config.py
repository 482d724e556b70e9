"""shop.toml as a whole: the sections of every package, read and explained in one place."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from shelfwise.data.config import DataOptions
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.models.config import ModelOptions
from shelfwise.ranking.config import RankOptions
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.options import explain, models_in
from shelfwise.serving.config import ServeOptions
from shelfwise.training.config import TrainOptions

SHOP_TOML = "shop.toml"


class ShopConfig(DataOptions):
    """Every option of Shelfwise; the sections stand beside what they configure."""

    model: ModelOptions = ModelOptions()
    train: TrainOptions = TrainOptions()
    evaluate: EvaluateOptions = EvaluateOptions()
    rank: RankOptions = RankOptions()
    serve: ServeOptions = ServeOptions()


def load_config(shop: Path, settings: Sequence[str] = ()) -> ShopConfig:
    """Read ``shop``'s shop.toml (defaults where it has none), with ``section.key=value`` on top.

    Raises:
        ConfigError: the file is no TOML, or options are wrong; all of them are listed.
    """
    file = shop / SHOP_TOML
    raw: dict[str, Any] = {}
    if file.is_file():
        try:
            raw = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: not valid TOML: {error}") from error
    return validated(raw, settings, str(file))


def validated(raw: Mapping[str, Any], settings: Sequence[str], where: str) -> ShopConfig:
    """A configuration from plain values and settings; ``where`` names their source in errors."""
    merged = _merged(raw, {})
    problems = [problem for setting in settings for problem in _apply(merged, setting)]
    try:
        config = ShopConfig.model_validate(merged)
    except ValidationError as error:
        problems += explain(error, ShopConfig)
    if problems:
        source = f"{where} and --set" if settings else where
        raise ConfigError("\n".join([f"{source}:", *problems]))
    return config


def _merged(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Nested copy of ``low`` with ``high`` on top."""
    both = dict(low)
    for key, value in high.items():
        inner = both.get(key)
        nested = isinstance(value, Mapping) and isinstance(inner, Mapping)
        both[key] = _merged(inner, value) if nested else value  # type: ignore[arg-type]  # checked
    return {k: _merged(v, {}) if isinstance(v, Mapping) else v for k, v in both.items()}


def _apply(raw: dict[str, Any], setting: str) -> list[str]:
    """Put one ``section.key=value`` into ``raw``; the value is read as TOML, else as a word."""
    path, equals, text = setting.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys) or len(keys) < 2:
        return [f"  --set {setting}: write it as section.key=value"]
    target = raw
    for key in keys[:-1]:
        target = target.setdefault(key, {})
        if not isinstance(target, dict):
            return [f"  --set {setting}: {key} is a value, not a section"]
    target[keys[-1]] = _toml_value(text.strip())
    return []


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def commented(config: ShopConfig) -> str:
    """A shop.toml with every option, its meaning and its default; set ones are active lines."""
    lines = [
        "# shop.toml: what Shelfwise is told about this shop.",
        "# A line without # is set; the others show the defaults. `--set section.key=value` on any",
        "# command goes over this file.",
    ]
    for name, field in ShopConfig.model_fields.items():
        value = getattr(config, name)
        if isinstance(value, BaseModel):
            lines += _section(name, value)
        else:
            lines += ["", *_option(name, field, value)]
    return "\n".join(lines) + "\n"


def _section(path: str, options: BaseModel) -> list[str]:
    summary = (type(options).__doc__ or "").strip().splitlines()[0]
    lines, inner = ["", f"[{path}]", f"# {summary}"], []
    for name, field in type(options).model_fields.items():
        value = getattr(options, name)
        if isinstance(value, BaseModel):
            inner += _section(f"{path}.{name}", value)
        else:
            lines += _option(name, field, value)
    return lines + inner


def _option(name: str, field: FieldInfo, value: Any) -> list[str]:
    changed = value != field.get_default(call_default_factory=True)
    meaning = " ".join((field.description or "").split())
    shown = "" if value is None else f" {_as_toml(value)}"
    line = f"{'' if changed else '# '}{name} ={shown}"
    return [f"# {meaning}", line] if meaning else [line]


def _as_toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_as_toml, value)) + "]"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f'"{k}" = {_as_toml(v)}' for k, v in value.items()) + " }"
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def option_paths() -> list[str]:
    """Every option as ``section.key``, unions by each of their members."""
    return list(dict.fromkeys(_paths("", ShopConfig)))


def _paths(prefix: str, model: type[BaseModel]) -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        members = models_in(field.annotation)
        if members:
            found += [path for member in members for path in _paths(f"{prefix}{name}.", member)]
        else:
            found.append(f"{prefix}{name}")
    return found
