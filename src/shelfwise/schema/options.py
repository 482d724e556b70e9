"""What all configuration has in common: immutable, strict, and able to explain itself."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails


class Options(BaseModel):
    """Base of every configuration: immutable, and a misspelt key is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )


def explain(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line for each thing wrong: where, what was found, the rule and, if known, the way out."""
    return [_explain_one(problem, model) for problem in error.errors()]


def _explain_one(problem: ErrorDetails, model: type[BaseModel]) -> str:
    path = problem["loc"]
    where = ".".join(map(str, path)) or "(whole file)"
    if problem["type"] == "union_tag_not_found":
        tag = problem["ctx"]["discriminator"].strip("'")
        kinds = [member.model_fields[tag].default for member in _models_at(model, path)]
        return f"  {where}: {tag} must be given too: one of {', '.join(kinds)}"
    if problem["type"] != "extra_forbidden":
        found = "" if isinstance(problem["input"], dict) else f" (found {problem['input']!r})"
        return f"  {where}: {problem['msg'].removeprefix('Value error, ')}{found}"
    names = [name for member in _models_at(model, path[:-1]) for name in member.model_fields]
    near = get_close_matches(str(path[-1]), names, n=1)
    return f"  {where}: unknown option" + (f"; did you mean {near[0]}?" if near else "")


def _models_at(model: type[BaseModel], path: Sequence[int | str]) -> list[type[BaseModel]]:
    """Models that could stand at ``path``; a union's tag in the path picks its member."""
    candidates = [model]
    for step in path:
        inner = [
            found
            for candidate in candidates
            if step in candidate.model_fields
            for found in models_in(candidate.model_fields[str(step)].annotation)
        ]
        tagged = [candidate for candidate in candidates if _has_tag(candidate, step)]
        candidates = inner or tagged or candidates
    return candidates


def _has_tag(model: type[BaseModel], tag: int | str) -> bool:
    return any(
        get_origin(field.annotation) is Literal and field.default == tag
        for field in model.model_fields.values()
    )


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The pydantic models an annotation names, through unions, tuples and Annotated."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return [annotation] if issubclass(annotation, BaseModel) else []
    if get_origin(annotation) in (Union, UnionType) or get_args(annotation):
        return [model for part in get_args(annotation) for model in models_in(part)]
    return []
