"""The one shape in which the service says no: where, what was found, the rule, the way out."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from difflib import get_close_matches
from reprlib import Repr
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from shelfwise.schema.options import models_in
from shelfwise.serving.messages import Message
from shelfwise.serving.ranks import NotReadyError

Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]

RETRY_SECONDS = 2
_MOST_SHOWN = 100
_WHOLE_BODY = "(body)"

_short = Repr()
_short.maxstring = _short.maxother = 80


class Mistake(Message):
    """One thing wrong."""

    where: str
    """Field of the request, or its path where no field is at fault."""
    found: str
    """What stood there, shortened."""
    rule: str
    """What should have."""
    fix: str | None = None
    """The way out, where we know it."""


class Mistakes(Message):
    """Everything wrong with a request, at once."""

    errors: tuple[Mistake, ...]


def handlers(bodies: Mapping[str, type[BaseModel]]) -> dict[int | type[Exception], Handler]:
    """What FastAPI calls when something is wrong; ``bodies`` says what a path is sent."""

    async def invalid(request: Request, error: RequestValidationError) -> Response:
        problems = error.errors()
        told = [
            _explain(problem, bodies.get(request.url.path)) for problem in problems[:_MOST_SHOWN]
        ]
        if len(problems) > len(told):
            rest = f"{len(problems) - len(told)} more mistakes"
            told.append(Mistake(where=_WHOLE_BODY, found=rest, rule="see those listed first"))
        return answer(422, *told)

    async def refused(request: Request, error: HTTPException) -> Response:
        mistake = Mistake(
            where=request.url.path,
            found=f"{request.method} request",
            rule=error.detail,
            fix=_FIXES.get(error.status_code),
        )
        return answer(error.status_code, mistake, headers=error.headers)

    async def not_ready(request: Request, error: NotReadyError) -> Response:
        mistake = Mistake(
            where=request.url.path,
            found=str(error),
            rule="the ranker must be loaded before it can answer",
            fix="ask again in some seconds; GET /readyz answers 200 once it is there",
        )
        return answer(503, mistake, headers={"Retry-After": str(RETRY_SECONDS)})

    async def our_fault(request: Request, error: Exception) -> Response:  # noqa: ARG001
        mistake = Mistake(
            where=request.url.path,
            found="a mistake of ours",
            rule="every valid request gets an answer",
            fix="the server's log has the traceback; please report it",
        )
        return answer(500, mistake)

    return {
        RequestValidationError: invalid,
        HTTPException: refused,
        NotReadyError: not_ready,
        Exception: our_fault,
    }


def answer(status: int, *mistakes: Mistake, headers: Mapping[str, str] | None = None) -> Response:
    """``mistakes`` as the service says them."""
    content = Mistakes(errors=mistakes).model_dump()
    return JSONResponse(content, status_code=status, headers=headers)


_FIXES = {
    400: "GET /docs shows every request with an example",
    404: "GET /docs lists every path",
    405: "GET /docs lists every path with its method",
    413: "send fewer events of history",
}


def _explain(problem: Mapping[str, Any], body: type[BaseModel] | None) -> Mistake:
    """One of pydantic's findings in the service's words."""
    path = problem["loc"][1:]  # without "body" or "path"
    where = ".".join(map(str, path)) or _WHOLE_BODY
    found = _short.repr(problem["input"])
    match problem["type"]:
        case "extra_forbidden":
            return Mistake(
                where=where,
                found=found,
                rule="unknown field",
                fix=_nearest(str(path[-1]), _fields(body, path)),
            )
        case "missing":
            return Mistake(where=where, found="nothing", rule="required")
        case "json_invalid":
            return Mistake(
                where=_WHOLE_BODY,
                found=f"{problem['ctx']['error']} at character {path[0]}",
                rule="must be JSON",
            )
        case "model_attributes_type":
            fix = "send it with Content-Type: application/json"
            return Mistake(where=where, found=found, rule="must be a JSON object", fix=fix)
    return Mistake(where=where, found=found, rule=problem["msg"].removeprefix("Value error, "))


def _nearest(name: str, fields: Sequence[str]) -> str:
    near = get_close_matches(name, fields, n=1)
    return f"did you mean {near[0]}?" if near else f"leave it out; known: {', '.join(fields)}"


def _fields(body: type[BaseModel] | None, path: Sequence[int | str]) -> list[str]:
    """Names that could stand where ``path`` ends."""
    assert body is not None, "only a body has fields that can be unknown"
    for step in path[:-1]:
        if isinstance(step, str):
            (body,) = models_in(body.model_fields[step].annotation)
    return sorted(body.model_fields)
