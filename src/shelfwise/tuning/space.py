"""Where a search looks: what stands beside the options, narrowed, with what holds only at times.

An option inside one kind of a union, such as the radius of an adversary, is drawn only where that
kind is: where the search drew it, or where the setting that is searched from has it.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Protocol

from pydantic import BaseModel

from shelfwise.schema.errors import ConfigError
from shelfwise.schema.options import models_in
from shelfwise.schema.search import Dimension, Pick, Span, Value

Params = Mapping[str, Value]
_RULES = (list, tuple, Mapping)  # what else stands in a narrowing is fixed


class Suggesting(Protocol):
    """The part of an Optuna trial that draws."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = ...) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = ...) -> int: ...

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Axis:
    """One option that can be searched."""

    name: str  # unique: its path, and the kind it belongs to where several kinds have it
    path: str  # section.key
    dimension: Dimension
    default: Value
    when: tuple[tuple[str, Value], ...] = ()  # kinds, by the path of the option that says which

    def applies(self, known: Mapping[str, Value]) -> bool:
        """Whether it means something beside the values ``known`` by path."""
        return all(known.get(path) == value for path, value in self.when)


@dataclass(frozen=True, slots=True)
class Space:
    """The axes of a search, each after those it depends on."""

    axes: tuple[Axis, ...]

    def __post_init__(self) -> None:
        for axis in self.axes:
            assert axis.dimension.holds(axis.default), f"{axis.name}: {axis.default!r} lies outside"

    def suggested(self, trial: Suggesting) -> dict[str, Value]:
        """Values by axis name, drawn by a trial; only of axes that apply."""
        found: dict[str, Value] = {}
        for axis in self.applying(found):
            found[axis.name] = _drawn(axis, trial)
        return found

    def applying(self, found: Mapping[str, Value]) -> Iterator[Axis]:
        """Axes that apply, in order; ``found`` is filled by the caller on the way."""
        for axis in self.axes:
            by_path = {one.path: found[one.name] for one in self.axes if one.name in found}
            if axis.applies(by_path):
                yield axis

    def defaults(self) -> dict[str, Value]:
        """The setting that is searched from."""
        found: dict[str, Value] = {}
        for axis in self.applying(found):
            found[axis.name] = axis.default
        return found

    def at(self, place_A: Sequence[float]) -> dict[str, Value]:
        """The setting at a point of the unit cube, a number for each axis.

        What does not apply there is left out.
        """
        places = dict(zip((axis.name for axis in self.axes), place_A, strict=True))
        found: dict[str, Value] = {}
        for axis in self.applying(found):
            found[axis.name] = _value_at_place(axis.dimension, places[axis.name])
        return found

    def coded(self, params: Params) -> dict[str, Any]:
        """Values as Optuna keeps them: ordered choices by their place.

        Raises:
            ConfigError: a value lies outside; all of them are named.
        """
        known = {axis.name: axis for axis in self.axes}
        wrong = [
            f"  {name}: {value!r} " + ("is not searched" if name not in known else "lies outside")
            for name, value in params.items()
            if name not in known or not known[name].dimension.holds(value)
        ]
        if wrong:
            raise ConfigError("\n".join(["a setting lies outside the search space:", *wrong]))
        return {name: _code(known[name].dimension, value) for name, value in params.items()}

    def decoded(self, coded: Mapping[str, Any]) -> dict[str, Value]:
        """The other way."""
        known = {axis.name: axis for axis in self.axes}
        return {name: _value(known[name], code) for name, code in coded.items() if name in known}

    def settings(self, params: Params) -> list[str]:
        """``section.key=value`` for each value, as --set takes them."""
        paths = {axis.name: axis.path for axis in self.axes}
        return [f"{paths[name]}={json.dumps(value)}" for name, value in params.items()]

    def grid(self, most: int) -> list[dict[str, Value]]:
        """At most so many settings that lie evenly: every axis at as many values as there is room
        for, the earlier axes first.
        """
        levels = [1] * len(self.axes)
        full = [_most_levels(axis.dimension, most) for axis in self.axes]
        while open_axes := [
            place
            for place, level in enumerate(levels)
            if level < full[place] and math.prod(levels) // level * (level + 1) <= most
        ]:
            levels[min(open_axes, key=lambda place: levels[place])] += 1
        places = [[(at + 0.5) / level for at in range(level)] for level in levels]
        found = [self.at(point) for point in itertools.product(*places)]
        return [one for at, one in enumerate(found) if one not in found[:at]]

    def ends(self) -> list[list[str]]:
        """Settings that put each axis at each of its ends or choices, with the kinds it needs.

        Whoever knows the options can find out whether they take all that may be drawn.
        """
        found = []
        for axis in self.axes:
            match axis.dimension:
                case Pick(values):
                    tried: tuple[Value, ...] = values
                case Span(low, high):
                    tried = (low, high)
            kinds = [f"{path}={json.dumps(kind)}" for path, kind in axis.when]
            found += [[*kinds, f"{axis.path}={json.dumps(value)}"] for value in tried]
        return found

    def as_json(self) -> list[dict[str, Any]]:
        """Plain values, for a study's plan."""
        return [
            {
                "name": axis.name,
                "default": axis.default,
                **_plain(axis.dimension),
                **({"when": dict(axis.when)} if axis.when else {}),
            }
            for axis in self.axes
        ]


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


def _drawn(axis: Axis, trial: Suggesting) -> Value:
    match axis.dimension:
        case Span(low, high, log) as span if span.is_whole:
            return trial.suggest_int(axis.name, int(low), int(high), log=log)
        case Span(low, high, log):
            return _value(axis, trial.suggest_float(axis.name, low, high, log=log))
        case Pick(values) as pick if pick.is_ordered:
            return values[trial.suggest_int(axis.name, 0, len(values) - 1)]
        case Pick(values):
            drawn: Value = trial.suggest_categorical(axis.name, values)
            return drawn


def _value_at_place(dimension: Dimension, place: float) -> Value:
    match dimension:
        case Pick(values):
            return values[min(len(values) - 1, int(place * len(values)))]
        case Span(low, high, log) as span:
            if span.is_whole and not log:
                return min(int(high), int(low + place * (high - low + 1)))
            value = low * (high / low) ** place if log else low + (high - low) * place
            return round(value) if span.is_whole else _readable(value, low, high)


def _code(dimension: Dimension, value: Value) -> Any:
    if isinstance(dimension, Pick) and dimension.is_ordered:
        return dimension.values.index(value)
    return value


def _value(axis: Axis, code: Any) -> Value:
    dimension = axis.dimension
    if isinstance(dimension, Pick) and dimension.is_ordered:
        return dimension.values[int(code)]
    if isinstance(dimension, Span) and not dimension.is_whole and code != axis.default:
        return _readable(float(code), dimension.low, dimension.high)
    found: Value = code
    return found


def _readable(value: float, low: float, high: float) -> float:
    """To four digits: nothing depends on the fifth, and people copy it."""
    return min(high, max(low, float(f"{value:.4g}")))


def _most_levels(dimension: Dimension, most: int) -> int:
    match dimension:
        case Pick(values):
            return len(values)
        case Span(low, high) as span:
            return int(high - low + 1) if span.is_whole else most


def _plain(dimension: Dimension) -> dict[str, Any]:
    match dimension:
        case Pick(values):
            return {"values": list(values)}
        case Span(low, high, log):
            return {"low": low, "high": high, "log": log}
