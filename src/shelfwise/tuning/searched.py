"""Which options a search looks at: those with a dimension beside them, asked for and narrowed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from shelfwise.schema.errors import ConfigError
from shelfwise.schema.options import models_in
from shelfwise.schema.search import Dimension, Pick, Span, Value
from shelfwise.tuning.space import Axis, Space

_RULES = (list, tuple, Mapping)  # what else stands in a narrowing is fixed


def axes_of(base: BaseModel) -> list[Axis]:
    """Every option of a configuration with a dimension beside it; its values are the defaults."""
    found = list(_axes(type(base), "", (), base))
    paths = [axis.path for axis in found]
    return [
        replace(axis, name=f"{axis.path}@{axis.when[-1][1]}")
        if paths.count(axis.path) > 1
        else axis
        for axis in found
    ]


def searched_space(
    base: BaseModel, wanted: Sequence[str], narrowed: Mapping[str, Any] | None = None
) -> Space:
    """The axes that are asked for, narrowed, as far as they can apply.

    Args:
        base: the setting that is searched from; its own values are always inside.
        wanted: options as section.key, or sections.
        narrowed: by section.key: ``[a, b, ...]``, ``{low, high, log}``, or one value that is fixed.

    Raises:
        ConfigError: an option is unknown or not to be searched, or a narrowing is none; all at
            once.
    """
    every, narrowed = axes_of(base), narrowed or {}
    paths = {axis.path for axis in every}
    unknown = [name for name in wanted if not _chosen(every, [name])]
    unknown += [name for name in narrowed if name not in paths]
    if unknown:
        raise ConfigError("\n".join(["tune:", *(_unknown(name, every) for name in unknown)]))
    problems: list[str] = []
    fixed = {path: rule for path, rule in narrowed.items() if not isinstance(rule, _RULES)}
    found: list[Axis] = []
    for axis in _chosen(every, [*wanted, *narrowed]):
        rule = narrowed.get(axis.path)
        if axis.path in fixed:
            continue
        try:
            dimension = axis.dimension if rule is None else _narrowed(rule, axis.dimension)
            found.append(replace(axis, dimension=_with(dimension, axis.default)))
        except (TypeError, ValueError) as error:
            problems.append(f"  tune.space.{axis.path}: {error}")
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)))
    reachable = tuple(_reachable(found, base, fixed))
    if not reachable:
        needs = dict.fromkeys(f"{path} = {kind}" for axis in found for path, kind in axis.when)
        reason = f"; what is asked for needs one of: {', '.join(needs)}" if needs else ""
        raise ConfigError(f"tune: nothing is left to be searched{reason}")
    return Space(reachable)


def fixed_settings(narrowed: Mapping[str, Any]) -> list[str]:
    """``section.key=value`` of what a narrowing fixes."""
    return [
        f"{path}={json.dumps(rule)}"
        for path, rule in narrowed.items()
        if not isinstance(rule, _RULES)
    ]


def _axes(
    model: type[BaseModel], path: str, when: tuple[tuple[str, Value], ...], values: Any
) -> Iterator[Axis]:
    for name, field in model.model_fields.items():
        here = f"{path}{name}"
        value = getattr(values, name, field.get_default(call_default_factory=True))
        dimension = next((one for one in field.metadata if isinstance(one, Span | Pick)), None)
        members = models_in(field.annotation)
        if not members:
            if dimension is not None:
                yield Axis(here, here, dimension, value, when)
            continue
        tag = field.discriminator if isinstance(field.discriminator, str) else None
        if tag is not None and dimension is not None:
            yield Axis(f"{here}.{tag}", f"{here}.{tag}", dimension, getattr(value, tag), when)
        for member in members:
            # A plain section has no kinds, and its options apply as it does.
            kind = () if tag is None else ((f"{here}.{tag}", member.model_fields[tag].default),)
            inner = value if isinstance(value, member) else None
            yield from _axes(member, f"{here}.", (*when, *kind), inner)


def _chosen(axes: Sequence[Axis], names: Sequence[str]) -> list[Axis]:
    return [
        axis
        for axis in axes
        if any(axis.path == name or axis.path.startswith(f"{name}.") for name in names)
    ]


def _unknown(name: str, axes: Sequence[Axis]) -> str:
    paths = [axis.path for axis in axes]
    near = get_close_matches(name, paths, n=1) or [p for p in paths if p.endswith(f".{name}")][:1]
    hint = f"; did you mean {near[0]}?" if near else "; see shelfwise tune --show-space"
    return f"  {name}: no option that can be searched{hint}"


def _narrowed(rule: Sequence[Value] | Mapping[str, Any], dimension: Dimension) -> Dimension:
    """Of the dimension's own kind: whole where that is, of numbers where that is."""
    if not isinstance(rule, Mapping):
        return Pick(tuple(rule))
    if not {"low", "high"} <= rule.keys() <= {"low", "high", "log"}:
        raise ValueError(f"found {dict(rule)}, expected low, high and, if wanted, log")
    ends = [rule["low"], rule["high"]]
    if any(isinstance(end, bool) or not isinstance(end, int | float) for end in ends):
        raise ValueError(f"low and high must be numbers, found {ends}")
    if isinstance(dimension, Span):
        whole = dimension.is_whole
    else:
        whole = all(type(value) is int for value in dimension.values)
    if whole and any(end != int(end) for end in ends):
        raise ValueError(f"low and high must be whole numbers, found {ends}")
    low, high = (int(end) if whole else float(end) for end in ends)
    return Span(low, high, bool(rule.get("log", False)))


def _with(dimension: Dimension, value: Value) -> Dimension:
    """Wide enough for ``value``."""
    if dimension.holds(value):
        return dimension
    match dimension:
        case Span(low, high, log):
            assert isinstance(value, int | float), "a span is of numbers"
            if log and value <= 0:
                raise ValueError(f"the setting searched from has {value!r}, which log cannot reach")
            return Span(min(low, value), max(high, value), log)
        case Pick(values):
            wider = (*values, value)
            ordered = Pick(tuple(sorted(wider))) if dimension.is_ordered else None
            return ordered if ordered is not None and ordered.is_ordered else Pick(wider)


def _reachable(axes: Sequence[Axis], base: BaseModel, fixed: Mapping[str, Value]) -> Iterator[Axis]:
    """Axes whose kinds are drawn or hold anyway; only drawn ones stay as conditions."""
    drawn = {axis.path: axis.dimension for axis in axes}
    for axis in axes:
        given = [one for one in axis.when if one[0] not in drawn]
        if any(fixed.get(path, _value_at(base, path)) != kind for path, kind in given):
            continue
        left = tuple(one for one in axis.when if one[0] in drawn)
        if all(drawn[path].holds(kind) for path, kind in left):
            yield replace(axis, when=left)


def _value_at(base: BaseModel, path: str) -> Any:
    found: Any = base
    for key in path.split("."):
        found = getattr(found, key, None)
    return found
