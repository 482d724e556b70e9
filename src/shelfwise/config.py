"""shop.toml as a whole: the sections of every package, read and explained in one place."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from shelfwise.data.config import DataOptions
from shelfwise.evaluation.attacks.config import AttackOptions
from shelfwise.evaluation.config import EvaluateOptions
from shelfwise.models.config import ModelOptions
from shelfwise.ranking.config import RankOptions
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.options import explain, models_in
from shelfwise.serving.config import ServeOptions
from shelfwise.training.adaptation.options import AdaptationOptions, NoAdaptation
from shelfwise.training.config import TrainOptions
from shelfwise.training.tasks_config import TaskOptions
from shelfwise.tuning.config import TuneOptions

SHOP_TOML = "shop.toml"


class ShopConfig(DataOptions):
    """Every option of Shelfwise; the sections stand beside what they configure."""

    model: ModelOptions = ModelOptions()
    adaptation: AdaptationOptions = NoAdaptation()
    tasks: TaskOptions = TaskOptions()
    train: TrainOptions = TrainOptions()
    evaluate: EvaluateOptions = EvaluateOptions()
    attack: AttackOptions = AttackOptions()
    tune: TuneOptions = TuneOptions()
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
            raw = tomllib.loads(file.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: not valid TOML: {error}") from error
    return validated(raw, settings, str(file))


def validated(raw: Mapping[str, Any], settings: Sequence[str], where: str) -> ShopConfig:
    """A configuration from plain values and settings; ``where`` names their source in errors."""
    merged = _merged(raw, {})
    tags_first = sorted(settings, key=lambda setting: not _is_tag(_keys(setting)))
    problems = [problem for setting in tags_first for problem in _apply(merged, setting)]
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
    keys, text = _keys(setting), setting.partition("=")[2].strip()
    options = option_paths()
    if "=" not in setting or not all(keys) or (len(keys) == 1 and keys[0] not in options):
        near = [option for option in options if keys[0] and option.endswith(f".{keys[0]}")]
        hint = f"; did you mean {near[0]}?" if near else ""
        return [f"  --set {setting}: write it as section.key=value{hint}"]
    target = raw
    for key in keys[:-1]:
        target = target.setdefault(key, {})
        if not isinstance(target, dict):
            return [f"  --set {setting}: {key} is a value, not a section"]
    value = _toml_value(text)
    if _is_tag(keys) and target.get(keys[-1]) != value:
        target.clear()  # the options of another kind mean nothing to this one
    target[keys[-1]] = value
    return []


def _keys(setting: str) -> list[str]:
    return [key.strip() for key in setting.partition("=")[0].split(".")]


def _is_tag(keys: Sequence[str]) -> bool:
    """Whether the option says which kind of a union its section is."""
    models: list[type[BaseModel]] = [ShopConfig]
    tag = None
    for key in keys[:-1]:
        fields = [model.model_fields[key] for model in models if key in model.model_fields]
        models = [member for field in fields for member in models_in(field.annotation)]
        tag = fields[0].discriminator if fields else None
    return tag == keys[-1]


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
    return "\n".join([*lines, "", *_options("", config)]) + "\n"


def _options(path: str, options: BaseModel, tag: str | None = None) -> list[str]:
    """Lines of a section: first its own options, as TOML wants, then the sections inside it."""
    own: list[str] = []
    inner: list[str] = []
    for name, field in type(options).model_fields.items():
        value = getattr(options, name)
        if isinstance(value, BaseModel):
            inner += _section(f"{path}.{name}".lstrip("."), field, value)
        elif name != tag:
            own += _option(name, field, value)
    return own + inner


def _section(path: str, field: FieldInfo, options: BaseModel) -> list[str]:
    summary = (type(options).__doc__ or "").strip().splitlines()[0]
    lines = ["", f"[{path}]", f"# {summary}"]
    tag = field.discriminator
    if isinstance(tag, str):
        kinds = [member.model_fields[tag].default for member in models_in(field.annotation)]
        # Always active: a section without it could not be read.
        lines += [f"# One of: {', '.join(kinds)}", f"{tag} = {_as_toml(getattr(options, tag))}"]
    return lines + _options(path, options, tag if isinstance(tag, str) else None)


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
        pairs = [f"{_as_toml(k)} = {_as_toml(v)}" for k, v in value.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, datetime):
        return value.isoformat()
    # A JSON string is a TOML one, but for the one control character that JSON leaves bare.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


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
