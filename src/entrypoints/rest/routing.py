"""How the routers of /v1 are made: their paths whole, their operations named, their requests read strictly."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from entrypoints.rest.bodies import StrictRequest
from entrypoints.rest.limits import Usual

PREFIX = "/v1"


class StrictRoute(APIRoute):
    """A route that judges the request before anything of it is parsed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, takes_body = super().get_route_handler(), self.body_field is not None
        knows = frozenset(_queried(self.dependant))

        async def strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            await strict.judge(knows=knows, takes_body=takes_body)
            return await handle(strict)

        return strictly


def api_router(path: str = "", *, tag: str) -> APIRouter:
    """A router of one context, under /v1. It knows its whole path, so that logs and figures name it."""
    return APIRouter(
        prefix=PREFIX + path,
        tags=[tag],
        dependencies=[Usual],
        route_class=StrictRoute,
        generate_unique_id_function=operation_id,
    )


def operation_id(route: APIRoute) -> str:
    """A stable name for programs: the feature and the verb, as in `bookings-create`."""
    tag = str(route.tags[0]) if route.tags else "house"
    return f"{tag}-{route.name}".replace("_", "-")


def _queried(dependant: Dependant) -> Iterator[str]:
    """The query parameters of a route, those of its dependencies included."""
    yield from (parameter.alias for parameter in dependant.query_params)
    for each in dependant.dependencies:
        yield from _queried(each)
