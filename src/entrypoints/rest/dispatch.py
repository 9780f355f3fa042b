"""Which route a request is for: found by walking its path once, however many routes there are."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.shared.errors import Refusal
from entrypoints.rest.errors import by_http, malformed, refused
from entrypoints.rest.plans import Plan
from entrypoints.rest.routing import StrictRoute

Answering = Callable[[Request], Awaitable[Response]]

_TOLD: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    Refusal: refused,
    RequestValidationError: malformed,
    HTTPException: by_http,
}


@dataclass(slots=True)
class _Place:
    """What a path may go on with, and the routes of one that ends here, by method."""

    named: dict[str, "_Place"] = field(default_factory=dict)
    any: "_Place | None" = None
    names: tuple[str, ...] = ()
    routes: dict[str, tuple[APIRoute, Answering]] = field(default_factory=dict)


class Dispatch:
    """Carries out the plan of the route a request is for. What has no plan - pages, the docs, wrong methods and paths
    that do not exist - is the framework's."""

    def __init__(self, app: ASGIApp, *, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._root = _Place()
        for route in routes:
            if isinstance(route, StrictRoute):
                self._add(route, route.answer)
            elif type(route) is APIRoute:
                self._add(route, Plan(route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._find(scope) if scope["type"] == "http" and not scope.get("root_path") else None
        if found is None:
            await self._app(scope, receive, send)
            return
        route, answering, parameters = found
        scope["route"], scope["endpoint"], scope["path_params"] = route, route.endpoint, parameters
        request = Request(scope, receive)
        try:
            answer = await answering(request)
        except tuple(_TOLD) as error:
            answer = await next(tell for kind, tell in _TOLD.items() if isinstance(error, kind))(request, error)
        await answer(scope, receive, send)

    def _add(self, route: APIRoute, answering: Answering) -> None:
        place, names = self._root, []
        for part in route.path_format.split("/")[1:]:
            if part.startswith("{"):
                names.append(part[1:-1])
                place.any = place.any or _Place()
                place = place.any
            else:
                place = place.named.setdefault(part, _Place())
        for method in route.methods or ():
            place.routes.setdefault(method, (route, answering))
        place.names = tuple(names)

    def _find(self, scope: Scope) -> tuple[APIRoute, Answering, dict[str, Any]] | None:
        found = _walk(self._root, scope["path"].split("/"), 1, ())
        if found is None:
            return None
        place, values = found
        planned = place.routes.get(scope["method"])
        return None if planned is None else (*planned, dict(zip(place.names, values, strict=True)))


def _walk(place: _Place, parts: list[str], at: int, values: tuple[str, ...]) -> tuple[_Place, tuple[str, ...]] | None:
    """Where the path ends, and what stood for its parameters; a part with a name goes before one that may be any."""
    if at == len(parts):
        return (place, values) if place.routes else None
    part = parts[at]
    if (named := place.named.get(part)) and (found := _walk(named, parts, at + 1, values)):
        return found
    if place.any and part:
        return _walk(place.any, parts, at + 1, (*values, part))
    return None
