"""Where a search looks: options with their dimensions, and what holds only at times.

An option inside one kind of a union, such as the radius of an adversary, is drawn only where that
kind is: where the search drew it, or where the setting that is searched from has it.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shelfwise.schema.errors import ConfigError
from shelfwise.schema.search import Dimension, Pick, Span, Value

Params = Mapping[str, Value]


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

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "default": self.default,
            **_plain(self.dimension),
            **({"when": dict(self.when)} if self.when else {}),
        }


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
        return [axis.as_json() for axis in self.axes]


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
