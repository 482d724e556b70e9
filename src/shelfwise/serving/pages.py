"""What a person sees in a browser: the storefront at ``/`` and the reference at ``/docs``."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.staticfiles import StaticFiles

from shelfwise.serving.config import ServeOptions
from shelfwise.serving.mistakes import RETRY_SECONDS
from shelfwise.serving.ranks import NotReadyError, Shelf
from shelfwise.serving.reference import operations

_HERE = "shelfwise.serving"


def add_pages(app: FastAPI, shelf: Shelf, options: ServeOptions) -> None:
    """Give ``app`` its pages and what they are made of."""
    routes, environment = APIRouter(include_in_schema=False), _environment()

    @routes.get("/")
    def storefront() -> HTMLResponse:
        try:
            ranker = shelf.ranker()
        except NotReadyError as reason:
            opening = environment.get_template("opening.html").render(
                reason=str(reason), retry_seconds=RETRY_SECONDS
            )
            return HTMLResponse(opening, 503, {"Retry-After": str(RETRY_SECONDS)})
        page = environment.get_template("storefront.html")
        return HTMLResponse(
            page.render(
                shop=ranker.shop,
                model_version=ranker.version,
                max_k=options.max_k,
                max_query_length=options.max_query_length,
                max_history=options.max_history,
            )
        )

    @routes.get("/docs")
    def reference(request: Request) -> HTMLResponse:
        page = environment.get_template("reference.html")
        return HTMLResponse(
            page.render(operations=operations(app.openapi()), address=str(request.base_url))
        )

    app.include_router(routes)
    app.mount("/static", StaticFiles(packages=[(_HERE, "static")]), name="static")


def _environment() -> Environment:
    templates = files(_HERE) / "templates"
    return Environment(
        loader=FunctionLoader(lambda name: (templates / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
