"""How the routers of /v1 are made: their paths whole, their operations named, their requests read strictly."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from entrypoints.rest.bodies import StrictRequest
from entrypoints.rest.limits import Usual
from entrypoints.rest.plans import Plan

PREFIX = "/v1"


class StrictRoute(APIRoute):
    """A route that judges the request before anything of it is parsed, and then follows its plan."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._plan, self._takes_body = Plan(self), self.body_field is not None
        self._knows = frozenset(_queried(self.dependant))

    async def answer(self, request: Request) -> Response:
        """The answer to this request; refusals are raised."""
        strict = StrictRequest(request.scope, request.receive)
        await strict.judge(knows=self._knows, takes_body=self._takes_body)
        return await self._plan(strict)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.answer


def api_router(path: str = "", *, tag: str) -> APIRouter:
    """A router of one context, under /v1. It knows its whole path, so that logs and figures name it."""
    return APIRouter(
        prefix=PREFIX + path,
        tags=[tag],
        dependencies=[Usual],
        route_class=StrictRoute,
        generate_unique_id_function=operation_id,
    )


def include(into: FastAPI | APIRouter, *routers: APIRouter) -> None:
    """Let these routers' routes be its own, as they are: they know their whole path and all they depend on. FastAPI's
    own way builds each a second time, and asks router after router for every request."""
    routes = into.router.routes if isinstance(into, FastAPI) else into.routes
    for router in routers:
        routes += router.routes


def operation_id(route: APIRoute) -> str:
    """A stable name for programs: the feature and the verb, as in `bookings-create`."""
    tag = str(route.tags[0]) if route.tags else "house"
    return f"{tag}-{route.name}".replace("_", "-")


def _queried(dependant: Dependant) -> Iterator[str]:
    """The query parameters of a route, those of its dependencies included."""
    yield from (parameter.alias for parameter in dependant.query_params)
    for each in dependant.dependencies:
        yield from _queried(each)
