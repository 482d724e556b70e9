"""What all configuration has in common: immutable, strict, and able to explain itself."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails


class Options(BaseModel):
    """Base of every configuration: immutable, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def explain(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line for each thing wrong: where, what was found, the rule and, if known, the way out."""
    return [_explain_one(problem, model) for problem in error.errors()]


def _explain_one(problem: ErrorDetails, model: type[BaseModel]) -> str:
    path = problem["loc"]
    where = ".".join(map(str, path)) or "(whole file)"
    if problem["type"] != "extra_forbidden":
        found = "" if isinstance(problem["input"], dict) else f" (found {problem['input']!r})"
        return f"  {where}: {problem['msg'].removeprefix('Value error, ')}{found}"
    near = get_close_matches(str(path[-1]), _fields_at(model, path[:-1]), n=1)
    return f"  {where}: unknown option" + (f"; did you mean {near[0]}?" if near else "")


def _fields_at(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """Names that could stand at ``path``; a union's tag in the path picks its member."""
    candidates = [model]
    for step in path:
        inner = [
            found
            for candidate in candidates
            if step in candidate.model_fields
            for found in models_in(candidate.model_fields[str(step)].annotation)
        ]
        candidates = inner or candidates
    return [name for candidate in candidates for name in candidate.model_fields]


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The pydantic models an annotation names, through unions, tuples and Annotated."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return [annotation] if issubclass(annotation, BaseModel) else []
    if get_origin(annotation) in (Union, UnionType) or get_args(annotation):
        return [model for part in get_args(annotation) for model in models_in(part)]
    return []
