"""Problems (RFC 9457): the only place where families of refusal meet HTTP numbers."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from domain.identity import AccessEnded, BadToken, SessionOver, TokenExpired
from domain.shared.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Outdated,
    Refusal,
    TooMany,
    Unauthenticated,
    Unavailable,
)

STATUS: dict[type[Refusal], int] = {
    NotFound: 404,
    Unauthenticated: 401,
    Forbidden: 403,
    Outdated: 412,
    Conflict: 409,
    Invalid: 422,
    TooMany: 429,
    Unavailable: 503,
}
"""Family to status; the nearest ancestor of a refusal's class decides."""


class BadRequest(Invalid):
    """The request itself is not one: no JSON, a missing header, a cursor that is none."""

    code = "bad_request"


class BadJson(BadRequest):
    """The body is not JSON."""

    code = "bad_json"


class PreconditionRequired(Invalid):
    """A change must name the version it was decided on, in If-Match."""

    code = "precondition_required"


class TooLarge(Invalid):
    """The body is larger than this server takes."""

    code = "too_large"


class UnsupportedMedia(Invalid):
    """The body is of a kind this server does not read."""

    code = "unsupported_media_type"


class RangeNotSatisfiable(Invalid):
    """The file has no bytes where they were asked for; `size` says how many it has."""

    code = "range_not_satisfiable"


STATUS |= {
    BadRequest: 400,
    PreconditionRequired: 428,
    TooLarge: 413,
    UnsupportedMedia: 415,
    RangeNotSatisfiable: 416,
}


_RENAMED = {413: "Content Too Large", 422: "Unprocessable Content"}


class ProblemItem(BaseModel):
    """One thing that is wrong with the request."""

    pointer: str = Field(description="Where: a JSON pointer into the body, or the name of a parameter")
    detail: str
    code: str


class Problem(BaseModel):
    """Why the request was refused."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Stable URI of this kind of problem", examples=["urn:guildhall:booking.slot_taken"])
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable code for programs", examples=["booking.slot_taken"])
    instance: str | None = None
    request_id: str | None = None
    errors: list[ProblemItem] | None = None


def status_of(refusal: type[Refusal]) -> int:
    """The HTTP status of a kind of refusal."""
    return next((STATUS[family] for family in refusal.__mro__ if family in STATUS), 400)


def title_of(status: int) -> str:
    """What a status is called (RFC 9110; older Pythons still use the names before it)."""
    return _RENAMED.get(status) or HTTPStatus(status).phrase


def problem(
    request: Request,
    *,
    status: int,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """A problem as the answer to this request; it says how much may still be asked, where that was counted."""
    body = {
        "type": f"urn:guildhall:{code}",
        "title": title_of(status),
        "status": status,
        "detail": detail,
        "code": code,
        "instance": request.url.path,
        "request_id": request.scope.get("request_id"),
        **more,
    }
    content = orjson.dumps(body, default=str)
    told = {**(headers or {}), **request.scope.get("rate", {})}
    return Response(content, status, told, media_type="application/problem+json")


async def refused(request: Request, error: Exception) -> Response:
    """A refusal of the business, with its numbers."""
    assert isinstance(error, Refusal)
    status = status_of(type(error))
    headers: dict[str, str] = {}
    if status == 401:
        # RFC 6750: who showed a token is told that it was no good, who showed none only what is wanted.
        shown = isinstance(error, BadToken | TokenExpired | SessionOver | AccessEnded)
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"' if shown else "Bearer"
    if status in (429, 503):
        headers["Retry-After"] = str(error.details.get("retry_after", 1))
    if status == 416:
        headers["Content-Range"] = f"bytes */{error.details['size']}"
    details = {key: value for key, value in error.details.items() if key not in Problem.model_fields}
    return problem(request, status=status, code=error.code, detail=error.message, headers=headers, **details)


async def malformed(request: Request, error: Exception) -> Response:
    """A body or parameter that does not have its documented form."""
    assert isinstance(error, RequestValidationError)
    items = [_item(each) for each in error.errors()[:50]]
    if any(each["type"] == "json_invalid" for each in error.errors()):
        return problem(request, status=400, code=BadJson.code, detail="the body is not JSON", errors=items)
    return problem(request, status=422, code="invalid", detail="the request has not the form it should", errors=items)


async def by_http(request: Request, error: Exception) -> Response:
    """What the framework refuses: unknown paths, wrong methods."""
    assert isinstance(error, HTTPException)
    status = error.status_code
    if status == 405:
        said = f"{request.scope['method']} is not done here"
        headers = {"Allow": ", ".join(_allowed(request))}
        return problem(request, status=405, code="method_not_allowed", detail=said, headers=headers)
    code, said = _BY_FRAMEWORK.get(status, ("refused", str(error.detail)))
    return problem(request, status=status, code=code, detail=said, headers=error.headers)


_BY_FRAMEWORK = {
    400: ("bad_request", "the request cannot be read"),
    404: ("no_such_path", "there is nothing at this address"),
}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def add_problems(app: FastAPI) -> None:
    """Let every refusal of this app leave as a problem."""
    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, by_http)


def _allowed(request: Request) -> list[str]:
    """What may be done at this address, whichever route does it."""
    fully = {
        method
        for method in _METHODS
        for route in request.app.routes
        if route.matches({**request.scope, "method": method, "fastapi": {}})[0] is Match.FULL
    }
    return [method for method in ("GET", "HEAD", *_METHODS[1:]) if ("GET" if method == "HEAD" else method) in fully]


def _item(error: Mapping[str, Any]) -> dict[str, str]:
    place, *path = error["loc"]
    inside = "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in path)
    pointer = f"#/{inside}" if place == "body" else inside or str(place)
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, Refusal):
        within = str(cause.details.get("field", "")).replace(".", "/")
        if within and not pointer.endswith(within):
            pointer = f"{pointer.rstrip('/')}/{within}"
        return {"pointer": pointer, "detail": cause.message, "code": cause.code}
    return {"pointer": pointer, "detail": error["msg"], "code": error["type"]}
