"""The service: one ASGI application from a function that loads a ranker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from shelfwise import __version__
from shelfwise.schema.event import Surface
from shelfwise.serving.config import ServeOptions
from shelfwise.serving.guard import OWN_NAMES, BodyLimit, SecurityHeaders
from shelfwise.serving.messages import (
    AdsBody,
    ItemBody,
    Message,
    RankBody,
    RankingBody,
    RecommendBody,
    SearchBody,
    rank_request,
    within,
)
from shelfwise.serving.mistakes import Mistakes, handlers
from shelfwise.serving.pages import add_pages
from shelfwise.serving.ranks import Ranks, Shelf


@dataclass(frozen=True, slots=True)
class _RankingRoute:
    path: str
    surface: Surface
    body: type[RankBody]
    summary: str


_RANKINGS = (
    _RankingRoute("/v1/search", Surface.SEARCH, SearchBody, "Rank what answers a query."),
    _RankingRoute(
        "/v1/recommend", Surface.RECOMMENDATION, RecommendBody, "Rank a shelf for a visitor."
    ),
    _RankingRoute("/v1/ads", Surface.ADS, AdsBody, "Fill sponsored slots."),
)


class Alive(Message):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(Message):
    """The ranker answers."""

    status: Literal["ready"] = "ready"
    model_version: str


def create_app(load: Callable[[], Ranks], options: ServeOptions | None = None) -> FastAPI:
    """The service and its pages; ``load`` runs in the background once the server has started.

    Until it returns, and for good if it raises, everything but ``/healthz``, ``/docs`` and
    static files answers 503.
    """
    options = options or ServeOptions()
    shelf = Shelf(load)
    bodies = {route.path: within(options, route.body) for route in _RANKINGS}
    app = FastAPI(
        title="Shelfwise",
        description="Ranks a shop's search, recommendations and ads.",
        version=__version__,
        lifespan=_filling(shelf),
        exception_handlers=handlers(bodies),
        # FastAPI's own page fetches its scripts from another site.
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(_ranking_routes(shelf, bodies))
    app.include_router(_health_routes(shelf))
    add_pages(app, shelf, options)
    # The last one added is the first to see a request.
    app.add_middleware(BodyLimit, most_bytes=options.max_body_bytes)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=OWN_NAMES, www_redirect=False)
    app.add_middleware(SecurityHeaders)
    return app


def _filling(shelf: Shelf) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001
        shelf.fill_in_background()
        yield

    return lifespan


def _ranking_routes(shelf: Shelf, bodies: Mapping[str, type[RankBody]]) -> APIRouter:
    routes = APIRouter(
        tags=["rank"], responses={code: {"model": Mistakes} for code in (413, 422, 503)}
    )
    for route in _RANKINGS:
        routes.add_api_route(
            route.path,
            _ranking_endpoint(shelf, route.surface, bodies[route.path]),
            methods=["POST"],
            name=route.surface,
            summary=route.summary,
            description=route.body.__doc__,
        )

    @routes.get(
        "/v1/items/{item_id:path}",
        summary="Look up an item.",
        responses={404: {"model": Mistakes}},
    )
    def item(item_id: str) -> ItemBody:
        """One entry of the catalogue."""
        found = shelf.ranker().item(item_id)
        if found is None:
            raise HTTPException(404, "the catalogue has no item of this id")
        return ItemBody.of(found)

    return routes


def _ranking_endpoint(shelf: Shelf, surface: Surface, body_type: type[RankBody]) -> Any:
    # Not async: ranking keeps a core busy, so it runs in a worker thread while others are heard.
    def rank(body: RankBody) -> RankingBody:
        request = rank_request(body, surface, now=datetime.now(UTC))
        return RankingBody.of(shelf.ranker().rank(request))

    # FastAPI reads the body's type from here; it exists only once the options are known.
    rank.__annotations__["body"] = body_type
    return rank


def _health_routes(shelf: Shelf) -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz", summary="Is the process alive?")
    async def alive() -> Alive:
        """Whether the process answers at all."""
        return Alive()

    @routes.get("/readyz", summary="Can it rank?", responses={503: {"model": Mistakes}})
    async def ready() -> Ready:
        """Whether requests can be ranked, and by which model."""
        return Ready(model_version=shelf.ranker().version)

    return routes
